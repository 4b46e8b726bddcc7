"""Programs that fork or end while a meter is used: nothing hangs, is printed or stays; the parent's meter goes on."""

from __future__ import annotations

import pytest
from user_program import left_behind, run_program

pytestmark = pytest.mark.slow

BEGIN = """
import atexit, multiprocessing, os, signal, sys, threading, time
import joulemark
from joulemark import meter_process
meter = joulemark.Meter("meter", sensor="simulated:rapl/constant")
with meter:
    time.sleep(0.05)
"""

END = """
with meter:
    time.sleep(0.05)
assert meter.energy.value > 0, meter.energy
assert all(each.energy.value for each in meter.measurements), [str(each) for each in meter.measurements]
print("end", flush=True)
"""

FORKS = {
    "a child that exits": """
pid = os.fork()
if pid == 0:
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
""",
    "a child that measures and exits": """
pid = os.fork()
if pid == 0:
    with meter:
        time.sleep(0.05)
    sys.exit(0 if meter.energy.value > 0 else 3)
assert os.waitpid(pid, 0)[1] == 0
""",
    "a child that measures and is gone": """
pid = os.fork()
if pid == 0:
    with meter:
        time.sleep(0.05)
    os._exit(0 if meter.energy.value > 0 else 3)
assert os.waitpid(pid, 0)[1] == 0
""",
    "a child within the parent's window": """
with meter:
    pid = os.fork()
    if pid == 0:
        sys.exit(0)
    assert os.waitpid(pid, 0)[1] == 0
""",
    "a child that opens as many files": """
pid = os.fork()
if pid == 0:
    files = [open(os.devnull) for _ in range(20)]
    meter_process.close()
    for file in files:
        assert file.read() == ""
        file.close()
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
""",
    "a pool": """
def work(n):
    with meter:
        time.sleep(0.02)
    return meter.energy.value > 0
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert all(pool.map(work, range(4)))
    pool.close()
    pool.join()
""",
    "a process while a thread reads": """
reading, go_on = threading.Event(), True
def read():
    while go_on:
        with meter:
            pass
        meter.energy
        reading.set()
thread = threading.Thread(target=read)
thread.start()
reading.wait()
for _ in range(20):
    process = multiprocessing.get_context("fork").Process(target=lambda: meter.energy)
    process.start()
    process.join(20)
    assert process.exitcode == 0
go_on = False
thread.join()
""",
}


@pytest.mark.parametrize("fork", FORKS.values(), ids=FORKS.keys())
def test_a_fork_does_not_break_the_parent_s_meter(tmp_path, fork):
    done = run_program(tmp_path, BEGIN + fork + END, "-X", "dev")
    assert (done.stdout, done.stderr) == ("end\n", "")
    assert left_behind(tmp_path) == []


EXITS = {
    "within a window": ("meter.start()", 0),
    "sys.exit within a window": ("with meter: sys.exit(3)", 3),
    "os._exit within a window": ("with meter: os._exit(3)", 3),
    "SIGKILL within a window": ("with meter: os.kill(os.getpid(), signal.SIGKILL)", -9),
    "SIGTERM within a window": ("with meter: os.kill(os.getpid(), signal.SIGTERM)", -15),
    "a window at exit": ("atexit.register(lambda: [meter.start(), meter.stop(), meter.energy])", 0),
    "a generator that is never finished": ("steps = meter(lambda: (yield))(); next(steps)", 0),
    "a daemon thread that measures": (
        """
def forever():
    while True:
        with meter:
            pass
thread = threading.Thread(target=forever, daemon=True)
thread.start()
time.sleep(0.1)
""",
        0,
    ),
    "a daemon thread that reads": (
        """
def forever():
    while True:
        with meter:
            pass
        meter.energy
thread = threading.Thread(target=forever, daemon=True)
thread.start()
time.sleep(0.3)
""",
        0,
    ),
    "an object that measures as it is deleted": (
        """
class Last:
    def __del__(self):
        with meter:
            pass
last = Last()
""",
        0,
    ),
}


@pytest.mark.parametrize(("program", "code"), EXITS.values(), ids=EXITS.keys())
def test_an_interpreter_that_exits_leaves_nothing(tmp_path, program, code):
    done = run_program(tmp_path, BEGIN + program, "-X", "dev", code=code)
    assert (done.stdout, done.stderr) == ("", "")
    assert left_behind(tmp_path) == []


AT_EXIT_FIRST = """
import atexit
meters = []
atexit.register(lambda: [each.start().stop().energy for each in meters])  # runs after joulemark's own
import joulemark
meters.append(joulemark.Meter(sensor="simulated:rapl/constant"))
"""


@pytest.mark.parametrize("first", ["", "with meters[0]: pass"])
def test_a_meter_that_is_used_after_joulemark_s_own_exit_leaves_nothing(tmp_path, first):
    done = run_program(tmp_path, AT_EXIT_FIRST + first)
    assert done.stderr == ""
    assert left_behind(tmp_path) == []
