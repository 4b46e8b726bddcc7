"""The stage that counts: what it reports, that failures in it cost nothing else, and the processor's counters."""

from __future__ import annotations

import mmap
from dataclasses import replace
from pathlib import Path

import pytest
from environments import require
from faulty_trials import request

from joulemark.suite.run.trials import trial_record
from joulemark.suite.trial.work_counts import hardware

require("torch")

SOFTWARE, PAGE_FAULTS = 1, 2
"""PERF_TYPE_SOFTWARE and PERF_COUNT_SW_PAGE_FAULTS (include/uapi/linux/perf_event.h)."""
PAGES = 200


@pytest.mark.slow
def test_a_trial_counts_only_where_it_is_asked_to(server):
    plain = request("none", window_s=0.05)
    assert "work" not in server.run(plain, 30.0).trial
    outcome = server.run(replace(plain, effort=replace(plain.effort, counted=True)), 30.0)
    record = trial_record(outcome, {"round": 1}, 0.0, None)
    counts = record.work.counts
    assert record.work.reason is None
    # The step is one addition of four numbers, x + 1, for which PyTorch also makes a tensor of the 1.
    assert 1 <= counts["operators"].value <= 10
    assert 16 <= counts["peak_bytes"].value <= counts["allocated_bytes"].value <= 64
    assert counts["flops"].value == 0
    assert counts["allocated_bytes"].unit == "B"
    assert all((count.value is None) != (count.reason is None) for count in counts.values())


@pytest.mark.slow
def test_a_failure_while_counting_leaves_the_trial_ok(server):
    plain = request("raises_when_profiled", window_s=0.05)
    outcome = server.run(replace(plain, effort=replace(plain.effort, counted=True)), 30.0)
    record = trial_record(outcome, {"round": 1}, 0.0, None)
    assert (record.status, record.work.counts) == ("ok", {})
    assert record.work.reason == "ValueError: planted under the profiler (in count_work)"


def touch_pages() -> None:
    """Write to each page of memory that nobody has used yet."""
    with mmap.mmap(-1, PAGES * mmap.PAGESIZE) as memory:
        for page in range(PAGES):
            memory[page * mmap.PAGESIZE] = 1


def test_events_of_a_step_are_counted_in_all_threads():
    try:
        faults = hardware.count_event(SOFTWARE, PAGE_FAULTS, touch_pages, lambda: None)
    except OSError as error:
        pytest.skip(f"perf_event_open: {error.strerror}")
    assert PAGES <= faults < 2 * PAGES


def test_instructions_are_numbers_or_a_reason():
    for count in hardware.count(touch_pages, lambda: None).values():
        assert isinstance(count, str) or count > 0
    allowed = Path("/proc/sys/kernel/perf_event_paranoid")
    assert allowed.exists() or all(isinstance(n, str) for n in hardware.count(touch_pages, lambda: None).values())
