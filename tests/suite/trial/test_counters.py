"""What the operating system counts, on work of known size."""

from __future__ import annotations

import mmap
import subprocess
import sys
import time

import pytest

from joulemark.suite.trial import counters

SPIN = "import time\nend = time.monotonic() + 1.5\nwhile time.monotonic() < end: pass"


def test_page_faults_are_those_of_fresh_memory():
    # Mapped here and now: memory from an allocator may be pages that an earlier test has already touched.
    pages = 2000
    with mmap.mmap(-1, pages * mmap.PAGESIZE) as memory:
        memory.madvise(mmap.MADV_NOHUGEPAGE)  # or one fault would bring 512 pages
        before = counters.snapshot()
        for i in range(0, len(memory), mmap.PAGESIZE):
            memory[i] = 1
        counted = counters.per_step(before, counters.snapshot(), 1)
    assert counted["page_faults"] is not None
    assert pages <= counted["page_faults"] <= pages * 1.1


def test_work_of_another_process_is_others_and_not_ours():
    before = counters.snapshot()
    other = subprocess.Popen([sys.executable, "-c", SPIN])
    other.wait()
    counted = counters.per_step(before, counters.snapshot(), 1)
    assert counted["other_cpu_s"] > 0.5
    assert counted["user_s"] < 0.5


def test_own_work_is_ours():
    before = counters.snapshot()
    end = time.process_time() + 0.5
    while time.process_time() < end:
        pass
    counted = counters.per_step(before, counters.snapshot(), 1)
    assert counted["user_s"] + counted["system_s"] == pytest.approx(0.5, abs=0.1)


def test_counts_are_a_step_and_what_vanished_is_none():
    assert counters.per_step({"a": 1.0, "b": 2.0}, {"a": 5.0}, 4) == {"a": 1.0, "b": None}
