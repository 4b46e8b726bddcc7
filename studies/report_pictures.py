"""The galleries: `python -m studies.report_pictures [NAME...]`, pages of docs/ that show the charts of a kept run.

Needs playwright and Chromium. For each of `GALLERIES` it writes docs/NAME.md, a picture of the top of the run's page,
and one of each kind of chart, light and dark. The top of the first is also the README's picture. For `CHARTS`, pages
written by hand, it writes the pictures alone.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from places import DOCS

from benchmarks.browser import chromium
from joulemark.reports import html
from joulemark.reports.model import build
from joulemark.reports.plotting.figure import Figure
from joulemark.reports.sections import all_figures, sections
from joulemark.suite.carbon import ember
from joulemark.suite.records import RunFile
from joulemark.suite.results.references.kept import Reference, load_all
from joulemark.suite.results.run_files import read

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDTH, HEIGHT = 1200, 900
CHART_WIDTH = 760
TIMEOUT_MS = 300_000
"""Longest wait for the page, whose script is 5 MB, on a busy machine."""
SCHEMES = ("light", "dark")


@dataclass(frozen=True)
class Gallery:
    """A page of docs/ that shows the charts of one run."""

    name: str
    title: str
    run: str
    """The name of its file in docs/results."""
    about: str
    """Markdown that follows the first sentence."""
    screenshots: tuple[str, str]
    """Pictures of the top of the run's page, by scheme, relative to docs/."""


@dataclass(frozen=True)
class Charts:
    """Charts of one run in a page of docs/ that is written by hand."""

    name: str
    run: str
    """The name of its file in docs/results."""
    prefix: str
    """What the ids of its figures begin with."""


def picture(name: str, figure: Figure, scheme: str) -> str:
    """Return the path of the picture of `figure` in the page `name`, relative to docs/."""
    return f"pictures/{name}/{figure.id}-{scheme}.png"


CHARTS = (Charts(name="responses", run="responses-2-cores.json", prefix="responses-"),)
GALLERIES = (
    Gallery(
        name="gallery",
        title="Gallery",
        run="quick-2-cores.json",
        about="[report.md](report.md) describes the page; [gallery-frameworks.md](gallery-frameworks.md) shows one of "
        "three frameworks, and [gallery-h200.md](gallery-h200.md) that of a GPU.",
        screenshots=("pictures/report.png", "pictures/report-dark.png"),
    ),
    Gallery(
        name="gallery-frameworks",
        title="Gallery: three frameworks",
        run="quick-3-frameworks-2-cores.json",
        about="It is the run of [the gallery](gallery.md) with JAX beside PyTorch and TensorFlow, on another day.",
        screenshots=("pictures/gallery-frameworks/page-light.png", "pictures/gallery-frameworks/page-dark.png"),
    ),
    Gallery(
        name="gallery-h200",
        title="Gallery: one NVIDIA H200",
        run="h200-base-bf16.json",
        about="[gpu.md](gpu.md) has the machine and the numbers. They were measured by an earlier state of joulemark, "
        "whose warnings are shown as they were kept.",
        screenshots=("pictures/gallery-h200/page-light.png", "pictures/gallery-h200/page-dark.png"),
    ),
)


def write(gallery: Gallery) -> None:
    """Write the page and the pictures of `gallery`."""
    run_file = read(DOCS / "results" / gallery.run)
    references = other_machines(run_file)
    figures = first_of_each_kind(all_figures(build([run_file], references=references)))
    take_pictures(gallery.name, run_file, figures, references, gallery.screenshots)
    (DOCS / f"{gallery.name}.md").write_text(document(gallery, run_file, figures), encoding="utf-8")


def write_charts(charts: Charts) -> None:
    """Write the pictures of `charts`."""
    run_file = read(DOCS / "results" / charts.run)
    figures = [figure for figure in all_figures(build([run_file])) if figure.id.startswith(charts.prefix)]
    take_pictures(charts.name, run_file, figures)


