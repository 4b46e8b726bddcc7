"""The journal: whole lines only, never over another journal, removed if the run fails to start."""

from __future__ import annotations

import pytest
from journal_files import RUN_ID, journal_path, planned_run, write_journal

from joulemark.suite.errors import UsageError
from joulemark.suite.records.journal import Journal, claim, read_lines, trace_path


def test_events_are_read_back_in_order(tmp_path):
    planned, *events = read_lines(write_journal(tmp_path, trials=2))
    assert planned["planned"] == planned_run().model_dump(mode="json")
    assert [event["case"] for event in events] == [case.id for case in planned_run().cases]


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_a_truncated_last_line_is_left_out(tmp_path, cut):
    path = write_journal(tmp_path, trials=3)
    whole = read_lines(path)
    path.write_bytes(path.read_bytes()[:-cut])
    assert read_lines(path) == whole[:-1]


def test_a_journal_is_never_overwritten(tmp_path):
    path = write_journal(tmp_path)
    content = path.read_bytes()
    with pytest.raises(UsageError, match=rf"exists.*--resume {RUN_ID}"):
        Journal(path, planned_run())
    assert path.read_bytes() == content


def test_a_resumed_run_that_fails_to_start_keeps_its_run_file(tmp_path):
    path = journal_path(tmp_path)
    run_file = path.with_suffix(".json")
    run_file.write_text("{}")
    journal = Journal(path, planned_run())
    trace_path(path).touch()
    journal.delete()
    assert list(tmp_path.iterdir()) == [run_file]


def test_a_journal_that_is_being_written_cannot_be_claimed(tmp_path):
    planned = planned_run()
    journal = Journal(journal_path(tmp_path), planned)
    with pytest.raises(UsageError, match="is being measured by another process"), claim(journal.path):
        pass
    journal.close()
    with claim(journal.path):
        with pytest.raises(UsageError, match="is being measured by another process"), claim(journal.path):
            pass
        journal.path.unlink()
    with pytest.raises(UsageError, match=r"cannot write .*: No such file"), claim(journal.path):
        pass
