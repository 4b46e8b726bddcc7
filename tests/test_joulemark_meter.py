"""A meter's windows: what they sum up to, when they overlap, and what becomes of them when something goes wrong.

The true energy is known from the trace that a saved run file has: interpolated here once more, by numpy.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
import pytest
from command import environment
from command import joulemark as command

import joulemark
from joulemark import helper as helpers
from joulemark.meter import AT_ONCE
from suite.commands import options
from suite.meter.desk import ENVIRONMENT

SENSOR = "simulated:rapl/telegraph"
"""A counter under a load that goes up and down at random; one helper for all tests of this file."""


@pytest.fixture(scope="module", autouse=True)
def _ended():
    yield
    helpers.close()


def meter(name: str = "meter", **more) -> joulemark.Meter:
    return joulemark.Meter(name, zone="CH", sensor=SENSOR, **more)


def true_j(run_file: joulemark.RunFile) -> list[float]:
    """Joules of each trial's window, from the counter in the trace of the file."""
    (trace,) = run_file.traces
    channel = next(channel for channel in trace.channels if channel.unit == "J")
    at = np.interp([t.window_s for t in run_file.cases[0].trials], np.array(trace.t_s) - 0.0005, channel.values)
    return list(at[:, 1] - at[:, 0])


def test_windows_in_a_loop_are_the_counter_s_energy(tmp_path):
    turns = meter("turns", item="image")
    for number in range(3):
        turns.items = 10 * (number + 1)
        with turns:
            time.sleep(0.12 + 0.1 * number)
    found = joulemark.read(turns.save(tmp_path / "turns.json"))
    energies = [turn.energy.value for turn in turns.measurements]
    assert energies == pytest.approx(true_j(found), rel=1e-9)
    (case,) = found.cases
    assert [trial.items for trial in case.trials] == [10, 20, 30]
    assert [trial.energy[0].energy_j for trial in case.trials] == pytest.approx(energies, rel=1e-9)
    assert (case.item, case.status, found.run.complete) == ("image", "ok", True)
    assert case.summary.energy_per_item_j.n == 3


def test_grams_follow_from_joules():
    with meter(pue=1.5) as one:
        time.sleep(0.1)
    assert one.facility_energy.value == pytest.approx(one.energy.value * 1.5)
    assert one.emissions.value == pytest.approx(one.energy.value * 1.5 / 3.6e6 * one.last.intensity["g_per_kwh"])
    assert one.last.intensity["zone"] == "CH"
    assert one.last.components == {"package": one.energy.value}
    assert one.energy.low < one.energy.value < one.energy.high
    assert one.energy.lower_bound  # the simulated board has no dram
    assert any("simulated" in text for text in one.last.notices)
    assert "other programs" in one.last.scope
    json.dumps(one.last.as_dict())


def test_the_parts_add_up_to_the_whole():
    whole = meter("whole").start()
    marks = [whole.mark()]
    for _ in range(20):
        time.sleep(0.03)
        marks.append(whole.mark())
    whole.stop()
    parts = whole.sums_j(list(pairwise(marks)))
    assert sum(parts) == pytest.approx(whole.window(marks[0], marks[-1]).energy.value, rel=1e-9)
    assert min(parts) > 0


def test_more_windows_than_are_asked_for_at_once():
    many = meter("many").start()
    marks = [many.mark() for _ in range(AT_ONCE + 3)]
    time.sleep(0.05)
    marks.append(many.mark())
    many.stop()
    parts = many.sums_j(list(pairwise(marks)))
    assert len(parts) == AT_ONCE + 3
    assert sum(parts) == pytest.approx(many.window(marks[0], marks[-1]).energy.value, rel=1e-9)


def test_meters_nest_and_functions_may_call_themselves():
    outer = meter("outer")

    @outer
    def down(n: int) -> int:
        time.sleep(0.02)
        return n if n == 0 else down(n - 1)

    with outer:
        assert down(2) == 0
        with outer:
            time.sleep(0.02)
    durations = [each.duration_s for each in outer.measurements]
    assert len(durations) == 5
    assert durations[0] < durations[1] < durations[2] < durations[4]
    energies = [each.energy.value for each in outer.measurements]
    assert energies[2] + energies[3] < energies[4]


