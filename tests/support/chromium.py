"""A real browser for pages. Tests install none: without one they are skipped, with the reason."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Yield headless Chromium, driven by playwright (extra `test`)."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra `test`)")
    installed = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    with sync_api.sync_playwright() as driver:
        if installed is None and not Path(driver.chromium.executable_path).exists():
            pytest.skip("no Chromium: install the system's package, or `playwright install chromium`")
        chromium = driver.chromium.launch(executable_path=installed, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


class Tab:
    """A page in the browser, with all its requests and errors."""

    def __init__(self, context: Any, html: Path) -> None:
        self.page = context.new_page()
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
            """async () => {
              for (const plot of document.querySelectorAll('.plot')) {
                plot.scrollIntoView();
                for (let i = 0; i < 400 && !plot.querySelector('.main-svg'); i += 1) {
                  await new Promise((done) => setTimeout(done, 25));
                }
              }
              window.scrollTo(0, 0);
            }"""
        )
        assert self.page.locator(".plot:not(:has(.main-svg))").count() == 0


Open = Callable[..., Tab]


@pytest.fixture
def tab(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Yield `tab(html, **context)`, which opens a page in a new window; no request and no error may come from it."""
    contexts: list[Any] = []
    tabs: list[Tab] = []

    def make(html: str, **options: Any) -> Tab:
        path = tmp_path / f"page{len(tabs)}.html"
        path.write_text(html, encoding="utf-8")
        contexts.append(browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **options}))
        contexts[-1].set_default_timeout(10_000)
        tabs.append(Tab(contexts[-1], path))
        return tabs[-1]

    yield make
    for context in contexts:
        context.close()
    for opened in tabs:
        assert opened.requests == []
        assert opened.errors == []


def download(page: Any, button: str) -> tuple[str, str]:
    """Return the name and the text of the file that a button saves."""
    with page.expect_download() as saved:
        page.locator(button).click()
    return saved.value.suggested_filename, Path(saved.value.path()).read_text(encoding="utf-8")


def download_csv(page: Any, button: str) -> list[dict[str, str]]:
    """Return the rows of the CSV that a button saves."""
    return list(csv.DictReader(io.StringIO(download(page, button)[1])))
