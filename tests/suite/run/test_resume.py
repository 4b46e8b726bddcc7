"""Resuming: times only ever increase, and nothing that happened meanwhile is overwritten."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from run_files import run_file, trace

from joulemark.suite.errors import UsageError
from joulemark.suite.notices import Code
from joulemark.suite.records import RunFile, Segment, write
from joulemark.suite.run.resume import check_unchanged, resume_time, resumed_run_file
from joulemark.suite.run.run_records import time_at

LAST_TRACE_S = 60.0
"""The trace is what ends last in the run file."""


def started_at(interrupted: RunFile) -> datetime:
    return datetime.fromisoformat(interrupted.run.started_at)


def test_a_run_is_resumed_by_the_clock():
    interrupted = run_file()
    assert resume_time(interrupted, started_at(interrupted) + timedelta(hours=3)) == (3 * 3600.0, [])


@pytest.mark.parametrize("behind", [timedelta(days=1), timedelta(seconds=-50)])
def test_where_the_clock_was_set_back_the_run_goes_on_at_its_latest_time(behind):
    interrupted = run_file()
    at_s, (notice,) = resume_time(interrupted, started_at(interrupted) - behind)
    assert at_s == LAST_TRACE_S
    assert notice.code == Code.CLOCK_SET_BACK
    assert notice.value == LAST_TRACE_S + behind.total_seconds()


def test_a_clock_that_was_slewed_gives_no_notice():
    interrupted = run_file()
    assert resume_time(interrupted, started_at(interrupted) + timedelta(seconds=LAST_TRACE_S - 0.5)) == (
        LAST_TRACE_S,
        [],
    )


@pytest.mark.parametrize("part", ["trace", "idle", "floor", "trial", "segment"])
def test_whatever_ended_last_counts(part):
    late = run_file(traces=(), idle=(), floor=())
    if part == "trace":
        late = run_file(traces=(trace(seconds=90.0),), idle=(), floor=())
    elif part == "segment":
        run = late.run.model_copy(update={"segments": (Segment(at_s=90.0, monotonic_s=5.0),)})
        late = late.model_copy(update={"run": run})
    elif part == "trial":
        case = late.cases[0]
        trials = (case.trials[0].model_copy(update={"ended_s": 90.0}), *case.trials[1:])
        late = late.model_copy(update={"cases": (case.model_copy(update={"trials": trials}),)})
    else:
        (entry, *_) = getattr(run_file(), part)
        times = {"window_s": (80.0, 90.0)} if part == "idle" else {"at_s": 90.0}
        late = late.model_copy(update={part: (entry.model_copy(update=times),)})
    assert resume_time(late, started_at(late))[0] == 90.0


def test_a_resumed_run_has_one_more_segment_and_the_notices_of_its_pause():
    interrupted = run_file()
    at_s, notices = resume_time(interrupted, started_at(interrupted) - timedelta(days=1))
    resumed = resumed_run_file(interrupted, Segment(at_s=at_s, monotonic_s=7.0), notices)
    assert [segment.at_s for segment in resumed.run.segments] == [0.0, LAST_TRACE_S]
    assert notices[0] in resumed.notices
    assert resumed.run.finished_at is None


def test_the_end_of_a_run_follows_from_its_start():
    assert time_at("2026-11-01T12:00:00.250+00:00", 90061.5) == "2026-11-02T13:01:01.750+00:00"


def test_a_run_that_was_resumed_elsewhere_meanwhile_is_not_overwritten(tmp_path):
    interrupted, path = run_file(), tmp_path / "run.json"
    check_unchanged(interrupted, path)
    write(interrupted, path)
    check_unchanged(interrupted, path)
    write(interrupted.model_copy(update={"traces": ()}), path)
    with pytest.raises(UsageError, match="another process has resumed the run meanwhile"):
        check_unchanged(interrupted, path)
