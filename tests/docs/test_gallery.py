"""The gallery names pictures that are there, of every kind of chart that its run has, light and dark."""

from __future__ import annotations

import re

from places import DOCS

from joulemark.reports.figures import figures
from joulemark.reports.model import build
from joulemark.suite.records import read


def named() -> list[str]:
    return re.findall(r'(?:src|srcset)="([^"]+)"', (DOCS / "gallery.md").read_text(encoding="utf-8"))


def test_every_picture_is_there_and_is_one() -> None:
    for name in named():
        assert (DOCS / name).read_bytes().startswith(b"\x89PNG\r\n"), name


def test_every_kind_of_chart_is_shown_light_and_dark() -> None:
    shown = {re.sub(r".*/([a-z]+)(?:-\w+)?-(light|dark)\.png", r"\1 \2", name) for name in named() if "gallery" in name}
    kinds = {figure.id.partition("-")[0] for figure in figures(build([read(DOCS / "results" / "quick-2-cores.json")]))}
    assert shown == {f"{kind} {scheme}" for kind in kinds for scheme in ("light", "dark")}


def test_no_picture_lies_about_unused() -> None:
    lying = {f"pictures/gallery/{path.name}" for path in (DOCS / "pictures" / "gallery").iterdir()}
    assert lying <= set(named())
