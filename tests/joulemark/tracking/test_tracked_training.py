"""A training in MLflow, Weights & Biases and TensorBoard: what they wrote to disk is what the callback measured."""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from environments import require
from simulated_meter import SENSOR
from tracked import (
    MlflowStore,
    Values,
    imported,
    tensorboard_texts,
    tensorboard_values,
    wandb_config,
    wandb_files,
    wandb_values,
)

import joulemark
from joulemark import meter_process
from joulemark.training_callback import TrainingCallbackMixin

require("mlflow", "tensorboard")
pytestmark = pytest.mark.slow
WANDB = importlib.util.find_spec("wandb") is not None
EPOCHS, STEPS, GROUP = 2, 7, 3
"""Steps are marked in threes, and the last group of an epoch has one."""


class Callback(TrainingCallbackMixin):
    """A callback of no framework: what the others share."""


class Logged:
    """A training, and where it was logged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = MlflowStore(folder)
        self.callback = Callback()
        track = ["mlflow", "tensorboard:events", *(["wandb"] if WANDB else [])]
        about = {"precision": "bf16"}
        options = {"zone": "CH", "pue": 1.5, "sensor": SENSOR, "track": track, "about": about}
        self.callback.set_up("pytorch", "fit", GROUP, "saved.json", options)
        self.callback.begin_training()
        for _ in range(EPOCHS):
            self.callback.training.begin_epoch()
            for _ in range(STEPS):
                self.callback.training.begin_step()
                time.sleep(0.02)
            self.callback.training.end_step()
            time.sleep(0.02)
            self.callback.training.end_epoch()
        self.callback.finish()

    def values(self, tracker: str) -> Values:
        if tracker == "mlflow":
            (run,) = self.store.runs()
            return self.store.values(run)
        return tensorboard_values(self.folder / "events") if tracker == "tensorboard" else wandb_values(self.folder)


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logged]:
    folder = tmp_path_factory.mktemp("tracked")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in MlflowStore(folder).variables.items():
            patch.setenv(name, value)
        patch.setenv("WANDB_DATA_DIR", str(folder))  # where artifacts wait
        imported("mlflow").set_tracking_uri(MlflowStore(folder).uri)  # an earlier test may have set another
        yield Logged(folder)
    meter_process.close()


TRACKERS = ["mlflow", "tensorboard", pytest.param("wandb", marks=pytest.mark.skipif(not WANDB, reason="no wandb"))]


def rounded(tracker: str, value: float) -> float:
    """Return what `tracker` keeps of a value: all of it, or a float32."""
    return float(np.float32(value)) if tracker == "tensorboard" else value


@pytest.mark.parametrize("tracker", TRACKERS)
def test_epochs_are_those_of_the_run_file(logged: Logged, tracker: str) -> None:
    values = logged.values(tracker)
    (case,) = joulemark.read(logged.folder / "saved.json").cases
    assert len(case.trials) == EPOCHS
    for number, trial in enumerate(case.trials):
        (package,) = (reading.energy_j for reading in trial.energy if reading.component == "package")
        begin_s, end_s = trial.window_s
        of_epoch = {
            name: by_step[number] for name, by_step in values.items() if name.startswith("joulemark/fit/epoch/")
        }
        expected = {
            # No dram counter is simulated: sums lack it, and their names say so.
            "energy_j_at_least": package,
            "package/energy_j": package,
            "package/power_w": package / (end_s - begin_s),
            "power_w_at_least": package / (end_s - begin_s),
            "facility_energy_j_at_least": 1.5 * package,
            "emissions_g_at_least": 1.5 * package / 3.6e6 * 39.22,
            "package/emissions_g": 1.5 * package / 3.6e6 * 39.22,
            "duration_s": end_s - begin_s,
            "rest_energy_j_at_least": logged.callback.epochs[number].rest_j,
        }
        assert {name.removeprefix("joulemark/fit/epoch/") for name in of_epoch} == set(expected)
        for name, value in expected.items():
            assert of_epoch[f"joulemark/fit/epoch/{name}"] == pytest.approx(value, rel=3e-7), name
        # The joules themselves are the same number, bit by bit.
        assert of_epoch["joulemark/fit/epoch/package/energy_j"] == rounded(tracker, package)


@pytest.mark.parametrize("tracker", TRACKERS)
def test_steps_that_were_marked_together_have_their_mean_at_the_last(logged: Logged, tracker: str) -> None:
    values = logged.values(tracker)["joulemark/fit/step/energy_j_at_least"]
    sizes, lasts = [3, 3, 1], [2, 5, 6, 9, 12, 13]
    energy_j = [energy_j for epoch in logged.callback.epochs for energy_j in epoch.step_energy_j]
    assert list(values) == lasts
    means_j = [joules / size for joules, size in zip(energy_j, sizes * EPOCHS, strict=True)]
    assert list(values.values()) == [rounded(tracker, mean_j) for mean_j in means_j]
    assert logged.values(tracker)["joulemark/fit/step/package/energy_j"] == values
    # Steps and remainders are the whole training's energy but for what lies between epochs.
    steps_j = sum(values[last] * size for last, size in zip(lasts, sizes * EPOCHS, strict=True))
    rest_j = sum(logged.values(tracker)["joulemark/fit/epoch/rest_energy_j_at_least"].values())
    (whole_j,) = logged.values(tracker)["joulemark/fit/energy_j_at_least"].values()
    assert steps_j + rest_j + logged.callback.rest_j == pytest.approx(whole_j, rel=1e-6)


@pytest.mark.parametrize("tracker", TRACKERS)
def test_parameters_and_sources_are_there(logged: Logged, tracker: str) -> None:
    if tracker == "mlflow":
        (run,) = logged.store.runs()
        found = {**run.data.params, **run.data.tags}
        assert run.info.status == "FINISHED"
        assert run.data.params["joulemark.precision"] == "bf16"
    elif tracker == "wandb":
        found = wandb_config(logged.folder)
    else:
        text = tensorboard_texts(logged.folder / "events")["joulemark/parameters/text_summary"]
        found = {name.strip(): value.strip() for _, name, value, _ in (line.split("|") for line in text.splitlines())}
    machine = joulemark.read(logged.folder / "saved.json").machine
    expected = {"zone": "CH", "machine": machine.fingerprint, "precision": "bf16", "framework": "pytorch", "pue": "1.5"}
    assert {name: found[f"joulemark.{name}"] for name in expected} == expected
    assert found["joulemark.fit.energy_kind"] == "counter"
    assert "simulated" in found["joulemark.fit.source"]


@pytest.mark.parametrize("tracker", TRACKERS)
def test_the_run_file_and_its_page_are_attached(logged: Logged, tracker: str) -> None:
    if tracker == "mlflow":
        files = logged.store.files(*logged.store.runs())
    elif tracker == "wandb":
        files = wandb_files(logged.folder)
    else:
        files = {path.name: path for path in (logged.folder / "events" / "joulemark").iterdir()}
        assert "saved.html" in tensorboard_texts(logged.folder / "events")["joulemark/files/text_summary"]
    assert set(files) == {"saved.json", "saved.html"}
    assert files["saved.json"].read_bytes() == Path("saved.json").read_bytes()
    assert "<html" in files["saved.html"].read_text()[:200]


def test_nothing_is_left_open(logged: Logged) -> None:
    """A run of wandb that had not been finished would take what the program logs next."""
    assert os.getcwd() == str(logged.folder)
    if WANDB:
        import wandb

        assert wandb.run is None
