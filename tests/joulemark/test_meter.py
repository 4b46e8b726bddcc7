"""A meter's windows: their energy, alone, nested and at the same time, and the run files made of them.

The true energy is interpolated in the trace of a saved run file.
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
from environments import require
from simulated_meter import SENSOR, meter, true_energies_j

import joulemark
from joulemark import meter_process
from joulemark.window_reader import BATCH_SIZE


@pytest.fixture(scope="module", autouse=True)
def _close_processes():
    yield
    meter_process.close()


@pytest.mark.slow
def test_windows_in_a_loop_have_the_counter_s_energy(tmp_path):
    loop = meter("loop", item="image")
    for index in range(3):
        loop.items = 10 * (index + 1)
        with loop:
            time.sleep(0.12 + 0.1 * index)
    run_file = joulemark.read(loop.save(tmp_path / "loop.json"))
    energies_j = [measurement.energy.value for measurement in loop.measurements]
    assert energies_j == pytest.approx(true_energies_j(run_file), rel=1e-9)
    (case,) = run_file.cases
    assert [trial.items for trial in case.trials] == [10, 20, 30]
    assert [trial.energy[0].energy_j for trial in case.trials] == pytest.approx(energies_j, rel=1e-9)
    assert (case.item, case.status, run_file.run.complete) == ("image", "ok", True)
    assert case.summary.energy_per_item_j.n == 3


def test_emissions_follow_from_energy():
    with meter(pue=1.5) as block:
        time.sleep(0.1)
    energy_j = block.energy.value
    assert block.facility_energy.value == pytest.approx(energy_j * 1.5)
    assert block.emissions.value == pytest.approx(energy_j * 1.5 / 3.6e6 * block.last.intensity["g_per_kwh"])
    assert block.last.intensity["zone"] == "CH"
    assert block.last.components == {"package": energy_j}
    assert block.energy.low < energy_j < block.energy.high
    assert block.energy.lower_bound  # the simulated processor has no dram counter
    assert any("simulated" in notice for notice in block.last.notices)
    assert "processor" in block.last.scope
    json.dumps(block.last.as_dict())


@pytest.mark.parametrize("count", [20, BATCH_SIZE + 3], ids=["few", "more than one request"])
def test_adjacent_windows_add_up_to_the_whole(count):
    whole = meter("whole").start()
    marks = [whole.mark() for _ in range(count)]
    time.sleep(0.05)
    marks.append(whole.mark())
    whole.stop()
    energies_j = whole.sums_j(list(pairwise(marks)))
    assert len(energies_j) == count
    assert sum(energies_j) == pytest.approx(whole.window(marks[0], marks[-1]).energy.value, rel=1e-9)
    assert min(energies_j) > 0


def test_meters_nest_and_functions_may_call_themselves():
    outer = meter("outer")

    @outer
    def count_down(n: int) -> int:
        time.sleep(0.02)
        return n if n == 0 else count_down(n - 1)

    with outer:
        assert count_down(2) == 0
        with outer:
            time.sleep(0.02)
    durations_s = [measurement.duration_s for measurement in outer.measurements]
    assert len(durations_s) == 5
    assert durations_s[0] < durations_s[1] < durations_s[2] < durations_s[4]
    energies_j = [measurement.energy.value for measurement in outer.measurements]
    assert energies_j[2] + energies_j[3] < energies_j[4]


def test_coroutines_and_threads_have_their_own_windows():
    shared = meter("shared")

    @shared
    async def wait(seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def wait_twice() -> None:
        await asyncio.gather(wait(0.3), wait(0.05))

    # In a thread of its own: the browser of other tests keeps an event loop running in this one.
    loop = threading.Thread(target=lambda: asyncio.run(wait_twice()))
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
    durations_s = [measurement.duration_s for measurement in shared.measurements]
    assert all(actual >= slept for actual, slept in zip(durations_s, (0.05, 0.3, 0.05, 0.3), strict=True))
    assert len({measurement.energy.value for measurement in shared.measurements}) == 4


def test_an_exception_passes_and_closes_its_window():
    failing = meter("failing")
    with pytest.raises(ZeroDivisionError), failing:
        1 / 0  # noqa: B018
    assert len(failing.measurements) == 1


def test_devices_are_waited_for_only_on_request():
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
        (lambda: joulemark.Meter(zone="XQ", sensor=SENSOR).start(), "'XQ'"),
        (lambda: joulemark.Meter(pue=0.5, sensor=SENSOR).start(), "PUE is 0.5"),
        (lambda: joulemark.Meter(sensor="crystal").start(), "'crystal'"),
        (lambda: meter().stop(), "not started"),
        (lambda: meter().energy, "measured nothing yet"),
        (lambda: meter().save("run.json"), "measured nothing yet"),
        (lambda: joulemark.Meter(print), "@joulemark.Meter()"),
        (lambda: joulemark.Meter(sync=3), "found 3."),
        (lambda: meter(about={"dataset": "cifar"}).start(), "'dataset'"),
        (lambda: meter(about={"size": "base"}).start(), "'size'"),
        (lambda: meter(about={"batch_size": "32"}).start(), "batch_size of about is '32'"),
        (lambda: meter(about={"batch_size": 0}).start(), "batch_size of about is 0"),
        (lambda: meter(about={"precision": 16}).start(), "precision of about is 16"),
        (
            lambda: meter(about={"bytes_per_item": 8, "unfused_bytes_per_item": 4}).start(),
            "unfused_bytes_per_item of about is 4 bytes, less than the compulsory 8",
        ),
        (lambda: meter(about={"mode": print}).start(), "not JSON serializable"),
        (lambda: meter(about=["pytorch"]), "found ['pytorch']"),
        (lambda: joulemark.Meter(sensor=5), "sensor is a name or a list of names, found 5"),
        (lambda: joulemark.Meter(device=["cuda:0", None]), "device is a name or a list of names"),
        (lambda: joulemark.Meter(intensity="x" * 300, sensor=SENSOR).start(), "x" * 300),
        (lambda: meter().window(float("nan"), 2), "a window is from one mark to a later one, found nan and 2."),
        (lambda: meter().window(2, 1), "found 2 and 1."),
        (lambda: meter().add(None, 1), "found None and 1."),
        (lambda: meter().window(1, 1e300), "found 1 and 1e+300."),
        (lambda: meter().sums_j([(0, 1), (0, "x")]), "found 0 and 'x'."),
        (lambda: meter(item=3).start(), "item of about is 3"),
    ],
)
def test_wrong_use_is_one_line(use, words):
    with pytest.raises(joulemark.JoulemarkError) as caught:
        use()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_said_about_the_code_is_saved(tmp_path):
    with meter(about={"framework": "pytorch", "batch_size": 32, "flops_per_item": 1e9}) as block:
        pass
    (case,) = joulemark.read(block.save(tmp_path / "run.json")).cases
    assert (case.framework, case.batch_size, case.flops_per_item) == ("pytorch", 32, 1e9)


def test_a_file_that_cannot_be_written_is_one_line(tmp_path):
    with meter() as block:
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(joulemark.JoulemarkError, match="cannot write"):
        block.save(tmp_path / "file" / "run.json")


@pytest.mark.slow
def test_a_saved_file_is_shown_like_any_other(tmp_path):
    with meter("my-loop") as block:
        time.sleep(0.1)
    path = block.save(tmp_path / "run.json")
    report = command(tmp_path, "report", str(path), "-o", str(tmp_path / "page.html"), "--plotlyjs", "cdn")
    assert report.returncode == 0, report.stderr
    page = (tmp_path / "page.html").read_text()
    assert "my-loop" in page
    assert joulemark.read(path).notices[0].message.partition(":")[0] in page
    shown = command(tmp_path, "show", str(path))
    assert shown.returncode == 0, shown.stderr
    assert "my-loop:own/run/own/as-is/cpu/as-is/b1" in shown.stdout


def test_a_measurement_outlives_clear():
    cleared = meter("cleared")
    with cleared:
        time.sleep(0.3)
    measurement = cleared.last
    cleared.clear()
    assert cleared.measurements == ()
    assert measurement.energy.value > 0


SYNCHRONISE = """
import tensorflow as tf
from tensorflow.python.eager import context
from joulemark.synchronise import synchronise
synchronise()
print(context.context()._initialized)
tf.ones(2)
synchronise()
print(context.context()._initialized)
"""


WAIT_FOR_JAX = """
import jax
from jax._src import xla_bridge
from joulemark.synchronise import synchronise
synchronise()
print(xla_bridge.backends_are_initialized())
product = jax.numpy.ones((2000, 2000)) @ jax.numpy.ones((2000, 2000))
synchronise()
print(product.is_ready())
"""


@pytest.mark.parametrize(("framework", "program"), [("tensorflow", SYNCHRONISE), ("jax", WAIT_FOR_JAX)])
def test_synchronise_does_not_initialise_a_framework_that_was_only_imported(framework, program):
    require(framework)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
