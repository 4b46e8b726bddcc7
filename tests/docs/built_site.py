"""The documentation as a site: `tox -e site`. Not among the tests of `tox -e py`, which has no MkDocs."""

from __future__ import annotations

import functools
import http.server
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from chromium import browser  # noqa: F401  a fixture
from markdown_it import MarkdownIt
from places import DOCS, ROOT

LOADED = {"link": "href", "script": "src", "img": "src", "source": "srcset", "iframe": "src", "video": "src"}
LINKS_ONLY = ("canonical", "next", "prev", "alternate")
"""Relations of a <link> that loads nothing."""
BLOCKS = {"ul", "ol", "li", "table", "tr", "pre", "img", "blockquote"}


class Page(HTMLParser):
    """What a page loads, and how many blocks of each kind it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.blocks: Counter[str] = Counter()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.blocks.update({tag} & BLOCKS)
        address = given.get(LOADED.get(tag, ""))
        if address and given.get("rel") not in LINKS_ONLY:
            self.loaded.append(address)


def build(config: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--config-file",
        str(config),
        "--site-dir",
        str(folder),
    ]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # an advertisement of another project
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=600, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT / "mkdocs.yml", folder)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def built(page: Path, site: Path) -> Path:
    path = site / page.relative_to(DOCS).with_suffix(".html")
    return path.with_name("index.html") if page.name == "README.md" else path


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > len(list(DOCS.rglob("*.md")))  # and the page for what is not found
    for path in pages:
        foreign = [address for address in Page(path.read_text()).loaded if re.match(r"(https?:)?//", address)]
        assert foreign == [], path
    for path in site.rglob("*.css"):
        assert re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//[^)]*", path.read_text()) == [], path


def test_pages_have_the_lists_and_tables_that_they_have_in_the_repository(site: Path) -> None:
    reference = MarkdownIt("commonmark", {"html": True}).enable("table")  # what GitHub shows
    for page in DOCS.rglob("*.md"):
        if page.name == "api.md":
            continue  # of docstrings
        text = built(page, site).read_text()
        article = text[text.index("<article") : text.index("</article>")]
        assert Page(article).blocks == Page(reference.render(page.read_text())).blocks, page


def test_the_page_of_the_api_has_docstrings(site: Path) -> None:
    text = (site / "api.html").read_text()
    for name in re.findall(r"^::: ([\w.]+)$", (DOCS / "api.md").read_text(), re.M):
        assert f'id="{name}"' in text, name
    assert "The window of a generator lasts from its first step to its end" in text


def test_a_broken_link_and_a_page_outside_the_navigation_fail(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Home\n\n[a](#nowhere) [b](none.md)\n")
    (tmp_path / "docs" / "other.md").write_text("# Other\n")
    config = tmp_path / "mkdocs.yml"
    config.write_text(f"INHERIT: {ROOT / 'mkdocs.yml'}\ndocs_dir: docs\nplugins: [search]\nnav:\n  - index.md\n")
    done = build(config, tmp_path / "site")
    assert done.returncode == 1
    warnings = [line for line in done.stderr.splitlines() if line.startswith("WARNING")]
    assert len(warnings) == 3, done.stderr


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Yield where the site is served."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_search_and_colours_work_without_a_network(browser: Any, address: str, scheme: str, width: int) -> None:  # noqa: F811
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    requests: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{address}/index.html")
    page.wait_for_function(f"document.body.dataset.mdColorScheme == '{'slate' if scheme == 'dark' else 'default'}'")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    if width < 600:
        page.locator("label[for=__search].md-icon").first.click()
    page.locator("input[name=query]").focus()  # asks for the index
    page.wait_for_function("document.querySelector('.md-search-result__meta').innerText.startsWith('Type to start')")
    page.locator("input[name=query]").press_sequentially("publication lag")  # it listens to keys
    page.wait_for_selector(".md-search-result__link")
    assert "power.html" in page.locator(".md-search-result__link").first.get_attribute("href")
    assert [url for url in requests if not url.startswith((address, "data:", "blob:"))] == []
    assert errors == []
    page.close()
