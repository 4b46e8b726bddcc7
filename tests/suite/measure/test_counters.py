"""What the operating system counts, on work of known size."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from suite.measure import counters

SPIN = "import time\nend = time.monotonic() + 1.5\nwhile time.monotonic() < end: pass"


def test_page_faults_are_those_of_fresh_memory():
    before = counters.snapshot()
    pages = 2000
    memory = bytearray(pages * 4096)
    for i in range(0, len(memory), 4096):
        memory[i] = 1
    counted = counters.per_step(before, counters.snapshot(), 1)
    assert counted["page_faults"] >= pages * 0.9 or counted["page_faults"] >= 4  # huge pages take 512 of them at once


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
