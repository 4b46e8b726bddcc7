"""Figures as image files."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET
from importlib.util import find_spec
from pathlib import Path

import pytest
from command import joulemark
from report_files import full

from joulemark.reports.images import write_images
from joulemark.reports.model import build
from joulemark.reports.sections import all_figures
from joulemark.suite.errors import UsageError
from joulemark.suite.records import write

needs_kaleido = pytest.mark.skipif(
    find_spec("kaleido") is None or not any(map(shutil.which, ("chromium", "google-chrome"))),
    reason="kaleido (extra `images`) and Chromium are needed for images",
)


@needs_kaleido
@pytest.mark.browser
def test_every_figure_is_written(tmp_path: Path) -> None:
    paths = write_images([full()], tmp_path / "images", "svg")
    assert [path.stem for path in paths] == [figure.id for figure in all_figures(build([full()]))]
    for path in paths:
        assert ET.fromstring(path.read_text(encoding="utf-8")).tag.endswith("svg")
    assert "Throughput" in (tmp_path / "images" / "throughput.svg").read_text(encoding="utf-8")


def test_unknown_format_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'bmp'"):
        write_images([full()], tmp_path, "bmp")


@needs_kaleido
@pytest.mark.slow
def test_missing_browser_is_one_line_with_a_remedy(tmp_path: Path) -> None:
    write(full(), tmp_path / "run.json")
    # kaleido looks for a browser by name on PATH: an empty one has none.
    done = joulemark(tmp_path, "report", "run.json", "--images", "images", variables={"PATH": str(tmp_path)})
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("joulemark:")]
    assert "Chromium" in line
