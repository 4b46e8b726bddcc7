"""A store of MLflow for a test, and an end to meter processes."""

from __future__ import annotations

import pytest
from tracked import MlflowStore, imported

from joulemark import meter_process


@pytest.fixture(scope="module", autouse=True)
def _close_processes():
    yield
    meter_process.close()


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = MlflowStore(tmp_path)
    for name, value in made.variables.items():
        monkeypatch.setenv(name, value)
    imported("mlflow").set_tracking_uri(made.uri)
    return made
