"""The pictures of the galleries: each exists, and every kind of chart of its run is shown, light and dark."""

from __future__ import annotations

import re

import pytest
from places import DOCS

from joulemark.reports.model import build
from joulemark.reports.sections import all_figures
from joulemark.suite.results.run_files import read

RUNS = {
    "gallery": "quick-2-cores.json",
    "gallery-frameworks": "quick-3-frameworks-2-cores.json",
    "gallery-h200": "h200-base-bf16.json",
}

each_gallery = pytest.mark.parametrize("name", RUNS)


def linked_pictures(name: str) -> list[str]:
    return re.findall(r'(?:src|srcset)="([^"]+)"', (DOCS / f"{name}.md").read_text(encoding="utf-8"))


@each_gallery
def test_every_linked_picture_is_a_png_file(name: str) -> None:
    for picture in linked_pictures(name):
        assert (DOCS / picture).read_bytes().startswith(b"\x89PNG\r\n"), picture


@each_gallery
def test_every_kind_of_chart_is_shown_light_and_dark(name: str) -> None:
    _top_dark, _top_light, *pictures = linked_pictures(name)
    shown = {re.sub(r".*/([a-z]+)(?:-\w+)?-(light|dark)\.png", r"\1 \2", picture) for picture in pictures}
    report = build([read(DOCS / "results" / RUNS[name])])
    kinds = {figure.id.partition("-")[0] for figure in all_figures(report)}
    assert shown == {f"{kind} {scheme}" for kind in kinds for scheme in ("light", "dark")}


@each_gallery
def test_every_picture_file_is_linked(name: str) -> None:
    files = {f"pictures/{name}/{path.name}" for path in (DOCS / "pictures" / name).iterdir()}
    assert files <= set(linked_pictures(name))


def test_the_charts_of_responses_are_those_of_their_run() -> None:
    linked = linked_pictures("responses")
    assert [path for path in linked if not (DOCS / path).read_bytes().startswith(b"\x89PNG\r\n")] == []
    report = build([read(DOCS / "results" / "responses-2-cores.json")])
    figures = {figure.id: figure for figure in all_figures(report) if figure.id.startswith("responses-")}
    assert {f"pictures/responses/{id}-{scheme}.png" for id in figures for scheme in ("light", "dark")} == set(linked)
    of_energy = [id for id, figure in figures.items() if "lowest estimated joules" in figure.summary]
    assert of_energy == ["responses-0-output", "responses-0-parts"]  # this machine has no sensor
