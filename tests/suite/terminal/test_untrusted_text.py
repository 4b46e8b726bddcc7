"""What others wrote reaches terminals, CSV, Markdown and XML without control sequences and formulas."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from command import in_terminal, joulemark
from kept_runs import case_at, keep_run
from report_files import summarised
from run_files import failed_trial, machine

from joulemark.suite.notices import Code
from joulemark.suite.records import Case, Notice, RunFile, write
from joulemark.suite.results.run_files import read

pytestmark = pytest.mark.slow

HOSTILE = "x\x1b]52;c;cm0gLXJm\x07\x1b[2J\x9b2J\u202ey\rz\n::error::forged"
"""Fills the clipboard, clears the screen, turns the direction round, goes back to the line's begin, begins a line."""
SHOWN = re.compile("[^\n\t\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u205f\u2080-\u2fff\ufffd]")
"""Characters that no output of a hostile run may hold."""


def hostile_case(**fields: object) -> Case:
    """Return a failed case whose reason is hostile."""
    return case_at(1.0, **fields).model_copy(
        update={
            "status": "failed",
            "reason_code": "raised",
            "reason": f"=cmd|' /C calc'!A0 {HOSTILE}",
            "trials": (failed_trial(1, "raised", HOSTILE),),
            "summary": None,
        }
    )


@pytest.fixture
def run(tmp_path: Path) -> str:
    """The path of a run whose texts are hostile."""
    notice = Notice.of(Code.ENVIRONMENT_KEPT, f"LD_{HOSTILE}")
    host = machine(hostname=f"={HOSTILE}")
    host = host.model_copy(update={"cpu": host.cpu.model_copy(update={"model": HOSTILE})})
    run_id = keep_run(tmp_path, 1, case_at(), hostile_case(workload="matmul"), machine=host, notices=(notice,))
    path = tmp_path / "runs" / f"{run_id}.json"
    write(summarised(read(path)), path)
    return str(path)


VERBS = [
    ("show",),
    ("list", "--runs"),
    ("compare", "--by", "framework"),
    ("history",),
    ("history", "--csv"),
    ("export", "--format", "csv"),
    ("export", "--format", "junit"),
    ("export", "--format", "markdown"),
    ("export", "--format", "github-action-benchmark"),
]


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_no_verb_prints_control_characters(tmp_path: Path, run: str, verb: tuple[str, ...]) -> None:
    arguments = [*verb[:1], *([run] if verb[0] in {"show", "export", "compare"} else []), *verb[1:]]
    done = joulemark(tmp_path, *arguments)
    for output in (done.stdout, done.stderr):
        assert SHOWN.search(output) is None
        assert not re.search(r"^\s*::error", output, re.MULTILINE)


def test_a_terminal_gets_no_sequence_but_those_of_its_own_colours(tmp_path: Path, run: str) -> None:
    shown = in_terminal(tmp_path, 80, "show", run)
    assert SHOWN.search(re.sub(r"\x1b\[[\d;]*m", "", shown)) is None


def test_an_error_line_holds_no_control_characters(tmp_path: Path) -> None:
    for name in (HOSTILE, b"caf\xe9".decode(errors="surrogateescape")):
        done = joulemark(tmp_path, "show", name)
        assert done.returncode == 2
        assert SHOWN.search(done.stderr) is None
        assert len(done.stderr.splitlines()) == 1
    assert "no run 'caf" in done.stderr


def test_no_cell_of_a_csv_is_a_formula(tmp_path: Path, run: str) -> None:
    for arguments in (("export", run, "--format", "csv"), ("history", "--csv")):
        rows = list(csv.reader(io.StringIO(joulemark(tmp_path, *arguments).stdout)))
        assert len(rows) > 1
        for cell in (cell for row in rows for cell in row):
            assert not re.match(r"[=+@\t\r]|-(?![\d.])", cell), cell


def test_junit_is_xml_whatever_the_texts(tmp_path: Path, run: str) -> None:
    original: RunFile = read(Path(run))
    write(original.model_copy(update={"run": original.run.model_copy(update={"profile": "\x1b\ufffe"})}), Path(run))
    done = joulemark(tmp_path, "export", run, "--format", "junit", "-o", "junit.xml")
    assert done.returncode == 0, done.stderr
    assert ElementTree.parse(tmp_path / "junit.xml").getroot().tag == "testsuites"
