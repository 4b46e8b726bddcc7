"""Pictures of a run's page for the README and the gallery: `python -m studies.report_pictures [RUN.json]`.

Needs playwright and Chromium. Writes docs/pictures/report.png and report-dark.png, docs/gallery.md, and for that page
one picture of each kind of chart, light and dark.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from places import DOCS

from benchmarks.browser import chromium
from joulemark.reports import html
from joulemark.reports.model import build
from joulemark.reports.plotting.figure import Figure
from joulemark.reports.sections import all_figures, sections
from joulemark.suite.carbon import ember
from joulemark.suite.records import RunFile, read

if TYPE_CHECKING:
    from playwright.sync_api import Page

RUN = DOCS / "results" / "quick-2-cores.json"
WIDTH, HEIGHT = 1200, 900
CHART_WIDTH = 760
SCREENSHOTS = {"light": "report.png", "dark": "report-dark.png"}
"""Picture of the top of the page, by colour scheme."""


def main(path: Path) -> None:
    """Write the pictures of the run in `path`, and the gallery."""
    run_file = read(path)
    figures = first_of_each_kind(all_figures(build([run_file])))
    (DOCS / "pictures" / "gallery").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, chromium() as browser:
        page = html.write([run_file], Path(scratch) / "page.html", zones=tuple(ember.countries().values()))
        for scheme, screenshot in SCREENSHOTS.items():
            tab = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme)
            tab.goto(page.as_uri())
            tab.screenshot(path=DOCS / "pictures" / screenshot)
            tab.set_viewport_size({"width": CHART_WIDTH, "height": HEIGHT})
            tab.reload()
            take_pictures(tab, figures, scheme)
            tab.close()
    (DOCS / "gallery.md").write_text(gallery(run_file, path, figures), encoding="utf-8")
    pictures = list((DOCS / "pictures").rglob("*.png"))
    print(f"{len(pictures)} pictures, {sum(path.stat().st_size for path in pictures) / 1e6:.1f} MB")


def first_of_each_kind(figures: Sequence[Figure]) -> list[Figure]:
    """Return the first figure of each kind: one of six trade-offs is enough."""
    first: dict[str, Figure] = {}
    for figure in figures:
        first.setdefault(figure.id.partition("-")[0], figure)
    return list(first.values())


def picture(figure: Figure, scheme: str) -> str:
    """Return the path of the picture of `figure`, relative to docs/."""
    return f"pictures/gallery/{figure.id}-{scheme}.png"


def take_pictures(tab: Page, figures: Sequence[Figure], scheme: str) -> None:
    """Write a picture of each chart as the page shows it."""
    tab.add_style_tag(content=".bar { position: static !important; } .figure-tools { display: none !important; }")
    for figure in figures:
        chart = tab.locator(f"#fig-{figure.id}")
        chart.scroll_into_view_if_needed()
        chart.locator(".main-svg").first.wait_for(state="attached")
        chart.screenshot(path=DOCS / picture(figure, scheme))


def gallery(run_file: RunFile, path: Path, figures: Sequence[Figure]) -> str:
    """Return docs/gallery.md: every kind of chart in its section, with what it shows and how to read it."""
    lines = [
        "# Gallery",
        "",
        f"Every kind of chart on the page of one run, [{path.name}](results/{path.name}): profile "
        f"{run_file.run.profile}, {len(run_file.cases)} cases. `python -m studies.report_pictures` writes this file "
        "and its pictures; [report.md](report.md) describes the page.",
        "",
        '<picture><source media="(prefers-color-scheme: dark)" srcset="pictures/report-dark.png">',
        '<img src="pictures/report.png" alt="The top of the page"></picture>',
    ]
    ids = {figure.id for figure in figures}
    for section, section_figures in sections(build([run_file])):
        shown = [figure for figure in section_figures if figure.id in ids]
        lines += ["", f"## {section.title}"]
        for figure in shown:
            alt = f"{figure.title}. {figure.summary}".replace('"', "'").replace("<", "&lt;")
            lines += ["", f"### {figure.title}"] if len(shown) > 1 else []
            lines += [
                "",
                f'<picture><source media="(prefers-color-scheme: dark)" srcset="{picture(figure, "dark")}">',
                f'<img src="{picture(figure, "light")}" alt="{alt}"></picture>',
                "",
                figure.how_to_read.strip(),
            ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", type=Path, default=RUN, metavar="RUN.json", help="(default: %(default)s)")
    main(parser.parse_args().run)
