"""What a tracker that fails, is absent or does not exist costs: a notice, or a line before anything runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from environments import require
from places import DOCS, ROOT
from simulated_meter import meter
from tracked import imported, tensorboard_values

import joulemark
from joulemark.tracking import log

require("mlflow", "tensorboard")
pytestmark = pytest.mark.slow


def work() -> None:
    time.sleep(0.05)


def measure_three(block: joulemark.Meter) -> None:
    for _ in range(3):
        with block:
            work()
        block.log()


def test_without_an_active_run_nothing_is_begun(store):
    block = meter("block", track="active")
    with pytest.warns(RuntimeWarning, match="no run of MLflow or Weights & Biases is"), block:
        work()
    with block:  # and says so once
        work()
    assert block.energy.value > 0
    assert os.listdir() == []


def test_a_tracker_that_fails_is_one_notice_and_loses_nothing(store):
    block = meter("block", track=["mlflow", "tensorboard:events"])
    with block:
        work()
    (run,) = store.runs()
    for path in Path(store.uri.removeprefix("file:")).rglob("meta.yaml"):
        path.unlink()  # the store is damaged
    with pytest.warns(RuntimeWarning, match="is not logged to any more") as notices:
        measure_three(block)
    (notice,) = notices
    assert run.info.run_id in str(notice.message)
    assert "\n" not in str(notice.message)
    assert len(block.measurements) == 4
    assert all(each.energy.value > 0 for each in block.measurements)
    values = tensorboard_values(Path("events"))["joulemark/block/package/energy_j"]
    assert list(values) == [0, 1, 2, 3]  # the other goes on


def test_a_run_that_cannot_be_begun_is_one_notice(store, monkeypatch):
    imported("mlflow").set_tracking_uri("no-such-store://nowhere")
    block = meter("block", track="mlflow")
    with pytest.warns(RuntimeWarning, match="nothing is logged there") as notices:
        measure_three(block)
    assert len(notices) == 1
    assert block.energy.value > 0


@pytest.mark.parametrize(
    ("track", "message"),
    [
        ("mlfow", "unknown tracker 'mlfow'. Did you mean 'mlflow'"),
        ("mlflow:runs", "track is mlflow, wandb"),
        ("tensorboard:", "track is mlflow, wandb"),
        (7, "track is mlflow, wandb"),
        ([object()], "track is mlflow, wandb"),
    ],
)
def test_what_is_no_tracker_is_one_line(track, message):
    with pytest.raises(joulemark.JoulemarkError, match="^" + message) as caught:
        joulemark.Meter(track=track)
    assert "\n" not in str(caught.value)


def test_an_absent_package_is_one_line_before_anything_runs():
    """In an interpreter that has no other packages than joulemark's own."""
    code = """
import sys
sys.path[:] = [entry for entry in sys.path if "site-packages" not in entry]
import joulemark
for name in ("mlflow", "wandb", "tensorboard"):
    try:
        joulemark.Meter(track=name)
    except joulemark.JoulemarkError as error:
        print(error)
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert done.stdout.splitlines() == [
        f"the tracker {name} needs the package {package}, which is not installed: pip install 'joulemark[{name}]'."
        for name, package in (("mlflow", "mlflow"), ("wandb", "wandb"), ("tensorboard", "tensorboard"))
    ]


def test_the_limits_are_those_that_the_docs_name():
    text = (DOCS / "trackers.md").read_text(encoding="utf-8")
    assert f"{log.LONG_S:g} s" in text
    assert f"{log.PERIOD_S:g} s" in text
