"""JSON from a device on the local network: a management controller, a smart plug. Nothing that it sends is trusted.

A request has a deadline as a whole, a response a size, and a redirect is not followed: it would carry credentials to
whatever address it names. Connections stay open between reads, since a TLS handshake would cost more than all else.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

import requests
from requests.auth import AuthBase

from joulemark import __version__
from joulemark.suite.errors import UsageError
from joulemark.suite.sensors.base import UnreadableError
from joulemark.suite.system.deadline import HEADERS, BoundedAdapter, Cleaned, Deadline
from joulemark.suite.system.redaction import is_secret_name, redacted
from joulemark.suite.system.text import one_line

TIMEOUT_S: Final = 4.0
"""Limit for a whole request; slow controllers take two seconds."""
MAX_BYTES: Final = 1_000_000
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
KEPT_HEADERS: Final = ("Location", "WWW-Authenticate")
CERTIFICATES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that name a file of certificates, as requests reads them."""
_ADDRESS: Final = re.compile(r"[\x21-\x7e]+")


def parse_address(sensor: str, text: str, default_scheme: str) -> SplitResult:
    """Return the address in `text`, the argument of `sensor`, with `default_scheme` where it has none.

    Raises UsageError for what is no address, and for one with credentials, which it does not repeat.
    """
    variables = f"JOULEMARK_{sensor.upper()}_USER and JOULEMARK_{sensor.upper()}_PASSWORD"
    try:
        parts = urlsplit(text if "://" in text else f"{default_scheme}://{text}")
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if "@" in text or any(is_secret_name(name) for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        raise UsageError(f"--sensor {sensor} takes no credentials in its address: set {variables}.")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment or not _ADDRESS.fullmatch(text):
        raise UsageError(f"--sensor {sensor} got {redacted(text)!r}, which is no address of http or https.")
    return parts


class Device:
    """GET below one address. Its text forms do not show credentials."""

    def __init__(
        self,
        address: SplitResult,
        auth: tuple[str, str] | AuthBase | None = None,
        headers: Mapping[str, str] | None = None,
        credentials_fix: str = "",
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """`credentials_fix` says what to do where the device refuses access."""
        self.host = address.hostname or ""
        self._base = f"{address.scheme}://{address.netloc}"
        self._auth, self._headers = auth, {**HEADERS, "User-Agent": f"joulemark/{__version__}", **(headers or {})}
        self._credentials_fix, self._timeout_s = credentials_fix, timeout_s
        self._deadline = Deadline(0.0)
        self._session: requests.Session | None = None

    def __repr__(self) -> str:
        return f"Device({self.host})"

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the JSON object at `path`, which begins with `/`. UnreadableError where there is none in time."""
        self._deadline = deadline = Deadline(self._timeout_s)
        session = self._session = self._session or self._new_session()
        try:
            result = deadline.run(lambda: self._exchange(session, path, parameters), keep_open=True)
        except TimeoutError:
            result = None
        if isinstance(result, dict):
            return result
        self.close()
        raise result or self._no_answer()

    def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _reason(self, text: str) -> str:
        return f"{self.host} {text}"

    def _no_answer(self) -> UnreadableError:
        return UnreadableError(self._reason(f"did not answer within {self._timeout_s:g} s"), present=False)

    def _too_much(self) -> UnreadableError:
        return UnreadableError(self._reason(f"sends more than {MAX_BYTES:,} bytes"))

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False  # no proxy, and no credentials but the variables'
        session.verify = next(filter(None, map(os.environ.get, CERTIFICATES)), True)
        adapter = BoundedAdapter(lambda: self._deadline, MAX_BYTES, self._too_much, _clean)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session

    def _exchange(
        self, session: requests.Session, path: str, parameters: Mapping[str, str] | None
    ) -> dict[str, Any] | UnreadableError:
        """Return the JSON object at `path`, or why there is none: an exception would refer to the credentials."""
        try:
            with session.get(
                self._base + path,
                params=parameters,
                headers=self._headers,
                auth=self._auth,
                timeout=self._timeout_s,
                allow_redirects=False,
                stream=True,
            ) as response:
                return self._refusal(response) or self._object(response.content)
        except UnreadableError as error:
            return error
        except requests.exceptions.SSLError:
            return UnreadableError(
                self._reason("has a certificate that cannot be verified"),
                f"Set REQUESTS_CA_BUNDLE to a file with the certificate of {self.host}, or of who signed it.",
            )
        except Exception as error:  # noqa: BLE001  nothing of an exception that refers to the request may get out
            if "Timeout" in type(error).__name__ or self._deadline.left_s() <= 0:
                return self._no_answer()
            reason = self._reason(f"cannot be reached ({type(error).__name__})")
            return UnreadableError(reason, "Check the address, and that it answers to curl.", present=False)

    def _refusal(self, response: requests.Response) -> UnreadableError | None:
        """Return why a response is of no use; None for one with status 200."""
        status = response.status_code
        if status == 200:
            return None
        if status in (401, 403):
            reason = self._reason(f"refuses access (HTTP {status})")
            return UnreadableError(reason, self._credentials_fix, status=status)
        if 300 <= status < 400:
            place = redacted(one_line(response.headers.get("Location", "")))[:100]
            return UnreadableError(
                self._reason(f"redirects to {place!r}, which is not followed"), "Name that address, if it is right."
            )
        return UnreadableError(self._reason(f"answers HTTP {status}"), status=status)

    def _object(self, body: bytes) -> dict[str, Any] | UnreadableError:
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            return UnreadableError(self._reason("sends no JSON"))
        return document if isinstance(document, dict) else UnreadableError(self._reason("sends no JSON object"))


def _clean(response: requests.Response, body: bytes) -> Cleaned:
    # No other header is of use, and one might have the body unpacked to more than it is.
    return body, {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
