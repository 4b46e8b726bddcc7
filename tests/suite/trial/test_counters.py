"""Counters of the operating system, on a known amount of work."""

from __future__ import annotations

import mmap
import subprocess
import sys
import time

import pytest

from joulemark.suite.trial import counters

SPIN_1_S = "import time\nwhile time.process_time() < 1: pass"


def test_fresh_memory_is_counted_as_page_faults():
    # Mapped here and now: memory from an allocator may be pages that an earlier test has already touched.
    pages = 2000
    with mmap.mmap(-1, pages * mmap.PAGESIZE) as memory:
        memory.madvise(mmap.MADV_NOHUGEPAGE)  # or one fault would bring 512 pages
        before = counters.snapshot()
        for i in range(0, len(memory), mmap.PAGESIZE):
            memory[i] = 1
        counts = counters.per_step(before, counters.snapshot(), 1)
    assert counts["page_faults"] is not None
    assert pages <= counts["page_faults"] <= pages * 1.1


@pytest.mark.slow
def test_cpu_time_of_another_process_is_not_counted_as_ours():
    before = counters.snapshot()
    subprocess.run([sys.executable, "-c", SPIN_1_S], check=True)
    counts = counters.per_step(before, counters.snapshot(), 1)
    assert counts["other_cpu_s"] > 0.9
    assert counts["user_s"] < 0.5


def test_our_cpu_time_is_counted_as_ours():
    before = counters.snapshot()
    end = time.process_time() + 0.5
    while time.process_time() < end:
        pass
    counts = counters.per_step(before, counters.snapshot(), 1)
    assert counts["user_s"] + counts["system_s"] == pytest.approx(0.5, abs=0.1)


def test_counts_are_per_step_and_none_if_a_counter_vanished():
    assert counters.per_step({"a": 1.0, "b": 2.0}, {"a": 5.0}, 4) == {"a": 1.0, "b": None}