def take_pictures(
    name: str,
    run_file: RunFile,
    figures: Sequence[Figure],
    references: Sequence[Reference] = (),
    screenshots: Sequence[str | None] = (None, None),
) -> None:
    """Write a picture of each chart as the page of the run shows it, by scheme, and `screenshots` of its top."""
    (DOCS / "pictures" / name).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, chromium() as browser:
        path, zones = Path(scratch) / "page.html", tuple(ember.countries().values())
        page = html.write([run_file], path, zones=zones, references=references)
        for scheme, screenshot in zip(SCHEMES, screenshots, strict=True):
            # The page's content security policy would refuse the style of `take_charts`.
            size = {"width": WIDTH, "height": HEIGHT}
            tab = browser.new_page(viewport=size, color_scheme=scheme, bypass_csp=True)
            tab.set_default_timeout(TIMEOUT_MS)
            tab.goto(page.as_uri())
            if screenshot:
                tab.screenshot(path=DOCS / screenshot)
            tab.set_viewport_size({"width": CHART_WIDTH, "height": HEIGHT})
            tab.reload()
            take_charts(tab, name, figures, scheme)
            tab.close()


def other_machines(run_file: RunFile) -> list[Reference]:
    """Return the reference machines that the run is not one of."""
    return [each for each in load_all() if run_file.run.id not in {run.run.id for run in each.runs}]


def first_of_each_kind(figures: Sequence[Figure]) -> list[Figure]:
    """Return the first figure of each kind: one of six trade-offs is enough."""
    first: dict[str, Figure] = {}
    for figure in figures:
        first.setdefault(figure.id.partition("-")[0], figure)
    return list(first.values())


def take_charts(tab: Page, name: str, figures: Sequence[Figure], scheme: str) -> None:
    """Write a picture of each chart as the page shows it."""
    tab.add_style_tag(content=".bar { position: static !important; } .figure-tools { display: none !important; }")
    for figure in figures:
        chart = tab.locator(f"#fig-{figure.id}")
        chart.scroll_into_view_if_needed()
        chart.locator(".main-svg").first.wait_for(state="attached")
        chart.screenshot(path=DOCS / picture(name, figure, scheme))


def document(gallery: Gallery, run_file: RunFile, figures: Sequence[Figure]) -> str:
    """Return the gallery's page: every kind of chart in its section, with what it shows and how to read it."""
    light, dark = gallery.screenshots
    lines = [
        f"# {gallery.title}",
        "",
        f"Every kind of chart on the page of one run, [{gallery.run}](results/{gallery.run}): profile "
        f"{run_file.run.profile}, {len(run_file.cases)} cases. {gallery.about} `python -m studies.report_pictures` "
        "writes this file and its pictures.",
        "",
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">',
        f'<img src="{light}" alt="The top of the page"></picture>',
    ]
    ids = {figure.id for figure in figures}
    for section, section_figures in sections(build([run_file], references=other_machines(run_file))):
        shown = [figure for figure in section_figures if figure.id in ids]
        lines += ["", f"## {section.title}"]
        for figure in shown:
            alt = f"{figure.title}. {figure.summary}".replace('"', "'").replace("<", "&lt;")
            light, dark = (picture(gallery.name, figure, scheme) for scheme in SCHEMES)
            lines += ["", f"### {figure.title}"] if len(shown) > 1 else []
            lines += [
                "",
                f'<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">',
                f'<img src="{light}" alt="{alt}"></picture>',
                "",
                figure.how_to_read.strip(),
            ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = {page.name: page for page in (*GALLERIES, *CHARTS)}
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)} (default: all)")
    names = parser.parse_args().names or list(known)
    if unknown := [name for name in names if name not in known]:
        parser.error(f"no page with pictures is called {unknown[0]}")
    for each in (known[name] for name in names):
        write(each) if isinstance(each, Gallery) else write_charts(each)
