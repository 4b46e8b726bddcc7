"""The meter process: what happens when the program is interrupted, forks, is killed, or loses it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest
from command import environment
from simulated_meter import SENSOR, meter, true_energies_j
from user_program import left_behind, run_program

import joulemark
from joulemark import meter_process
from joulemark.suite.results.run_files import parse

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def _close_processes():
    yield
    meter_process.close()


@contextmanager
def interrupted(request: Callable[[], object]) -> Iterator[None]:
    """Press Ctrl-C while the meter process has `request` to answer; it has not answered yet within the block."""
    process = psutil.Process(meter_process.shared((SENSOR,))._process.pid)
    handler = signal.signal(signal.SIGALRM, signal.default_int_handler)
    process.suspend()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            request()
        yield
    finally:
        signal.signal(signal.SIGALRM, handler)
        process.resume()


def test_after_ctrl_c_each_answer_belongs_to_its_own_request(tmp_path):
    first, second = meter("first"), meter("second")
    with first:
        time.sleep(0.05)
    with second:
        time.sleep(0.3)
    with interrupted(lambda: first.energy):
        pass
    energies_j = [second.energy.value, first.energy.value]
    run_files = [joulemark.read(each.save(tmp_path / f"{each.name}.json")) for each in (second, first)]
    assert energies_j == pytest.approx([true_energies_j(run_file)[0] for run_file in run_files], rel=1e-9)


def test_a_request_that_was_cut_off_does_not_spoil_the_next():
    """It is larger than a pipe holds, and interrupted while it is written."""
    block = meter("block").start()
    time.sleep(0.1)
    block.stop()
    windows = [(block.last.begin_s, block.last.end_s)] * 10_000
    with interrupted(lambda: meter_process.shared((SENSOR,)).ask(do="sums", windows=windows)):
        pass
    assert block.energy.value == pytest.approx(block.sums_j(windows[:1])[0])


METER_PROCESS_KILLED = """
import json, sys, time
import joulemark, psutil
first = joulemark.Meter("first", sensor="simulated:rapl/constant")
second = joulemark.Meter("second", sensor="simulated:rapl/constant")
outer = joulemark.Meter("outer", sensor="simulated:rapl/constant").start()
with first, second:
    time.sleep(0.1)
before = first.energy.value
with first:
    process = psutil.Process().children()[0]
    victims = process.children() if sys.argv[1:] == ["sampler"] else [process, *process.children()]
    for victim in victims:
        victim.kill()
    psutil.wait_procs([process], 20)
with first:
    time.sleep(0.1)
with second:
    time.sleep(0.1)
outer.stop()
first.save("run.json")
measurements = [*first.measurements, *second.measurements, outer.last]
print(json.dumps([before, [[each.energy.value, each.energy.reason] for each in measurements]]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["meter", "sampler"])
def test_a_meter_process_that_was_killed_is_replaced(tmp_path, victim):
    """Also where only its sampler was killed, which then ends it."""
    done = run_program(tmp_path, METER_PROCESS_KILLED.replace("sys.argv[1:]", repr([victim])))
    before_j, energies = json.loads(done.stdout)
    first, during, after, unread, other, around = energies
    assert first[0] == before_j > 0
    assert after[0] > 0
    assert other[0] > 0
    for value, reason in (during, unread, around):
        assert value is None
        assert reason
    assert done.stderr.count("RuntimeWarning: joulemark: the meter process had ended and has been started again") == 1
    run_file = joulemark.read(tmp_path / "run.json")
    assert [trial.energy[0].energy_j is not None for trial in run_file.cases[0].trials] == [False, False, True]
    assert "meter_restarted" in [notice.code for notice in run_file.notices]
    assert left_behind(tmp_path) == []


ALWAYS_KILLED = """
import warnings
import joulemark, psutil
from joulemark import meter_process
meter_process.MAX_RESTARTS = 2
warnings.simplefilter("ignore")
meter = joulemark.Meter("meter", sensor="simulated:rapl/constant")
pids = set()
for _ in range(5):
    with meter:
        for process in psutil.Process().children():
            pids.add(process.pid)
            process.kill()
        psutil.wait_procs(psutil.Process().children(), 20)
print(len(pids), meter.energy.reason)
"""


@pytest.mark.slow
def test_a_meter_process_that_always_ends_is_not_started_for_each_window(tmp_path):
    assert run_program(tmp_path, ALWAYS_KILLED).stdout == "3 the meter process has ended.\n"


FORK = """
import json, os, time
import joulemark
meter = joulemark.Meter("meter", sensor="simulated:rapl/constant")
with meter:
    time.sleep(0.05)
read, write = os.pipe()
meter.start()
pid = os.fork()
if pid == 0:
    inherited = meter.stop().energy      # opened by the parent: the child cannot tell what it took
    with meter:
        time.sleep(0.05)
    os.write(write, json.dumps([inherited.value, inherited.reason, meter.energy.value]).encode())
    joulemark.meter_process.close()
    os._exit(0)
os.waitpid(pid, 0)
meter.stop()
print(json.dumps([json.loads(os.read(read, 9999)), [each.energy.value for each in meter.measurements]]))
"""


def test_a_forked_child_has_a_meter_process_of_its_own(tmp_path):
    (inherited_j, reason, own_j), parent_j = json.loads(run_program(tmp_path, FORK).stdout)
    assert inherited_j is None
    assert "another process" in reason
    assert own_j > 0
    assert len(parent_j) == 2
    assert min(parent_j) > 0
    assert list((tmp_path / "tmp").iterdir()) == []  # a program that ends leaves nothing behind


PROGRAM_KILLED = """
import os, time
import joulemark, psutil
joulemark.Meter(sensor="simulated:rapl/constant").start()
if os.fork() == 0:
    time.sleep(60)                       # a worker that outlives its parent, and holds what it inherited
print(*(process.pid for process in psutil.Process().children(recursive=True)), flush=True)
time.sleep(60)
"""


def test_sampling_ends_with_a_program_that_is_killed(tmp_path):
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM_KILLED], env=environment(tmp_path), stdout=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    children = [psutil.Process(int(pid)) for pid in program.stdout.readline().split()]
    worker = next(process for process in children if PROGRAM_KILLED in process.cmdline())
    program.kill()
    program.wait()
    program.stdout.close()
    _, alive = psutil.wait_procs([process for process in children if process != worker], timeout=30)
    worker.kill()
    assert len(children) == 3
    assert [process.cmdline() for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


SAVED_TO_A_PIPE = """
import joulemark
with joulemark.Meter("meter", sensor="simulated:rapl/constant") as meter:
    sum(range(3_000_000))
meter.save("/dev/stdout")
"""


def test_a_file_is_saved_to_a_descriptor_of_the_program(tmp_path):
    """Which the meter process does not have."""
    run_file = parse(run_program(tmp_path, SAVED_TO_A_PIPE).stdout, "standard output")
    assert run_file.cases[0].workload == "meter"


NO_INTERPRETER = """
import sys, warnings
import joulemark
warnings.simplefilter("ignore")
sys.executable = "/nonexistent/python"
with joulemark.Meter() as meter:
    pass
print(meter.energy.reason)
"""


def test_a_program_goes_on_where_no_meter_process_can_be_started(tmp_path):
    reason = run_program(tmp_path, NO_INTERPRETER).stdout
    assert reason == "the meter process cannot be started: No such file or directory.\n"
