"""Pictures of a run's page for the README and the gallery: `python -m studies.report_pictures [RUN.json]`.

Needs playwright and a Chromium. Writes docs/pictures/report.png and report-dark.png, and for docs/gallery.md, which it
writes too, one picture of each kind of chart, light and dark.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from joulemark.reports import html
from joulemark.reports.model import build
from joulemark.reports.plotting.figure import Figure
from joulemark.reports.sections import all_figures, sections
from joulemark.suite.carbon import ember
from joulemark.suite.records import RunFile, read

DOCS = Path(__file__).parent.parent / "docs"
RUN = DOCS / "results" / "quick-2-cores.json"
WIDTH, HEIGHT = 1200, 900
CHART_WIDTH = 760
SCHEMES = ("light", "dark")


def main(run: Path) -> None:
    """Write the pictures of `run`, and the gallery."""
    run_file = read(run)
    chosen = kinds(all_figures(build([run_file])))
    (DOCS / "pictures" / "gallery").mkdir(parents=True, exist_ok=True)
    browser = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as driver:
        page_file = html.write([run_file], Path(scratch) / "page.html", zones=tuple(ember.countries().values()))
        chromium = driver.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        for scheme in SCHEMES:
            window = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme)
            window.goto(page_file.as_uri())
            window.screenshot(path=DOCS / "pictures" / ("report.png" if scheme == "light" else "report-dark.png"))
            window.set_viewport_size({"width": CHART_WIDTH, "height": HEIGHT})
            window.reload()
            take(window, chosen, scheme)
            window.close()
        chromium.close()
    (DOCS / "gallery.md").write_text(gallery(run_file, chosen), encoding="utf-8")
    taken = sorted((DOCS / "pictures").rglob("*.png"))
    print(f"{len(taken)} pictures, {sum(path.stat().st_size for path in taken) / 1e6:.1f} MB")


def kinds(drawn: Sequence[Figure]) -> list[Figure]:
    """The first figure of each kind: of six trade-offs one is enough."""
    first: dict[str, Figure] = {}
    for figure in drawn:
        first.setdefault(figure.id.partition("-")[0], figure)
    return list(first.values())


def picture(figure: Figure, scheme: str) -> str:
    """Where the picture of `figure` lies, from docs/."""
    return f"pictures/gallery/{figure.id}-{scheme}.png"


def take(window: Page, chosen: Sequence[Figure], scheme: str) -> None:
    """A picture of each chart as it stands in the page."""
    window.add_style_tag(content=".bar { position: static !important; } .figure-tools { display: none !important; }")
    for figure in chosen:
        found = window.locator(f"#fig-{figure.id}")
        found.scroll_into_view_if_needed()
        found.locator(".main-svg").first.wait_for(state="attached")
        found.screenshot(path=DOCS / picture(figure, scheme))


def gallery(run_file: RunFile, chosen: Sequence[Figure]) -> str:
    """docs/gallery.md: every kind of chart under the heading of its section, with what it shows and how to read it."""
    lines = [
        "# Gallery",
        "",
        f"Every kind of chart that a page has for one run, from [{RUN.name}](results/{RUN.name}): profile "
        f"{run_file.run.profile}, {len(run_file.cases)} cases. `python -m studies.report_pictures` makes the "
        "pictures and this file; [report.md](report.md) says what the page is.",
        "",
        '<picture><source media="(prefers-color-scheme: dark)" srcset="pictures/report-dark.png">',
        '<img src="pictures/report.png" alt="The top of the page"></picture>',
    ]
    ids = {figure.id for figure in chosen}
    for section, figures in sections(build([run_file])):
        shown = [figure for figure in figures if figure.id in ids]
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
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else RUN)
