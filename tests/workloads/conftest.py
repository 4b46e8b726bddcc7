"""The frameworks' processes, shared by all tests of workloads."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from framework_process import Processes

# Functions of the test modules cross into the framework processes by name, `tests.workloads...`. At the end of the
# path, so that the packages under test are still the installed ones.
sys.path.append(str(Path(__file__).parents[2]))


@pytest.fixture(scope="session")
def processes() -> Iterator[Processes]:
    """One process a framework."""
    processes = Processes()
    yield processes
    processes.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a framework as slow."""
    for item in items:
        if "processes" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
