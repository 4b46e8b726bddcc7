"""CPU time of processes, against what the kernel's wait4 says of them."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from joulemark.suite.watch.process_times import TICKS_PER_S, ProcessTimes, read, scan, used_ticks


def process(parent: int, own: int, children: int = 0) -> ProcessTimes:
    return ProcessTimes("program", parent, 1, own, children)


def test_a_process_is_read_as_the_kernel_shows_it():
    (key, times) = read("/proc", os.getpid())
    assert (key[0], times.parent, times.group) == (os.getpid(), os.getppid(), os.getpgrp())
    assert times.own / TICKS_PER_S == pytest.approx(time.process_time(), abs=0.5)
    assert scan("/proc")[key].name == times.name
    assert read("/proc", 2**22 + 1) is None


def test_a_name_may_have_parentheses_and_spaces(tmp_path):
    (tmp_path / "7").mkdir()
    fields = ["S", "3", "5", *["0"] * 8, "10", "20", "30", "40", *["0"] * 4, "99"]
    (tmp_path / "7" / "stat").write_text(f"7 (a) b (c)) {' '.join(fields)}\n")
    (tmp_path / "self").mkdir()
    assert scan(str(tmp_path)) == {(7, 99): ProcessTimes("a) b (c)", 3, 5, 30, 70)}


def test_time_of_processes_that_came_and_went_is_their_parent_s():
    """A shell starts programs one after the other, each of which is gone before the second moment."""
    burn = "( n=0; while [ $n -lt 100000 ]; do n=$((n + 1)); done )"
    script = f"read line; {burn}; {burn}; {burn}; echo done; read line"
    shell = subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    (key, _), before = read("/proc", shell.pid), scan("/proc")
    shell.stdin.write(b"\n")
    shell.stdin.flush()
    assert shell.stdout.readline() == b"done\n"
    used = used_ticks(before, scan("/proc"))
    shell.stdin.close()
    _, _, usage = os.wait4(shell.pid, 0)
    shell.returncode, _ = 0, shell.stdout.close()
    assert usage.ru_utime + usage.ru_stime >= 0.06
    assert used[key] / TICKS_PER_S == pytest.approx(usage.ru_utime + usage.ru_stime, abs=0.05)


def test_what_was_counted_of_a_child_is_not_counted_again_when_it_ends():
    before = {(10, 1): process(1, 100), (11, 2): process(10, 500), (12, 3): process(11, 300, 40)}
    after = {(10, 1): process(1, 110, children=900)}  # 500 + 300 + 40, and 60 after the first look
    assert used_ticks(before, after) == {(10, 1): 10 + 60}


def test_a_new_process_has_all_of_its_time_and_a_used_id_is_a_new_process():
    assert used_ticks({(10, 1): process(1, 500)}, {(10, 7): process(1, 30), (11, 8): process(10, 4)}) == {
        (10, 7): 30,
        (11, 8): 4,
    }


def test_a_child_whose_time_nobody_took_makes_no_time_negative():
    before = {(10, 1): process(1, 100), (11, 2): process(10, 500)}
    assert used_ticks(before, {(10, 1): process(1, 120)}) == {(10, 1): 20}
