"""A fork server with PyTorch that all tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import faulty_trials
import pytest

from joulemark.suite.trial.fork_server_client import ForkServer


@pytest.fixture(scope="session")
def pid_file(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("faults") / "pid"


@pytest.fixture(scope="session")
def variables(tmp_path_factory, pid_file) -> dict[str, str]:
    return faulty_trials.variables(tmp_path_factory.mktemp("scratch"), pid_file)


@pytest.fixture(scope="session")
def server(variables) -> Iterator[ForkServer]:
    started = ForkServer("pytorch", variables)
    assert started.wait_ready() == ""
    yield started
    started.close()
