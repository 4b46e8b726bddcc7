"""A server on loopback for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from grid_client import StartServer
from grid_server import Answer, GridServer


@pytest.fixture
def start_server() -> Iterator[StartServer]:
    """Return a function that starts a server with an answer; servers stop after the test."""
    servers: list[GridServer] = []

    def start(answer: Answer) -> GridServer:
        server = GridServer(answer)
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()
