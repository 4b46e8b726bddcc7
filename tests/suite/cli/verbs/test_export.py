"""`joulemark export`."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import joulemark
from run_files import case, failed_trial, run_file

from joulemark.suite.records import RunFile, write
from joulemark.suite.results.export import FORMATS, renderer
from joulemark.suite.results.summary import recompute

pytestmark = pytest.mark.slow


@pytest.fixture
def run(tmp_path: Path) -> RunFile:
    run = run_file([case(), case("vit", trials=[failed_trial()])])
    run = recompute(run, run.emissions)
    write(run, tmp_path / "runs" / f"{run.run.id}.json")
    return run


def test_standard_output_and_a_file_get_the_same_text(tmp_path: Path, run: RunFile) -> None:
    printed = joulemark(tmp_path, "export", "latest", "--format", "junit")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert printed.stdout == renderer("junit")(run)
    written = joulemark(tmp_path, "export", run.run.id, "--format", "junit", "-o", "deep/report.xml")
    assert (written.returncode, written.stdout) == (0, "")
    assert "deep/report.xml" in written.stderr
    assert (tmp_path / "deep" / "report.xml").read_text() == printed.stdout


def test_anonymous_leaves_the_host_out(tmp_path: Path, run: RunFile) -> None:
    host = run.machine.hostname
    named, anonymous = (
        joulemark(tmp_path, "export", "latest", "--format", "csv", *more).stdout for more in ([], ["--anonymous"])
    )
    assert host in named
    assert host not in anonymous
    assert anonymous.count("\n") == named.count("\n")


def test_markdown_has_the_reasons_of_failures(tmp_path: Path, run: RunFile) -> None:
    done = joulemark(tmp_path, "export", "latest", "--format", "markdown")
    assert done.returncode == 0
    assert run.cases[1].reason in done.stdout
    assert "| --- |" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        ("latest --format junitt", ["'junitt'", "Did you mean 'junit'?", *FORMATS]),
        ("latest", ["--format"]),
        ("--format csv", ["RUN"]),
        ("nothing --format csv", ["nothing"]),
        ("latest --format csv -o /proc/nowhere/x.csv", ["/proc/nowhere"]),
    ],
)
def test_bad_input_is_one_line_and_exit_2(tmp_path: Path, run: RunFile, arguments: str, texts: list[str]) -> None:
    done = joulemark(tmp_path, "export", *arguments.split())
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert all(text in done.stderr for text in texts)


def test_run_without_numbers_names_the_formats_with_reasons(tmp_path: Path) -> None:
    write(run_file([case(trials=[failed_trial()])]), tmp_path / "run.json")
    done = joulemark(tmp_path, "export", "run.json", "--format", "bencher")
    assert done.returncode == 2
    assert all(name in done.stderr for name in ("junit", "csv", "markdown"))
