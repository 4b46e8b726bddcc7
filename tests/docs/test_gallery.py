"""The pictures of the gallery: each exists, and every kind of chart of its run is shown, light and dark."""

from __future__ import annotations

import re

from places import DOCS

from joulemark.reports.model import build
from joulemark.reports.sections import all_figures
from joulemark.suite.records import read


def linked_pictures() -> list[str]:
    return re.findall(r'(?:src|srcset)="([^"]+)"', (DOCS / "gallery.md").read_text(encoding="utf-8"))


def test_every_linked_picture_is_a_png_file() -> None:
    for name in linked_pictures():
        assert (DOCS / name).read_bytes().startswith(b"\x89PNG\r\n"), name


def test_every_kind_of_chart_is_shown_light_and_dark() -> None:
    pictures = [name for name in linked_pictures() if "gallery" in name]
    shown = {re.sub(r".*/([a-z]+)(?:-\w+)?-(light|dark)\.png", r"\1 \2", name) for name in pictures}
    report = build([read(DOCS / "results" / "quick-2-cores.json")])
    kinds = {figure.id.partition("-")[0] for figure in all_figures(report)}
    assert shown == {f"{kind} {scheme}" for kind in kinds for scheme in ("light", "dark")}


def test_every_picture_file_is_linked() -> None:
    files = {f"pictures/gallery/{path.name}" for path in (DOCS / "pictures" / "gallery").iterdir()}
    assert files <= set(linked_pictures())
