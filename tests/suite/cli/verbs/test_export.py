"""`joulemark export`, as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import joulemark
from run_files import case, failed_trial, run_file

from joulemark.suite.records import RunFile, write
from joulemark.suite.results.export import FORMATS, renderer
from joulemark.suite.results.summary import recompute


@pytest.fixture
def kept(tmp_path: Path) -> RunFile:
    file = run_file([case(), case("vit", trials=[failed_trial()])])
    file = recompute(file, file.emissions)
    write(file, tmp_path / "runs" / f"{file.run.id}.json")
    return file


def test_standard_output_and_a_file_get_the_same(tmp_path: Path, kept: RunFile) -> None:
    told = joulemark(tmp_path, "export", "latest", "--format", "junit")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == renderer("junit")(kept)
    written = joulemark(tmp_path, "export", kept.run.id, "--format", "junit", "-o", "deep/report.xml")
    assert (written.returncode, written.stdout) == (0, "")
    assert "deep/report.xml" in written.stderr
    assert (tmp_path / "deep" / "report.xml").read_text() == told.stdout


def test_anonymous_leaves_the_host_out(tmp_path: Path, kept: RunFile) -> None:
    host = kept.machine.hostname
    open_, hidden = (
        joulemark(tmp_path, "export", "latest", "--format", "csv", *more).stdout for more in ([], ["--anonymous"])
    )
    assert host in open_
    assert host not in hidden
    assert hidden.count("\n") == open_.count("\n")


def test_a_step_summary_is_appended_to(tmp_path: Path, kept: RunFile) -> None:
    told = joulemark(tmp_path, "export", "latest", "--format", "markdown")
    assert told.returncode == 0
    assert kept.cases[1].reason in told.stdout
    assert "| --- |" in told.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["export", "latest", "--format", "junitt"], ["'junitt'", "Did you mean 'junit'?", *FORMATS]),
        (["export", "latest"], ["--format"]),
        (["export", "--format", "csv"], ["RUN"]),
        (["export", "nothing", "--format", "csv"], ["nothing"]),
        (["export", "latest", "--format", "csv", "-o", "/proc/nowhere/x.csv"], ["/proc/nowhere"]),
    ],
    ids=" ".join,
)
def test_bad_input_is_one_line_and_exit_2(
    tmp_path: Path, kept: RunFile, arguments: list[str], words: list[str]
) -> None:
    done = joulemark(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    for word in words:
        assert word in done.stderr


def test_a_run_without_numbers_is_told_which_formats_hold_reasons(tmp_path: Path) -> None:
    write(run_file([case(trials=[failed_trial()])]), tmp_path / "run.json")
    done = joulemark(tmp_path, "export", "run.json", "--format", "bencher")
    assert done.returncode == 2
    assert "junit, csv or markdown" in done.stderr
    assert json.loads(joulemark(tmp_path, "show", "run.json", "--json").stdout)["cases"][0]["status"] == "failed"
