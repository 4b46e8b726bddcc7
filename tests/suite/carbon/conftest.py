"""A server on loopback for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from grid_client import Use
from grid_server import Answer, GridServer


@pytest.fixture
def use() -> Iterator[Use]:
    """Starts a server with an answer; it ends with the test."""
    started: list[GridServer] = []

    def start(answer: Answer) -> GridServer:
        server = GridServer(answer)
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()
