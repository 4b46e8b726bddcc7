"""Windows of a meter in trackers: whose run they go to, when, and what a tracker that fails costs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
from environments import require
from simulated_meter import SENSOR, meter
from tracked import imported, tensorboard_values

import joulemark
from joulemark.suite.trackers.tensorboard import EventFile
from joulemark.tracking.values import window_row

require("mlflow", "tensorboard")
pytestmark = pytest.mark.slow


def work() -> None:
    time.sleep(0.05)


@pytest.mark.parametrize("track", ["active", "mlflow", ["active", "mlflow"]])
def test_the_program_s_own_run_is_used_and_left_open(store, track):
    mlflow = imported("mlflow")
    block = meter("block", track=track)
    with mlflow.start_run() as begun:
        with block:
            work()
        assert mlflow.active_run().info.run_id == begun.info.run_id
    (run,) = store.runs()
    assert run.info.run_id == begun.info.run_id
    assert store.values(run)["joulemark/block/package/energy_j"] == {0: block.energy.value}
    assert run.data.params["joulemark.zone"] == "CH"


def test_windows_go_to_the_run_that_is_active_at_their_end(store):
    mlflow = imported("mlflow")
    block = meter("block", track="active")
    for _ in range(2):
        with mlflow.start_run(), block:
            work()
    block.log()  # the second window was short, and too soon after the first
    first, second = (store.values(run)["joulemark/block/package/energy_j"] for run in store.runs())
    assert [first, second] == [{0: block.measurements[0].energy.value}, {1: block.measurements[1].energy.value}]


def test_short_windows_are_logged_together(store):
    block = meter("loop", track="tensorboard:events")
    for _ in range(4):
        with block:
            work()
    assert list(tensorboard_values(Path("events"))["joulemark/loop/package/energy_j"]) == [0]
    block.log()
    values = tensorboard_values(Path("events"))["joulemark/loop/package/energy_j"]
    assert list(values.values()) == pytest.approx([each.energy.value for each in block.measurements], rel=1e-6)


def test_a_writer_of_the_program_s_own(store):
    writer = EventFile(Path("own"))
    with meter("block", track=writer) as block:
        work()
    writer.add_scalar("loss", 1.0, 0, 0.0)
    writer.close()
    values = tensorboard_values(Path("own"))
    assert values["joulemark/block/package/energy_j"][0] == pytest.approx(block.energy.value)
    assert "loss" in values


def test_estimated_energy_has_a_name_of_its_own():
    """So do grams and watts; a measured component beside it keeps its name, and what is unknown has none."""
    amount = {"value": 30.0, "kind": "model", "ranges": {}}
    readings = [
        {"component": "cpu", "scope": "host", "kind": "model", "attributed": True, "energy_j": 20.0},
        {"component": "gpu", "scope": "0", "kind": "counter", "attributed": True, "energy_j": 10.0},
        {"component": "psys", "scope": "0", "kind": "counter", "attributed": False, "energy_j": 50.0},
        {"component": "dram", "scope": "0", "kind": "unavailable", "attributed": True, "energy_j": None},
    ]
    window = joulemark.Measurement(10.0, 15.0, lambda: None)
    window.result = {
        "readings": readings,
        "energy": {**amount, "unit": "J"},
        "facility_energy": {**amount, "unit": "J", "value": None},
        "emissions": {**amount, "unit": "g", "value": 3.0, "lower_bound": True},
    }
    assert window_row("block", window, 0).values == {
        "duration_s": 5.0,
        "energy_j_estimated": 30.0,
        "emissions_g_at_least_estimated": 3.0,
        "power_w_estimated": 6.0,
        "cpu/energy_j_estimated": 20.0,
        "cpu/power_w_estimated": 4.0,
        "cpu/emissions_g_estimated": 2.0,
        "gpu/energy_j": 10.0,
        "gpu/power_w": 2.0,
        "gpu/emissions_g": 1.0,
    }


def test_a_program_of_its_own(store):
    """Without trackers it imports none; with one, what is left at its end is logged."""
    code = f"""
import sys, time, joulemark
with joulemark.Meter(sensor={SENSOR!r}):
    pass
print(*sys.modules)
loop = joulemark.Meter("loop", zone="CH", sensor={SENSOR!r}, track="tensorboard:events")
for _ in range(3):
    with loop:
        time.sleep(0.02)
"""
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert done.stderr == ""
    assert list(tensorboard_values(Path("events"))["joulemark/loop/duration_s"]) == [0, 1, 2]
    assert not {"mlflow", "wandb", "tensorboard", "joulemark.suite.trackers"} & set(done.stdout.split())


def test_only_one_rank_of_a_node_logs(store):
    """Two ranks of one node, started as torchrun does; the second's windows are counted by the first."""
    code = f"""
import sys, time, joulemark
with joulemark.Meter("rank", zone="CH", sensor={SENSOR!r}, track="tensorboard:events" + sys.argv[1]) as meter:
    time.sleep(0.1)
meter.energy
input()
"""
    ranks = []
    for rank in range(2):
        variables = {
            "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0",
            "GROUP_WORLD_SIZE": "1", "TORCHELASTIC_RUN_ID": f"test-{os.getpid()}", "MASTER_ADDR": "localhost",
            "MASTER_PORT": "1",
        }  # fmt: skip
        ranks.append(
            subprocess.Popen(
                [sys.executable, "-P", "-c", code, str(rank)],
                env={**os.environ, **variables},
                stdin=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    for process in ranks:
        assert process.communicate("\n", timeout=300)[1] == ""
    assert [Path("events0").exists(), Path("events1").exists()] == [True, False]


def test_a_forked_child_logs_nothing_of_its_parent(store):
    block = meter("loop", track="tensorboard:events")
    for _ in range(2):
        with block:
            work()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # this process has threads
        child = os.fork()
    if child == 0:
        block._tracking.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert list(tensorboard_values(Path("events"))["joulemark/loop/duration_s"]) == [0]
    block.log()
