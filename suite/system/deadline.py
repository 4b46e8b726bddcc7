"""A time limit for a whole exchange over the network: name look-up, connection, headers, body and retries.

The time-outs of sockets are for one read: an answer that comes byte by byte, or interim answers without end, never
reach them. The exchange therefore runs in a thread that is waited for until the deadline, and its sockets are shut down
then, which ends it wherever it is.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Self, TypeVar

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse, Retry
from urllib3.connection import HTTPConnection
from urllib3.exceptions import InvalidHeader, MaxRetryError, ResponseError

READ_BYTES: Final = 65_536
HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "identity"}
"""Of requests for JSON; who sends one adds its User-Agent."""
T = TypeVar("T")
Cleaned = tuple[bytes, Mapping[str, str]]
"""The body and the headers of a response, as far as they are of use."""


class Deadline:
    """The end of the time for one exchange."""

    def __init__(self, limit_s: float) -> None:
        """`limit_s`: the time from now, seconds."""
        self._at_s = time.monotonic() + limit_s
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._over = False

    def left_s(self) -> float:
        """Return the time that is left, seconds; negative after the end."""
        return self._at_s - time.monotonic()

    def run(self, exchange: Callable[[], T], keep_open: bool = False) -> T:
        """Return what `exchange`, which raises nothing, returns. TimeoutError if it has not ended by the deadline.

        Its connections are shut down with it, unless it ended in time and they are to be kept open for the next.
        """
        results: list[T] = []
        thread = threading.Thread(target=lambda: results.append(exchange()), daemon=True)
        thread.start()
        try:
            thread.join(max(0.0, self.left_s()))
            if thread.is_alive():
                raise TimeoutError
        finally:
            self._end(shut_down=thread.is_alive() or not keep_open)
        return results[0]

    def watch(self, connection: HTTPConnection) -> None:
        """Have the socket of a connection shut down at the end; raises TimeoutError after it."""
        with self._lock:
            if self._over:
                connection.close()
                raise TimeoutError
            assert connection.sock is not None
            # A descriptor of its own, so that no other file can have got the number meanwhile.
            self._sockets.append(socket.socket(fileno=os.dup(connection.sock.fileno())))

    def _end(self, shut_down: bool) -> None:
        with self._lock:
            self._over = True
            for each in self._sockets:
                if shut_down:
                    with contextlib.suppress(OSError):  # it has been closed by its other side
                        each.shutdown(socket.SHUT_RDWR)
                each.close()
            self._sockets.clear()


class RetryPolicy(Retry):
    """urllib3's retries, but none that could not begin before the deadline, and no reading of what is not used."""

    deadline: Deadline | None = None

    def new(self, **fields: Any) -> Self:
        """Return a copy with other `fields`."""
        copy = super().new(**fields)
        copy.deadline = self.deadline
        return copy

    def increment(self, *args: Any, **more: Any) -> Self:
        """Return the state after one more failure; MaxRetryError ends the attempts with the response at hand."""
        response = more.get("response")
        try:
            wait_s = (self.get_retry_after(response) or 0.0) if response is not None else 0.0
        except InvalidHeader:
            wait_s = math.inf
        following = super().increment(*args, **more)
        if self.deadline is not None and max(wait_s, following.get_backoff_time()) >= self.deadline.left_s():
            raise MaxRetryError(more["_pool"], "", ResponseError("there is no time for another attempt"))
        if response is not None:
            response.close()  # urllib3 would read the rest, which may have no end
        return following


class BoundedAdapter(HTTPAdapter):
    """Reads whole bodies of a limited size, over connections that end at the deadline of the request."""

    def __init__(
        self,
        deadline: Callable[[], Deadline],
        max_bytes: int,
        error: Callable[[], Exception],
        clean: Callable[[requests.Response, bytes], Cleaned],
        retries: Retry | int = 0,
    ) -> None:
        """`error` makes what is raised for more than `max_bytes`; a response becomes what `clean` leaves of it."""
        super().__init__(max_retries=retries)
        self._deadline, self._max_bytes, self._error, self._clean = deadline, max_bytes, error, clean

    def get_connection_with_tls_context(self, *args: Any, **more: Any) -> Any:
        """Return a pool of such connections."""
        pool: Any = super().get_connection_with_tls_context(*args, **more)
        if not getattr(pool.ConnectionCls, "is_watched", False):
            pool.ConnectionCls = _watched(pool.ConnectionCls, self._deadline)
        return pool

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        """Return the response with its body read."""
        response = super().send(request, *args, **more)
        body = bytearray()
        try:
            # read1 returns what has arrived; read would wait for a whole block.
            while block := response.raw.read1(READ_BYTES):
                body += block
                if len(body) > self._max_bytes:
                    raise self._error()
        except BaseException:
            response.close()
            raise
        kept, headers = self._clean(response, bytes(body))
        raw = HTTPResponse(
            io.BytesIO(kept),
            headers,
            response.status_code,
            reason="",
            request_url=request.path_url,
            preload_content=False,
        )
        return self.build_response(request, raw)


def _watched(base: type[Any], deadline: Callable[[], Deadline]) -> type[Any]:
    """Return the class of connections `base`, of urllib3, whose sockets are shut down at the deadline."""

    class Connection(base):  # type: ignore[misc]
        is_watched = True

        def connect(self) -> None:
            super().connect()
            deadline().watch(self)

        def request(self, *args: Any, **more: Any) -> None:
            if self.sock is not None:  # it was kept open
                deadline().watch(self)
            super().request(*args, **more)

    return Connection
