"""`joulemark run --track`: a run in the trackers, with the numbers of its run file."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from command import FAST, joulemark
from environments import known, require
from tracked import MlflowStore, tensorboard_values, wandb_files, wandb_values

import joulemark as package
from joulemark.suite.results.export import tracked

require("mlflow", "tensorboard", "torch")
WANDB = importlib.util.find_spec("wandb") is not None


@pytest.mark.slow
def test_a_run_is_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "joulemark.toml").write_text(FAST)
    store = MlflowStore(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # to read it
    names = ["mlflow", "tensorboard:events", *(["wandb"] if WANDB else [])]
    arguments = ["--profile", "fast", "-k", "cnn", "--framework", "pytorch", "--rounds", "1", "--zone", "CH"]
    arguments += ["--sensor", "simulated:rapl/constant", "--json", *known("pytorch")]
    broken = tmp_path / "file"
    broken.touch()  # where a directory should be
    tracks = [part for name in (*names, f"tensorboard:{broken}") for part in ("--track", name)]
    variables = {**store.variables, "WANDB_DATA_DIR": str(tmp_path)}
    done = joulemark(tmp_path, "run", *arguments, *tracks, variables=variables, timeout=600)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    run_file = package.read(document["path"])
    rows = tracked.rows(run_file)
    expected = {f"{row.series}/{name}": {0: value} for row in rows for name, value in row.values.items()}
    assert len(expected) > 10

    (run,) = store.runs()
    assert store.values(run) == expected
    assert run.data.params["joulemark.run"] == run_file.run.id
    files = store.files(run)
    assert files[Path(document["path"]).name].read_bytes() == Path(document["path"]).read_bytes()
    assert files[Path(document["report"]).name].read_bytes() == Path(document["report"]).read_bytes()
    in_events = tensorboard_values(tmp_path / "events")
    assert in_events.keys() == expected.keys()
    for name, values in expected.items():
        assert in_events[name] == pytest.approx(values, rel=1e-6)
    if WANDB:
        assert wandb_values(tmp_path) == expected
        assert len(wandb_files(tmp_path)) == 2

    # One tracker that cannot be written is a line, and costs neither the others nor the run.
    assert [each["problem"] is None for each in document["tracked"]] == [True] * len(names) + [False]
    (line,) = [line for line in done.stderr.splitlines() if "Not logged" in line]
    assert "FileExistsError" in line
    assert document["path"] in line


@pytest.mark.parametrize(
    ("name", "message"),
    [("active", "is for joulemark.Meter"), ("comet", "unknown tracker 'comet'"), ("mlflow:x", "track is mlflow")],
)
def test_what_cannot_be_logged_to_is_refused_before_anything_runs(tmp_path: Path, name: str, message: str) -> None:
    done = joulemark(tmp_path, "run", "--track", name, "--dry-run")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert message in done.stderr
