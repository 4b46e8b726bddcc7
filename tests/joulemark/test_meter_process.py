"""The meters' helper: what becomes of a program and of its windows when it is interrupted, forks, or loses it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from command import environment
from simulated_meter import SENSOR, meter, true_j

import joulemark
from joulemark import meter_process as helpers


@pytest.fixture(scope="module", autouse=True)
def _ended():
    yield
    helpers.close()


@contextmanager
def interrupted(ask: Callable[[], object]) -> Iterator[None]:
    """Ctrl-C while the helper has `ask` before it; within the block, it has not answered yet."""
    process = psutil.Process(helpers.shared((SENSOR,))._process.pid)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    process.suspend()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            ask()
        yield
    finally:
        signal.signal(signal.SIGALRM, before)
        process.resume()


def test_after_ctrl_c_each_answer_is_to_its_own_question(tmp_path):
    first, second = meter("first"), meter("second")
    with first:
        time.sleep(0.05)
    with second:
        time.sleep(0.3)
    with interrupted(lambda: first.energy):
        pass
    energies = [second.energy.value, first.energy.value]
    saved = [joulemark.read(each.save(tmp_path / f"{each.name}.json")) for each in (second, first)]
    assert energies == pytest.approx([true_j(file)[0] for file in saved], rel=1e-9)


def test_a_question_that_was_cut_off_leaves_the_next_one_whole():
    """A question of more than a pipe holds, interrupted while it is written."""
    one = meter("one").start()
    time.sleep(0.1)
    one.stop()
    many = [(one.last.begin_s, one.last.end_s)] * 10_000
    with interrupted(lambda: helpers.shared((SENSOR,)).ask(do="sums", windows=many)):
        pass
    assert one.energy.value == pytest.approx(one.sums_j(many[:1])[0])


DYING = """
import json, os, signal, time, warnings
import joulemark, psutil
first = joulemark.Meter("first", sensor="simulated:rapl/constant")
with first:
    time.sleep(0.1)
before = first.energy.value
with first:
    for process in psutil.Process().children(recursive=True):
        process.kill()
    psutil.wait_procs(psutil.Process().children(), 10)
after = first.last.energy
with first:
    pass
print(json.dumps([before, after.value, after.kind, after.reason, first.last.emissions.value]))
"""


def test_a_program_goes_on_when_its_helper_dies(tmp_path):
    done = _program(tmp_path, DYING)
    before, value, kind, reason, grams = json.loads(done.stdout)
    assert before > 0
    assert (value, kind, grams) == (None, "unavailable", None)
    assert "helper has ended" in reason
    assert done.stderr == ""


FORKING = """
import json, os, time
import joulemark
one = joulemark.Meter("one", sensor="simulated:rapl/constant")
with one:
    time.sleep(0.05)
read, write = os.pipe()
one.start()
pid = os.fork()
if pid == 0:
    left = one.stop().energy             # opened by the parent: nobody here can say what it took
    with one:
        time.sleep(0.05)
    os.write(write, json.dumps([left.value, left.reason, one.energy.value]).encode())
    joulemark.meter_process.close()
    os._exit(0)
os.waitpid(pid, 0)
one.stop()
print(json.dumps([json.loads(os.read(read, 9999)), [each.energy.value for each in one.measurements]]))
"""


def test_a_forked_child_has_a_helper_of_its_own(tmp_path):
    child, parent = json.loads(_program(tmp_path, FORKING).stdout)
    assert child[0] is None
    assert "another process" in child[1]
    assert child[2] > 0
    assert len(parent) == 2
    assert min(parent) > 0


KILLED = """
import os, time
import joulemark, psutil
joulemark.Meter(sensor="simulated:rapl/constant").start()
if os.fork() == 0:
    time.sleep(60)                       # a worker that outlives its parent, and holds what it inherited
print(*(process.pid for process in psutil.Process().children(recursive=True)), flush=True)
time.sleep(60)
"""


def test_nobody_goes_on_sampling_for_a_program_that_was_killed(tmp_path):
    program = subprocess.Popen(
        [sys.executable, "-c", KILLED],
        env={**environment(tmp_path), "PYTHONPATH": str(Path(joulemark.__file__).parents[1])},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    started = [psutil.Process(int(pid)) for pid in program.stdout.readline().split()]
    worker = next(process for process in started if "-c" in process.cmdline() and KILLED in process.cmdline())
    program.kill()
    program.wait()
    program.stdout.close()
    _, alive = psutil.wait_procs([process for process in started if process != worker], timeout=30)
    worker.kill()
    assert len(started) == 3
    assert [process.cmdline() for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


def _program(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-c", text],
        env={**environment(folder), "PYTHONPATH": str(Path(joulemark.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done
