"""Real trainings with the callbacks: steps and epochs add up, and results are where each framework keeps its history.

The sensor is a simulated counter whose power switches at random, so that no two windows are alike. The energy of the
whole training is compared with the trace in the saved run file.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import environment
from environments import require
from simulated_meter import HALF_PERIOD_S, SENSOR
from tracked import MlflowStore, Values, tensorboard_values
from training_programs import HUGGINGFACE, KERAS, LIGHTNING, PRINT_RESULTS, TORCH

import joulemark

pytestmark = pytest.mark.slow


def run(folder: Path, program: str, backend: str = "tensorflow") -> list[Any]:
    """Run `program` in `folder`, with this backend of Keras, and return the results that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", f"SENSOR = {SENSOR!r}\n{PRINT_RESULTS}\n{program}"],
        cwd=folder,
        env={
            **environment(folder / "home"),
            "PYTHONPATH": str(Path(joulemark.__file__).parents[1]),
            "KERAS_BACKEND": backend,
            "KERAS_HOME": str(folder),
            "OMP_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
            **MlflowStore(folder).variables,
        },
        capture_output=True,
        text=True,
        timeout=420,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    return [json.loads(line.removeprefix("RESULT")) for line in lines]


PYTORCH = {"loop": TORCH}
"""Programs that run in one process, since importing takes longer than training."""
if all(map(importlib.util.find_spec, ("transformers", "accelerate", "mlflow"))):
    PYTORCH["huggingface"] = HUGGINGFACE
if all(map(importlib.util.find_spec, ("lightning", "mlflow"))):
    PYTORCH["lightning"] = LIGHTNING
ABSENT = "the extra `reference`, or MLflow, is not installed"


@pytest.fixture(scope="module")
def pytorch(tmp_path_factory):
    """The folder that each PyTorch program ran in, and its result."""
    home = tmp_path_factory.mktemp("pytorch")
    program = "import os\n"
    for name, text in PYTORCH.items():
        (home / name).mkdir()
        program += f"os.chdir({str(home / name)!r})\n{text}\n"
    return {name: (home / name, result) for name, result in zip(PYTORCH, run(home, program), strict=True)}


def assert_adds_up(folder: Path, result: dict[str, Any], epochs: int, steps: int) -> None:
    """Assert that steps and remainder are each epoch, epochs and remainder the whole, and that the counter's energy."""
    assert len(result["epochs"]) == epochs
    for energy_j, count, step_s, step_j, rest_j, begin_s, end_s in result["epochs"]:
        assert (count, len(step_s), len(step_j)) == (steps, steps, steps)
        assert min(step_j) > 0
        assert sum(step_j) + rest_j == pytest.approx(energy_j, rel=1e-9)
        assert sum(step_s) < end_s - begin_s
    assert sum(epoch[0] for epoch in result["epochs"]) + result["rest"] == pytest.approx(result["whole"], rel=1e-9)
    assert result["grams"] == pytest.approx(result["whole"] / 3.6e6 * 39.22, rel=1e-9)

    run_file = joulemark.read(folder / "fit.json")
    (trace,) = run_file.traces
    counter = next(channel for channel in trace.channels if channel.unit == "J")
    (segment,) = run_file.run.segments
    ends_s = np.array(result["span"]) - segment.monotonic_s
    begin_j, end_j = np.interp(ends_s, np.array(trace.t_s) - HALF_PERIOD_S, counter.values)
    assert result["whole"] == pytest.approx(end_j - begin_j, rel=1e-6)
    (case,) = run_file.cases
    assert (case.phase, case.item, case.status) == ("training", "step", "ok")
    assert [trial.items for trial in case.trials] == [steps] * epochs
    assert [trial.energy[0].energy_j for trial in case.trials] == pytest.approx([e[0] for e in result["epochs"]])
    assert [list(trial.block_s) for trial in case.trials] == [pytest.approx(e[2]) for e in result["epochs"]]


def assert_tracked(values: Values, name: str, result: dict[str, Any], rel: float = 1e-12) -> None:
    """Assert that a tracker has the joules of every epoch and step. No dram counter is simulated."""
    epochs = {number: epoch[0] for number, epoch in enumerate(result["epochs"])}
    steps = dict(enumerate(step_j for epoch in result["epochs"] for step_j in epoch[3]))
    assert values[f"joulemark/{name}/epoch/energy_j_at_least"] == pytest.approx(epochs, rel=rel)
    assert values[f"joulemark/{name}/step/package/energy_j"] == pytest.approx(steps, rel=rel)
    assert values[f"joulemark/{name}/emissions_g_at_least"] == pytest.approx({0: result["grams"]}, rel=rel)


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_keras(tmp_path, backend):
    require(backend, "tensorboard")
    (result,) = run(tmp_path, KERAS, backend)
    assert_adds_up(tmp_path, result, epochs=3, steps=6)
    assert_tracked(tensorboard_values(tmp_path / "events"), "fit", result, rel=1e-6)
    history = result["history"]
    assert history["energy_j"] == [epoch[0] for epoch in result["epochs"]]
    assert history["step_energy_j"] == [epoch[3] for epoch in result["epochs"]]
    assert sum(history["emissions_g"]) < result["grams"]
    assert len(history["loss"]) == len(history["val_loss"]) == 3
    assert result["grouped"] == [6, []]
    assert joulemark.read(tmp_path / "fit.json").cases[0].framework == backend


def test_a_pytorch_loop(pytorch):
    _, (whole_j, steps_j, tiles_j, span_j) = pytorch["loop"]
    assert sum(tiles_j) == pytest.approx(span_j, rel=1e-9)
    assert min(steps_j) > 0
    assert sum(steps_j) <= span_j <= whole_j
    assert all(step_j <= tile_j for step_j, tile_j in zip(steps_j, tiles_j, strict=True))


@pytest.mark.skipif("huggingface" not in PYTORCH, reason=ABSENT)
def test_hugging_face(pytorch):
    folder, result = pytorch["huggingface"]
    assert_adds_up(folder, result, epochs=3, steps=6)
    (entry,) = result["log"]
    assert entry["energy_j"] == result["whole"]
    assert entry["epoch_energy_j"] == [epoch[0] for epoch in result["epochs"]]
    assert entry["step"] == 18


@pytest.mark.skipif("huggingface" not in PYTORCH, reason=ABSENT)
def test_hugging_face_s_own_run_of_mlflow_has_the_joules_too(pytorch, monkeypatch):
    """Its callback has ended the run by the time that ours logs."""
    folder, result = pytorch["huggingface"]
    store = MlflowStore(folder)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    (run,) = store.runs()
    assert_tracked(store.values(run), "train", result)
    assert run.data.params["num_train_epochs"] == "3"
    assert set(store.files(run)) == {"fit.json", "fit.html"}


@pytest.mark.skipif("lightning" not in PYTORCH, reason=ABSENT)
def test_lightning(pytorch):
    folder, result = pytorch["lightning"]
    assert_adds_up(folder, result, epochs=3, steps=6)
    assert "energy_j" in result["log"].splitlines()[0].split(",")
    assert str(result["whole"])[:8] in result["log"]


@pytest.mark.skipif("lightning" not in PYTORCH, reason=ABSENT)
def test_lightning_s_logger_has_the_joules_too(pytorch, monkeypatch):
    folder, result = pytorch["lightning"]
    store = MlflowStore(folder)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    (run,) = store.runs()
    values = store.values(run)
    assert_tracked(values, "fit", result)
    assert values["energy_j"] == {18: result["whole"]}
    assert set(store.files(run)) == {"fit.json", "fit.html"}
