"""One careful GET: time-outs, retries with back-off, and a token that never leaves the request's header.

Nothing here raises anything but `Failure`, whose text holds neither the token nor the address's credentials; it is
raised outside of `except`, since an exception of requests holds the request with its headers.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Literal
from urllib.parse import SplitResult, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, Retry
from urllib3.exceptions import HTTPError, InvalidHeader, MaxRetryError, ResponseError

TIMEOUT_S: Final = 10.0
LONGEST_WAIT_S: Final = 30.0
"""A service that asks for a longer pause than this is left alone."""
MOST_BYTES: Final = 4_000_000
"""Ten days by the hour are 60 kB; more than this is no answer."""
READ_BYTES: Final = 65_536

Kind = Literal[
    "no_token", "bad_token", "not_licensed", "no_data", "throttled", "server", "unreachable", "timeout", "malformed",
    "sandbox", "out_of_range", "wrong_zone", "stale", "request",
]  # fmt: skip


class Failure(Exception):  # noqa: N818  it is what a look-up comes to, not a bug
    """Why there is no answer."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


@dataclass(frozen=True)
class Answer:
    """What the service said."""

    status: int
    document: Any
    """The JSON; None where it was none."""
    retry_after: str | None


class Patience(Retry):
    """urllib3's retries, but an end where the service asks for a pause that nobody would wait for."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: TracebackType | None = None,
    ) -> Patience:
        """The state after one more failure; MaxRetryError ends the attempts with the answer at hand."""
        try:
            wait_s = (self.get_retry_after(response) or 0.0) if response is not None else 0.0
        except InvalidHeader:
            wait_s = LONGEST_WAIT_S + 1
        if wait_s > LONGEST_WAIT_S:
            raise MaxRetryError(_pool, url or "", ResponseError("asked to wait too long"))
        return super().increment(method, url, response, error, _pool, _stacktrace)


class Transport:
    """GET below one base address. Holds the token; its text forms do not show it."""

    def __init__(self, base_url: str, token: str, timeout_s: float = TIMEOUT_S, backoff_s: float = 0.5) -> None:
        """`timeout_s` bounds the connection and the whole answer; `backoff_s` doubles with each retry, jittered.

        Failure where the address is none, or would carry the token over a network in the clear.
        """
        self._base, self._token, self._timeout_s = base_url.rstrip("/"), token.strip(), timeout_s
        parts = _split(self._base)
        self.host = parts.hostname or ""
        if parts.scheme not in {"http", "https"} or not self.host:
            raise Failure("request", "the address of the service is not an http or https address")
        if not self._token:
            raise Failure("no_token", "the token is empty")
        if parts.scheme == "http" and self.host not in {"localhost", "127.0.0.1", "::1"}:
            raise Failure("request", f"{self.host} is not addressed by https: the token is not sent in the clear")
        if not (self._token.isascii() and self._token.isprintable() and " " not in self._token):
            raise Failure("bad_token", "the token has characters that none can have")
        retries = Patience(
            total=3,
            connect=1,
            read=0,
            redirect=0,
            status_forcelist=(429, 500, 502, 503, 504),
            allowed_methods=("GET",),
            backoff_factor=backoff_s,
            backoff_jitter=backoff_s,
            raise_on_status=False,
        )
        self._adapter = HTTPAdapter(max_retries=retries)

    def __repr__(self) -> str:
        return f"Transport({self.host})"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a transport is not copied: it holds a token")

    def get(self, path: str, parameters: Mapping[str, str], user_agent: str) -> Answer:
        """The answer to GET `path`; Failure where there is none within the time."""
        begun = time.monotonic()
        try:
            found: Answer | Failure = self._get(path, parameters, user_agent)
        except (OSError, ValueError, HTTPError) as error:  # requests' own exceptions are OSErrors
            if isinstance(error, requests.Timeout) or time.monotonic() - begun >= self._timeout_s:
                found = Failure("timeout", f"{self.host} did not answer within {self._timeout_s:g} s")
            else:
                found = Failure("unreachable", f"{self.host} cannot be reached ({type(error).__name__})")
        if isinstance(found, Failure):
            raise found
        return found

    def _get(self, path: str, parameters: Mapping[str, str], user_agent: str) -> Answer | Failure:
        headers = {
            "auth-token": self._token,
            "User-Agent": user_agent,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            # A retry on a connection that the server has closed would look like a broken one.
            "Connection": "close",
        }
        with requests.Session() as session:
            session.mount("https://", self._adapter)
            session.mount("http://", self._adapter)
            # A redirect would carry the token to whatever address it names.
            with session.get(
                f"{self._base}/{path}",
                params=dict(parameters),
                headers=headers,
                timeout=(self._timeout_s, self._timeout_s),
                allow_redirects=False,
                stream=True,
            ) as response:
                body = self._body(response)
                if isinstance(body, Failure):
                    return body
                # Some services repeat what they were sent: from here on nothing holds the token.
                body = body.replace(self._token.encode(), b"***")
                return Answer(response.status_code, _json(body), response.headers.get("Retry-After"))

    def _body(self, response: requests.Response) -> bytes | Failure:
        """The whole body, within the time however slowly it drips."""
        deadline = time.monotonic() + self._timeout_s
        body = bytearray()
        # read1 returns what has come; read would wait for a whole piece, however slowly that drips.
        while piece := response.raw.read1(READ_BYTES):
            body += piece
            if time.monotonic() > deadline:
                return Failure("timeout", f"{self.host} did not finish its answer within {self._timeout_s:g} s")
            if len(body) > MOST_BYTES:
                return Failure("malformed", f"{self.host} answered more than {MOST_BYTES} bytes")
        return bytes(body)


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
