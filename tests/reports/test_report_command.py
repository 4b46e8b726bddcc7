"""What `joulemark report` writes, and what it refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from command import joulemark
from report_files import full, on_gpu

from joulemark.reports.markdown import render_markdown
from joulemark.suite.records import write

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a folder with one run file, `a.json`."""
    write(full(), tmp_path / "a.json")
    return tmp_path


def test_page_of_several_runs(home: Path) -> None:
    write(on_gpu(), home / "b.json")
    done = joulemark(home, "report", "a.json", "b.json", "--plotlyjs", "cdn", "--anonymous", "--zone", "PL")
    assert done.returncode == 0, done.stderr
    page = (home / "a.html").read_text(encoding="utf-8")
    assert "bench-1" not in page
    assert "gpu-1" not in page
    assert "PL, 588.6 g CO₂e/kWh" in page
    assert '<option value="CH">Switzerland' in page


def test_emissions_are_recomputed_only_with_options_of_the_command_line(home: Path) -> None:
    """Settings of future runs, in the file and the environment, leave a measured run as it is."""
    (home / "joulemark.toml").write_text('zone = "PL"\npue = "1.7"\noffline = true\n')
    variables = {"JOULEMARK_ZONE": "PL", "JOULEMARK_PUE": "1.7", "JOULEMARK_INTENSITY": "900", "JOULEMARK_PSF": "3"}
    done = joulemark(home, "report", "a.json", "-o", "page.md", variables=variables)
    assert done.returncode == 0, done.stderr
    assert (home / "page.md").read_text() == render_markdown([full()])
    done = joulemark(home, "report", "a.json", "-o", "page.md", "--zone", "CH", variables=variables)
    assert done.returncode == 0, done.stderr
    text = (home / "page.md").read_text()
    assert "Grid: CH" in text
    assert "PUE: 1.7" not in text
    assert "JOULEMARK_ZONE" not in joulemark(home, "report", "--help", variables={"COLUMNS": "160"}).stdout


@pytest.mark.parametrize("name", ["out/page.md", "page.MD"])
def test_ending_md_gives_a_summary(home: Path, name: str) -> None:
    done = joulemark(home, "report", "a.json", "-o", name)
    assert done.returncode == 0, done.stderr
    assert (home / name).read_text() == render_markdown([full()])


@pytest.mark.parametrize("psf", ["1234567", "1234567.25", "4"])
def test_command_on_the_page_has_all_digits(home: Path, psf: str) -> None:
    done = joulemark(home, "report", "a.json", "--plotlyjs", "cdn", "--psf", psf, "-o", "page.html")
    assert done.returncode == 0, done.stderr
    assert f"--psf {psf}\n" in (home / "page.html").read_text().replace("<", "\n")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--plotlyjs", "inline"], "'inline'"),
        (["-o", "a.json/page.html"], "a.json"),
        (["-o", "x.txt"], ".txt"),
        (["--image-format", "gif"], "--images"),
        (["--images", "p", "--image-format", "bmp"], "'bmp'"),
        (["-o", "x.md", "--plotlyjs", "cdn"], "--plotlyjs"),
    ],
)
def test_usage_errors_are_one_line_and_write_nothing(home: Path, arguments: list[str], named: str) -> None:
    done = joulemark(home, "report", "a.json", *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("joulemark:")]
    assert named in done.stderr
    assert line
    assert sorted(path.name for path in home.iterdir()) == ["a.json", "tmp"]


def test_page_can_have_any_name(home: Path) -> None:
    for name, message in (("page", "Wrote page ("), (os.fsdecode(b"\xff\xe9.html"), r"Wrote \xff\xe9.html (")):
        done = joulemark(home, "report", "a.json", "--plotlyjs", "cdn", "-o", name)
        assert (done.returncode, message in done.stderr) == (0, True), done.stderr
        assert (home / name).read_text().startswith("<!doctype html>")


def test_a_page_for_a_pipe(home: Path) -> None:
    done = joulemark(home, "report", "a.json", "-o", "/dev/stdout")
    assert (done.returncode, done.stderr) == (0, "Wrote /dev/stdout\n")
    assert done.stdout.rstrip().endswith("</html>")


def test_plotly_cannot_stand_beside_what_is_no_file(home: Path) -> None:
    done = joulemark(home, "report", "a.json", "-o", "/dev/stdout", "--plotlyjs", "directory")
    assert (done.returncode, done.stdout) == (2, "")
    assert "beside the page, and /dev/stdout is no file" in done.stderr
