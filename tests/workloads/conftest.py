"""The frameworks' processes, shared by all tests of workloads."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from framework_process import Processes

# Functions of the test modules cross into the framework processes by name, `tests.workloads...`. At the end of the
# path, so that the packages under test are still the installed ones.
sys.path.append(str(Path(__file__).parents[2]))


@pytest.fixture(scope="session")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """One process a framework. JAX compiles without LLVM's optimisations, which are most of its time.

    What it compiles is kept for other tests of this run, in other workers too.
    """
    own = tmp_path_factory.getbasetemp()
    cache = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "jax"
    jax = {
        "XLA_FLAGS": "--xla_backend_optimization_level=0",
        "JAX_COMPILATION_CACHE_DIR": str(cache),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    processes = Processes({"jax": jax})
    yield processes
    processes.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a framework as slow."""
    for item in items:
        if "processes" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
