"""The report's other outputs: Markdown, pictures, and the command that writes them."""

from __future__ import annotations

import os
import shutil
import xml.etree.ElementTree as ET
from importlib.util import find_spec
from pathlib import Path

import pytest
from command import joulemark
from report_files import cases, full, on_gpu, summarised, ways
from run_files import case, failed_trial, run_file

from joulemark.reports.figures import figures
from joulemark.reports.images import write_images
from joulemark.reports.markdown import render_markdown, write_markdown
from joulemark.reports.model import build
from joulemark.suite.errors import UsageError
from joulemark.suite.notices import Code
from joulemark.suite.records import Notice, write


def test_the_summary_holds_the_table() -> None:
    text = render_markdown([full()])
    report = build([full()])
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + len(report.cases)
    widths = {line.replace("\\|", "").count("|") for line in rows}
    assert len(widths) == 1
    for view in report.shown:
        cell = view.row.cells["throughput"]
        assert f"{cell.text} {cell.interval}" in text
    assert "## " not in text.partition("\n")[0]
    assert text.startswith("# cnn and matmul in PyTorch and TensorFlow\n\n**Complete. 6 of 7 cases measured, 1 failed.")


def test_the_summary_says_what_is_estimated_and_what_is_missing() -> None:
    assert "\\~" in render_markdown([summarised(run_file(cases(kind="model")))])
    assert "not measured: package: absent" in render_markdown([summarised(run_file(cases(kind="unavailable")))])


def test_the_summary_says_how_many_cases_a_notice_is_of() -> None:
    few = [Notice.of(Code.HIGH_VARIANCE, value, 0.1) for value in (0.185, 0.12)]
    noticed = [case(notices=(few[0],)), case(framework="tensorflow", mode="graph", notices=(few[1],)), case("vit")]
    text = render_markdown([run_file(noticed, notices=(Notice.of(Code.NOISY_FLOOR, 0.12, 0.05),))])
    assert "(coefficient of variation; threshold 10%). (the worst of 2 cases) Small" in text
    assert "over the run (threshold 5%). The machine's own speed" in text


def test_the_summary_says_what_brackets_hold() -> None:
    text = render_markdown([summarised(run_file(cases(kind="model")))])
    assert " to " in text
    assert "of an estimate (~), which trials say little of, what it may be off by" in text


def test_the_summary_cannot_be_broken_out_of() -> None:
    hostile = "a|b\n\n# c <script>alert(1)</script> [x](http://y) `z`" + "w" * 10_000
    text = render_markdown([run_file([case(hostile, trials=[failed_trial(reason=hostile)])])])
    assert "<" not in text
    assert "](" not in text.replace("\\](", "")
    assert sum(line.startswith("#") for line in text.splitlines()) == 1
    assert max(map(len, text.splitlines())) < 12_000


def test_the_summary_can_be_written_or_says_why_not(tmp_path: Path) -> None:
    assert write_markdown([full()], tmp_path / "a" / "page.md").read_text() == render_markdown([full()])
    with pytest.raises(UsageError, match="cannot write"):
        write_markdown([full()], tmp_path / "a" / "page.md" / "b.md")


needs_pictures = pytest.mark.skipif(
    find_spec("kaleido") is None or not any(map(shutil.which, ("chromium", "google-chrome"))),
    reason="kaleido (extra `images`) and Chromium are needed for pictures",
)


@needs_pictures
def test_every_figure_is_a_picture(tmp_path: Path) -> None:
    paths = write_images([full()], tmp_path / "pictures", "svg")
    assert [path.stem for path in paths] == [figure.id for figure in figures(build([full()]))]
    for path in paths:
        root = ET.fromstring(path.read_text(encoding="utf-8"))
        assert root.tag.endswith("svg")
    assert "Throughput" in (tmp_path / "pictures" / "throughput.svg").read_text(encoding="utf-8")


def test_an_unknown_kind_of_picture_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="must be svg, png or pdf"):
        write_images([full()], tmp_path, "bmp")


@needs_pictures
def test_pictures_without_a_browser_say_what_to_do(tmp_path: Path) -> None:
    write(full(), tmp_path / "run.json")
    # kaleido looks for a browser by name on PATH: an empty one has none.
    found = joulemark(tmp_path, "report", "run.json", "--images", "pictures", variables={"PATH": str(tmp_path)})
    assert found.returncode == 2
    (line,) = [line for line in found.stderr.splitlines() if line.startswith("joulemark:")]
    assert "Chromium" in line


