"""Damage to a journal or its trace costs what it hits: whole trials stay, and notices say what is lost."""

from __future__ import annotations

import pytest
from journal_files import journal_path, planned_run, record_trial, write_journal
from places import ROOT
from run_files import trial

from joulemark.suite.notices import Code
from joulemark.suite.records.journal import Journal
from joulemark.suite.results.assemble import assemble

KEPT = ROOT / "tests" / "data" / "journals" / "estimate"


def codes(file):
    """Return the codes of the run's notices."""
    return {notice.code for notice in file.notices}


def test_a_damaged_line_costs_its_trial_and_is_reported(tmp_path):
    path = write_journal(tmp_path, trials=4)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], lines[3].replace(b'"round": 1', b'"round": 3'), *lines[4:]]))
    file = assemble(path)
    assert [[trial.round for trial in case.trials] for case in file.cases] == [[1, 2], [2]]
    values = {notice.code: notice.value for notice in file.notices}
    assert values[Code.JOURNAL_DAMAGED] == 1
    assert values[Code.RUN_INCOMPLETE] == 1


@pytest.mark.parametrize("number", [0, 1])
def test_one_damaged_copy_of_the_plan_costs_nothing(tmp_path, number):
    path = write_journal(tmp_path, trials=4)
    whole = assemble(path)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[number] = lines[number].replace(b"bench-1", b"bench-2")
    path.write_bytes(b"".join(lines))
    assert assemble(path).cases == whole.cases


def test_lines_that_stand_twice_count_once(tmp_path):
    path = write_journal(tmp_path, trials=4)
    whole = assemble(path)
    path.write_bytes(b"".join(line * 2 for line in path.read_bytes().splitlines(keepends=True)))
    assert assemble(path) == whole


def test_a_trial_that_cannot_be_is_left_out(tmp_path):
    path = journal_path(tmp_path)
    planned = planned_run(rounds=1)
    journal = Journal(path, planned)
    record_trial(journal, planned.cases[0])
    journal.trial(planned.cases[1], trial(readings=()).model_copy(update={"block_s": (50.0,)}))
    journal.close()
    file = assemble(path)
    assert [len(case.trials) for case in file.cases] == [1, 0]
    assert Code.JOURNAL_DAMAGED in codes(file)


@pytest.mark.parametrize("old", ['"component"', '"sensor"', '"ready"', '{"i"', '"c"'])
def test_a_damaged_trace_costs_energy_and_no_trial(tmp_path, old):
    for suffix in (".journal", ".trace"):
        (tmp_path / f"run{suffix}").write_bytes((KEPT / f"run{suffix}").read_bytes())
    whole = assemble(tmp_path / "run.journal")
    text = (tmp_path / "run.trace").read_text()
    assert old in text
    (tmp_path / "run.trace").write_text(text.replace(old, old.replace('"', '"x', 1), 1))
    file = assemble(tmp_path / "run.journal")
    assert [[t.window_s for t in c.trials] for c in file.cases] == [[t.window_s for t in c.trials] for c in whole.cases]
    assert Code.TRACE_DAMAGED in codes(file)
    assert Code.TRACE_DAMAGED not in codes(whole)
