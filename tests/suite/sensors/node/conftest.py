"""Servers on loopback that answer as devices do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from grid_server import Answer, GridServer, grid_server

from joulemark.suite.sensors.node.live import check_use


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], GridServer]]:
    """Start a server for an answer; it stops with the test."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(grid_server(answer))


@pytest.fixture(autouse=True)
def _nothing_is_checked_yet() -> None:
    check_use.cache_clear()
