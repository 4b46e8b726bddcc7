"""Screenshots of a run's page for the README and the gallery: `python benchmarks/report_pictures.py RUN.json [FOLDER]`.

Needs playwright and a Chromium. Writes report-light.png, report-dark.png and one picture a section to docs/pictures.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from reports import html
from suite.carbon import ember
from suite.results.records import read

SECTIONS = ("results", "cases", "pareto", "breakdown", "power", "trials")
WIDTH, HEIGHT = 1200, 900


def main(run: Path, folder: Path) -> None:
    """Write the pictures of `run` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    browser = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as driver:
        page_file = html.write([read(run)], Path(scratch) / "page.html", zones=tuple(ember.countries().values()))
        chromium = driver.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        for scheme in ("light", "dark"):
            window = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme)
            window.goto(page_file.as_uri())
            window.screenshot(path=folder / f"report-{scheme}.png")
            if scheme == "light":
                gallery(window, folder)
            window.close()
        chromium.close()
    for path in sorted(folder.glob("*.png")):
        print(f"{path} {path.stat().st_size / 1e3:.0f} kB")


def gallery(window: Page, folder: Path) -> None:
    """One picture of each section that the page has."""
    # The bar stays on top while a tall section is put together from several screens.
    window.add_style_tag(content=".bar { position: static !important; }")
    for name in SECTIONS:
        section = window.locator(f"#{name}")
        if section.count():
            for plot in section.locator(".plot").all():
                plot.scroll_into_view_if_needed()
                plot.locator(".main-svg").first.wait_for(state="attached")
            section.screenshot(path=folder / f"{name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else Path("docs/pictures"))
