"""A real HTTP server on loopback that answers as Electricity Maps does, and as it should not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

NOW = datetime(2026, 11, 23, 12, 20, tzinfo=UTC)
"""The time that all answers are about."""

TOKEN = "s3cr3t-t0k3n-XYZ"


@dataclass
class Reply:
    """What the server answers to one request."""

    document: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """Instead of `document`."""
    promised: int | None = None
    """Content-Length, where it is not the body's."""
    stall_s: float = 0.0
    """Pause before the body."""
    drip_s: float = 0.0
    """Pause after each of its bytes."""
    raw: tuple[bytes, bytes, float] | None = None
    """Instead of all that: bytes, then others over and over for 5 s, and the pause between them, seconds."""


Answer = Callable[[str, dict[str, str]], Reply]
"""(path, parameters) -> reply."""


@dataclass
class Request:
    """One request that arrived."""

    path: str
    parameters: dict[str, str]
    headers: dict[str, str]
    at_s: float


class GridServer:
    """The server; `answer` may be changed at any time."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.done = threading.Event()
        self.hung_up = threading.Event()
        """Set once a client has gone away before its answer ended."""
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server._serve(self)

            def log_message(self, *arguments: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        """The base address, as in JOULEMARK_ELECTRICITYMAPS_URL."""
        return f"http://127.0.0.1:{self._http.server_port}/v4"

    @property
    def paths(self) -> list[str]:
        """The paths requested, in order."""
        return [request.path for request in self.requests]

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        parameters = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = parts.path.removeprefix("/v4/")
        self.requests.append(Request(path, parameters, dict(handler.headers), time.monotonic()))
        reply = self.answer(path, parameters)
        body = reply.body if reply.body is not None else json.dumps(reply.document).encode()
        try:
            if reply.raw is not None:
                self._send_raw(handler, *reply.raw)
                return
            handler.send_response(reply.status)
            for name, value in reply.headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(reply.promised if reply.promised is not None else len(body)))
            handler.send_header("Connection", "close")
            handler.end_headers()
            self.done.wait(reply.stall_s)
            for byte in [body] if not reply.drip_s else [body[i : i + 1] for i in range(len(body))]:
                handler.wfile.write(byte)
                if reply.drip_s and self.done.wait(reply.drip_s):
                    return
        except OSError:
            self.hung_up.set()  # as it should after a stall
        finally:
            handler.close_connection = True

    def _send_raw(self, handler: BaseHTTPRequestHandler, begin: bytes, repeated: bytes, pause_s: float) -> None:
        handler.wfile.write(begin)
        end_s = time.monotonic() + 5.0
        while time.monotonic() < end_s and not self.done.wait(pause_s):
            handler.wfile.write(repeated)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.done.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


@contextmanager
def grid_server(answer: Answer) -> Iterator[GridServer]:
    """Run a server during a test."""
    server = GridServer(answer)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def hour(time: datetime) -> datetime:
    """Return the full hour at or before `time`."""
    return time.replace(minute=0, second=0, microsecond=0)


def stamp(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def row(start: datetime, value: Any = 123, **more: Any) -> dict[str, Any]:
    """Return one interval in the service's form."""
    return {
        "carbonIntensity": value,
        "datetime": stamp(start),
        "updatedAt": stamp(start + timedelta(minutes=40)),
        "createdAt": stamp(start - timedelta(days=3)),
        "emissionFactorType": "lifecycle",
        "isEstimated": False,
        "estimationMethod": None,
        **more,
    }


def latest(zone: str = "CH", value: Any = 123, start: datetime | None = None, **more: Any) -> dict[str, Any]:
    return {"zone": zone, **row(start or hour(NOW), value), "temporalGranularity": "hourly", "flowTraced": True, **more}


def listed(
    name: str, values: dict[datetime, Any], zone: str = "CH", row_more: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """Return `history` or `data` (past-range) of hourly `values`."""
    rows = [row(start, value, **(row_more or {})) for start, value in values.items()]
    return {"zone": zone, name: rows, "temporalGranularity": "hourly", **more}


def forecast(values: dict[datetime, Any], zone: str = "CH") -> dict[str, Any]:
    rows = [{"carbonIntensity": value, "datetime": stamp(start)} for start, value in values.items()]
    return {"zone": zone, "forecast": rows, "updatedAt": stamp(NOW), "temporalGranularity": "hourly"}


def hourly(start: datetime, *values: Any) -> dict[datetime, Any]:
    """Return values of the hours from `start` on."""
    return {start + timedelta(hours=i): value for i, value in enumerate(values)}


def good(path: str, parameters: dict[str, str]) -> Reply:
    """Answer as a working service does at `NOW`: 100 + hour of the day, g/kWh."""
    zone = parameters.get("zone", "CH")
    day = [hour(NOW) - timedelta(hours=i) for i in range(23, -1, -1)]
    kind = path.rpartition("/")[2]
    if kind == "latest":
        return Reply(latest(zone, 100 + NOW.hour))
    if kind == "history":
        return Reply(listed("history", {start: 100 + start.hour for start in day}, zone))
    if kind == "past-range":
        start, end = (datetime.fromisoformat(parameters[name]) for name in ("start", "end"))
        hours = [start + timedelta(hours=i) for i in range(int((end - start) / timedelta(hours=1)))]
        return Reply(listed("data", {time: 100 + time.hour for time in hours}, zone))
    if kind == "forecast":
        count = int(parameters["horizonHours"]) + 1  # both ends, as the service does
        return Reply(forecast({hour(NOW) + timedelta(hours=i): 200 + i for i in range(count)}, zone))
    return Reply({"error": "no such path"}, 404)