def test_coroutines_and_threads_have_windows_of_their_own():
    shared = meter("shared")

    @shared
    async def wait(seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def both() -> None:
        await asyncio.gather(wait(0.3), wait(0.05))

    # In a thread of its own: the browser of other tests keeps an event loop running in this one.
    loop = threading.Thread(target=lambda: asyncio.run(both()))
    loop.start()
    loop.join()

    def block(seconds: float) -> None:
        with shared:
            time.sleep(seconds)

    threads = [threading.Thread(target=block, args=(seconds,)) for seconds in (0.3, 0.05)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    durations = [each.duration_s for each in shared.measurements]
    assert all(duration >= least for duration, least in zip(durations, (0.05, 0.3, 0.05, 0.3), strict=True))
    assert len({each.energy.value for each in shared.measurements}) == 4


def test_what_a_block_raises_is_raised_and_its_window_closed():
    failing = meter("failing")
    with pytest.raises(ZeroDivisionError), failing:
        1 / 0  # noqa: B018
    assert len(failing.measurements) == 1


def test_devices_are_waited_for_only_where_that_is_asked_for():
    calls: list[int] = []
    with meter():
        pass
    assert calls == []
    with meter(sync=lambda: calls.append(1)):
        assert calls == [1]
    assert calls == [1, 1]


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda: joulemark.Meter(zone="XQ", sensor=SENSOR).start(), "unknown zone 'XQ'"),
        (lambda: joulemark.Meter(pue=0.5, sensor=SENSOR).start(), "PUE is 0.5"),
        (lambda: joulemark.Meter(sensor="crystal").start(), "unknown sensor 'crystal'"),
        (lambda: meter().stop(), "not started"),
        (lambda: meter().energy, "measured nothing yet"),
        (lambda: meter().save("run.json"), "measured nothing yet"),
        (lambda: joulemark.Meter(print), "Write @joulemark.Meter()"),
        (lambda: joulemark.Meter(sync=3), "sync is True, False or a function, found 3."),
        (lambda: meter(about={"dataset": "cifar"}).start(), "unknown key of about 'dataset'"),
        (lambda: meter(about={"size": "base"}).start(), "unknown key of about 'size'"),
        (lambda: meter(about={"batch_size": "32"}).start(), "batch_size of about is '32': Input should be a valid int"),
        (lambda: meter(about={"batch_size": 0}).start(), "batch_size of about is 0"),
        (lambda: meter(about={"precision": 16}).start(), "precision of about is 16"),
        (lambda: meter(about={"mode": print}).start(), "not JSON serializable"),
        (lambda: meter(about=["pytorch"]), "about is a dict, found ['pytorch']"),
        (lambda: meter(item=3).start(), "item of about is 3"),
    ],
)
def test_bad_use_is_one_line(use, words):
    with pytest.raises(joulemark.JoulemarkError) as caught:
        use()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_said_about_the_code_is_saved(tmp_path):
    with meter(about={"framework": "pytorch", "batch_size": 32, "flops_per_item": 1e9}) as one:
        pass
    (case,) = joulemark.read(one.save(tmp_path / "run.json")).cases
    assert (case.framework, case.batch_size, case.flops_per_item) == ("pytorch", 32, 1e9)


def test_a_file_that_cannot_be_written_is_one_line(tmp_path):
    with meter() as one:
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(joulemark.JoulemarkError, match="cannot write"):
        one.save(tmp_path / "file" / "run.json")


def test_the_environment_means_what_it_means_to_a_command():
    variables = {
        name: annotation.__metadata__[0].envvar
        for name in ENVIRONMENT
        if (annotation := getattr(options, "".join(part.title() for part in name.split("_")))) is not None
    }
    assert variables == dict(ENVIRONMENT)


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
    joulemark.helper.close()
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


def test_a_saved_file_makes_the_same_page_as_any(tmp_path):
    with meter("my-loop") as one:
        time.sleep(0.1)
    path = one.save(tmp_path / "run.json")
    done = command(tmp_path, "report", str(path), "-o", str(tmp_path / "page.html"), "--plotlyjs", "cdn")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.html").read_text()
    assert "my-loop" in page
    assert "whole processor and of whole boards" in page
    shown = command(tmp_path, "show", str(path))
    assert shown.returncode == 0, shown.stderr
    assert "my-loop:own/run/own/as-is/cpu/as-is/b1" in shown.stdout


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


def test_a_window_outlives_the_forgetting_of_its_meter():
    forgetful = meter("forgetful")
    with forgetful:
        time.sleep(0.3)
    kept = forgetful.last
    forgetful.clear()
    assert forgetful.measurements == ()
    assert kept.energy.value > 0


WAITS = """
import tensorflow as tf
from tensorflow.python.eager import context
from joulemark.synchronise import synchronise
synchronise()
print(context.context()._initialized)
tf.ones(2)
synchronise()
print(context.context()._initialized)
"""


def test_waiting_for_devices_wakes_no_framework_that_was_only_imported():
    pytest.importorskip("tensorflow")
    done = subprocess.run([sys.executable, "-c", WAITS], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
