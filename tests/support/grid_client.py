"""The client and the service of the suite, set up for tests against a server on loopback."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from grid_server import NOW, TOKEN, Answer, GridServer, Reply

from joulemark.suite.carbon.electricity_maps import ElectricityMaps
from joulemark.suite.carbon.location import by_zone
from joulemark.suite.carbon.service import Service, from_environment
from joulemark.suite.carbon.transport import Transport

CH = by_zone("CH")
StartServer = Callable[[Answer], GridServer]


def client(
    server: GridServer, cache: Path | None = None, now: datetime = NOW, timeout_s: float = 20.0
) -> ElectricityMaps:
    """Return a client of `server` whose clock stands at `now`."""
    return ElectricityMaps(Transport(server.url, TOKEN, timeout_s, backoff_s=0.01, cache=cache), lambda: now)


def always(document: Any = None, status: int = 200, **more: Any) -> Answer:
    """Return an answer that is the same for every request."""
    return lambda path, parameters: Reply(document, status, **more)


def service(server: GridServer, **more: Any) -> Service:
    """Return the service that an environment with the address of `server` gives."""
    environment = {"ELECTRICITYMAPS_API_TOKEN": TOKEN, "JOULEMARK_ELECTRICITYMAPS_URL": server.url}
    more = {"cache": None, "clock": lambda: NOW, "timeout_s": 20.0, "backoff_s": 0.01, **more}
    return from_environment(False, "lifecycle", environment=environment, **more)
