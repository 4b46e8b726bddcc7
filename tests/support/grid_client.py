"""The client and the service of the suite, set up for tests against a server on loopback."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from grid_server import NOW, TOKEN, Answer, GridServer, Reply

from joulemark.suite.carbon.cache import Cache
from joulemark.suite.carbon.electricity_maps import ElectricityMaps
from joulemark.suite.carbon.location import by_zone
from joulemark.suite.carbon.service import Service, from_environment
from joulemark.suite.carbon.transport import Transport

CH = by_zone("CH")
Use = Callable[[Answer], GridServer]
"""Starts a server that answers so."""


def client(
    server: GridServer, cache: Cache | None = None, now: datetime = NOW, timeout_s: float = 2.0
) -> ElectricityMaps:
    return ElectricityMaps(Transport(server.url, TOKEN, timeout_s, backoff_s=0.01), cache, lambda: now)


def always(document: Any = None, status: int = 200, **more: Any) -> Answer:
    return lambda path, parameters: Reply(document, status, **more)


def service(server: GridServer, **more: Any) -> Service:
    environment = {"ELECTRICITYMAPS_API_TOKEN": TOKEN, "JOULEMARK_ELECTRICITYMAPS_URL": server.url}
    more = {"cache": None, "clock": lambda: NOW, "timeout_s": 2.0, "backoff_s": 0.01, **more}
    return from_environment(False, "lifecycle", environment=environment, **more)
