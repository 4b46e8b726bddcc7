"""The journal: whole lines only, never over another journal, removed if the run fails to start."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import zlib

import pytest
from journal_files import RUN_ID, journal_path, planned_run, write_journal

from joulemark.suite.errors import UsageError
from joulemark.suite.records.journal import Journal, claim, trace_path
from joulemark.suite.records.journal_lines import encode, read_events


def test_events_are_read_back_in_order(tmp_path):
    (planned, again, *events), damaged = read_events(write_journal(tmp_path, trials=2))
    assert planned.planned == again.planned == planned_run()
    assert [event.case for event in events] == [case.id for case in planned_run().cases]
    assert damaged == 0


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_a_truncated_last_line_is_left_out(tmp_path, cut):
    path = write_journal(tmp_path, trials=3)
    whole, _ = read_events(path)
    path.write_bytes(path.read_bytes()[:-cut])
    assert read_events(path) == (whole[:-1], 0)


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


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o600), (0o000, 0o600), (0o277, 0o400)])
def test_a_journal_is_its_users_alone(tmp_path, mask, mode):
    """It holds commands and environments; a stricter umask counts."""
    path = journal_path(tmp_path)
    before = os.umask(mask)
    try:
        Journal(path, planned_run()).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_directories_of_a_journal_are_its_users_alone(tmp_path):
    Journal(journal_path(tmp_path / "home" / "runs"), planned_run()).close()
    folders = [tmp_path / "home", tmp_path / "home" / "runs"]
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in folders] == [0o700, 0o700]


STOPPED = """
import os, signal, sys
from pathlib import Path
from journal_files import journal_path, planned_run
from joulemark.suite.records.journal import Journal
sys.addaudithook(lambda event, _: os.kill(os.getpid(), signal.SIGINT) if event == "fcntl.flock" else None)
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    Journal(journal_path(Path(sys.argv[1])), planned_run())
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.slow
def test_a_run_that_is_interrupted_as_it_starts_leaves_no_journal(tmp_path):
    path = os.pathsep.join(entry for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, "-c", STOPPED, tmp_path], env={**os.environ, "PYTHONPATH": path}, check=False
    )
    assert done.returncode == 130
    assert list(tmp_path.iterdir()) == []


def damage(path, line, old, new):
    """Replace `old` by `new` in one line of a journal."""
    lines = path.read_bytes().splitlines(keepends=True)
    assert old in lines[line]
    lines[line] = lines[line].replace(old, new, 1)
    path.write_bytes(b"".join(lines))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"steps": 200', b'"steps": 201'),  # still a trial, but another one
        (b'"trial"', b'"tryal"'),
        (b'"crc32": "', b'"crc32": "0'),
        (b'"crc32"', b'"crc33"'),
        (b"{", b""),
        (b'"round": 1', b'"round": ' + b"9" * 5000),
        (b'"ok"', b'"\xff"'),
    ],
)
def test_a_damaged_line_costs_itself(tmp_path, old, new):
    path = write_journal(tmp_path, trials=3)
    whole, _ = read_events(path)
    damage(path, 2, old, new)
    assert read_events(path) == (whole[:2] + whole[3:], 1)


def test_lines_without_a_checksum_are_read(tmp_path):
    """Versions before wrote none."""
    path = tmp_path / "old.journal"
    path.write_text('{"finished_at": "2026-11-01T12:00:00Z"}\n{"unknown": 1}\n')
    events, damaged = read_events(path)
    assert [event.finished_at for event in events] == ["2026-11-01T12:00:00Z"]
    assert damaged == 1


def test_the_checksum_is_that_of_the_line_without_it():
    assert encode({"a": [1, "é"]}) == b'{"a": [1, "\\u00e9"], "crc32": "%08x"}\n' % zlib.crc32(b'{"a": [1, "\\u00e9"]}')