def test_the_command_writes_a_page_of_several_runs(tmp_path: Path) -> None:
    write(full(), tmp_path / "a.json")
    write(on_gpu(), tmp_path / "b.json")
    done = joulemark(tmp_path, "report", "a.json", "b.json", "--plotlyjs", "cdn", "--anonymous", "--zone", "PL")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "bench-1" not in page
    assert "gpu-1" not in page
    assert "PL, 588.6 g CO₂e/kWh" in page
    assert '<option value="CH">Switzerland' in page


def test_grams_are_recomputed_only_where_the_command_line_asks(tmp_path: Path) -> None:
    """Settings of runs to come, in the file and the environment, leave a run that was measured as it is."""
    write(full(), tmp_path / "a.json")
    (tmp_path / "joulemark.toml").write_text('zone = "PL"\npue = "1.7"\noffline = true\n')
    variables = {"JOULEMARK_ZONE": "PL", "JOULEMARK_PUE": "1.7", "JOULEMARK_INTENSITY": "900", "JOULEMARK_PSF": "3"}
    done = joulemark(tmp_path, "report", "a.json", "-o", "page.md", variables=variables)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "page.md").read_text() == render_markdown([full()])
    done = joulemark(tmp_path, "report", "a.json", "-o", "page.md", "--zone", "CH", variables=variables)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "page.md").read_text()
    assert "Grid: CH" in text
    assert "PUE: 1.7" not in text
    wide = {"COLUMNS": "160"}
    assert "JOULEMARK_ZONE" not in joulemark(tmp_path, "report", "--help", variables=wide).stdout


def test_the_command_writes_a_summary_by_the_files_ending(tmp_path: Path) -> None:
    write(full(), tmp_path / "a.json")
    done = joulemark(tmp_path, "report", "a.json", "-o", "out/page.md")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "page.md").read_text() == render_markdown([full()])
    done = joulemark(tmp_path, "report", "a.json", "-o", "page.MD")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "page.MD").read_text() == render_markdown([full()])


def test_the_command_to_make_a_page_again_loses_no_digit(tmp_path: Path) -> None:
    write(full(), tmp_path / "a.json")
    for typed, said in (("1234567", "1234567"), ("1234567.25", "1234567.25"), ("4", "4")):
        done = joulemark(tmp_path, "report", "a.json", "--plotlyjs", "cdn", "--psf", typed, "-o", "page.html")
        assert done.returncode == 0, done.stderr
        assert f"--psf {said}\n" in (tmp_path / "page.html").read_text().replace("<", "\n")


def test_the_command_refuses_in_one_line(tmp_path: Path) -> None:
    write(full(), tmp_path / "a.json")
    for arguments in (["--plotlyjs", "inline"], ["--images", "p", "--image-format", "bmp"], ["-o", "a.json/page.html"]):
        done = joulemark(tmp_path, "report", "a.json", *arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert len([line for line in done.stderr.splitlines() if line.startswith("joulemark:")]) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "x.txt"], "-o got 'x.txt': what is written ends in .html or .htm or .md, not .txt."),
        (["--image-format", "gif"], "--image-format applies to the pictures that --images DIR writes"),
        (["--images", "p", "--image-format", "bmp"], "--image-format is 'bmp'"),
        (["-o", "x.md", "--plotlyjs", "cdn"], "--plotlyjs applies to a page"),
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is(tmp_path: Path, arguments: list[str], said: str) -> None:
    write(full(), tmp_path / "a.json")
    done = joulemark(tmp_path, "report", "a.json", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "tmp"]


def test_a_page_may_have_any_name(tmp_path: Path) -> None:
    write(full(), tmp_path / "a.json")
    for name, said in (("page", "Wrote page ("), (os.fsdecode(b"\xff\xe9.html"), r"Wrote \xff\xe9.html (")):
        done = joulemark(tmp_path, "report", "a.json", "--plotlyjs", "cdn", "-o", name)
        assert (done.returncode, said in done.stderr) == (0, True), done.stderr
        assert (tmp_path / name).read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("name", list(ways()))
def test_every_way_has_a_summary(name: str) -> None:
    assert render_markdown(ways()[name]).startswith("# ")
