"""A meter's windows: what they sum up to, when they overlap, and what becomes of them when something goes wrong.

The true energy is known from the trace that a saved run file has: interpolated here once more, by numpy.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from itertools import pairwise

import pytest
from command import joulemark as command
from simulated_meter import SENSOR, meter, true_j

import joulemark
from joulemark import meter_process as helpers
from joulemark.meter import AT_ONCE
from joulemark.suite.cli import options
from joulemark.suite.meter.session import ENVIRONMENT


@pytest.fixture(scope="module", autouse=True)
def _ended():
    yield
    helpers.close()


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
