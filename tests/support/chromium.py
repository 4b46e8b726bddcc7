"""A real browser for pages. Tests install none: without one they are skipped, with the reason."""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--process-per-site"]
VIEWPORT = {"width": 1200, "height": 900}
LIMIT_MS = 120_000
"""The longest wait for anything that a page does: machines that run tests are busy."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Yield headless Chromium, driven by playwright (extra `test`)."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra `test`)")
    installed = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    with sync_api.sync_playwright() as driver:
        if installed is None and not Path(driver.chromium.executable_path).exists():
            pytest.skip("no Chromium: install the system's package, or `playwright install chromium`")
        chromium = driver.chromium.launch(executable_path=installed, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of all pages: equal ones are one file."""
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="session")
def window(browser: Any, folder: Path) -> Any:
    """Return the window whose tabs are those of all tests.

    Its process keeps the code that it has compiled for an address, which is most of the time that a page takes. The
    first tab, which stays open, keeps the process.
    """
    made = browser.new_context(viewport=VIEWPORT)
    made.set_default_timeout(LIMIT_MS)
    (folder / "empty.html").touch()
    made.new_page().goto((folder / "empty.html").as_uri())
    return made


class Tab:
    """A page in the browser, with all its requests and errors."""

    def __init__(self, page: Any, html: Path) -> None:
        self.page = page
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.html = html
        self.page.on("request", self._on_request)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: self.errors.append(f"dialog {dialog.message}"))

    def _on_request(self, request: Any) -> None:
        if not request.url.startswith(("data:", "blob:", self.html.as_uri())):
            self.requests.append(request.url)

    def _on_console(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)

    def open(self, state: str = "") -> Any:
        """Load the page with the given state in its address."""
        self.page.goto("about:blank")
        self.page.goto(self.html.as_uri() + (f"#{state}" if state else ""))
        return self.page

    def draw_all(self) -> None:
        """Scroll every chart into view and wait until all are drawn."""
        self.page.evaluate(
            """async (limit) => {
              const end = performance.now() + limit;
              for (const plot of document.querySelectorAll('.plot')) {
                plot.scrollIntoView();
                while (!plot.querySelector('.main-svg') && performance.now() < end) {
                  await new Promise((done) => setTimeout(done, 25));
                }
              }
              window.scrollTo(0, 0);
            }""",
            LIMIT_MS,
        )
        assert self.page.locator(".plot:not(:has(.main-svg))").count() == 0


Open = Callable[..., Tab]


@pytest.fixture
def tab(browser: Any, window: Any, folder: Path) -> Iterator[Open]:
    """Yield `tab(html, **options)`, which opens a page in a new tab; no request and no error may come from it.

    Options are `viewport` and `color_scheme`, or others of a window: one with these has a window of its own.
    """
    contexts: list[Any] = []
    tabs: list[Tab] = []

    def page_with(viewport: dict[str, int] = VIEWPORT, color_scheme: str = "light", **options: Any) -> Any:
        if options:
            contexts.append(browser.new_context(viewport=viewport, color_scheme=color_scheme, **options))
            contexts[-1].set_default_timeout(LIMIT_MS)
            return contexts[-1].new_page()
        page = window.new_page()
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme)
        return page

    def make(html: str, **options: Any) -> Tab:
        path = folder / hashlib.sha256(html.encode()).hexdigest() / "page.html"
        path.parent.mkdir(exist_ok=True)
        path.write_text(html, encoding="utf-8")
        tabs.append(Tab(page_with(**options), path))
        return tabs[-1]

    yield make
    for opened in tabs:
        opened.page.close()
    for context in contexts:
        context.close()
    window.pages[0].evaluate("localStorage.clear()")
    for opened in tabs:
        assert opened.requests == []
        assert opened.errors == []


def address_state(page: Any) -> str:
    """Return the state in the address, as the page itself sees it."""
    return str(page.evaluate("location.hash.slice(1)"))


def wait_until(page: Any, condition: str) -> None:
    """Wait until an expression is true in the page, whose policy stops playwright's `wait_for_function`."""
    page.evaluate(
        f"""async (limit) => {{
          const end = performance.now() + limit;
          while (!({condition})) {{
            if (performance.now() > end) throw new Error('still not true');
            await new Promise((done) => setTimeout(done, 10));
          }}
        }}""",
        LIMIT_MS,
    )


def download(page: Any, button: str) -> tuple[str, str]:
    """Return the name and the text of the file that a button saves."""
    with page.expect_download() as saved:
        page.locator(button).click()
    return saved.value.suggested_filename, Path(saved.value.path()).read_text(encoding="utf-8")


def download_csv(page: Any, button: str) -> list[dict[str, str]]:
    """Return the rows of the CSV that a button saves."""
    return list(csv.DictReader(io.StringIO(download(page, button)[1])))
