"""What a service answers: a response, or the error that stands for one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from joulemark.suite.system.text import one_line

TIMEOUT_S: Final = 10.0
"""Limit for a whole request: name look-up, connection, retries, headers and body."""

MAX_MESSAGE: Final = 300
"""Characters of a message."""

ErrorKind = Literal[
    "no_token", "bad_token", "not_licensed", "no_data", "throttled", "server", "unreachable", "timeout", "malformed",
    "sandbox", "out_of_range", "wrong_zone", "stale", "request",
]  # fmt: skip


@dataclass(frozen=True)
class JsonResponse:
    """A response of the service, free of the token."""

    status: int
    document: Any
    """The JSON; None where the body is not JSON."""
    retry_after_s: int | None
    retrieved_at: str
    """When it was received, ISO 8601: earlier than now where it was kept."""


class ServiceError(Exception):
    """Why the service gave no usable answer."""

    def __init__(self, kind: ErrorKind, message: str) -> None:
        """`message` may quote the service: of what it sent, one line of at most MAX_MESSAGE characters is kept."""
        self.kind = kind
        self.message = one_line(message)[:MAX_MESSAGE]
        super().__init__(self.message)
