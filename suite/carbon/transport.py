"""HTTP GET with a deadline, a size limit, retries with back-off, and a token that stays in the request's header.

Nothing here raises anything but `ServiceError`, whose text holds neither the token nor credentials of the address. It
is raised outside of `except`, since an exception of requests refers to the request with its headers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import requests
from requests.utils import get_auth_from_url

from joulemark import __version__
from joulemark.suite.carbon import response_cache
from joulemark.suite.carbon.series import iso
from joulemark.suite.carbon.service_response import TIMEOUT_S, JsonResponse, ServiceError
from joulemark.suite.system.deadline import HEADERS, BoundedAdapter, Cleaned, Deadline, RetryPolicy
from joulemark.suite.system.redaction import HIDDEN, pattern_of, redacted

MAX_BYTES: Final = 4_000_000
"""Ten days by the hour are 60 kB; a longer response is no answer."""
AGENT: Final = f"joulemark/{__version__}"
T = TypeVar("T")


class Transport:
    """GET below one base address. It holds the token; its text forms do not show it."""

    def __init__(
        self, base_url: str, token: str, timeout_s: float = TIMEOUT_S, backoff_s: float = 0.5, cache: Path | None = None
    ) -> None:
        """Check the address and the token. ServiceError for no address, or one that would send the token in the clear.

        Credentials in `base_url` are sent, and neither shown nor kept. `timeout_s` limits each request as a whole.
        The pause `backoff_s` before the first retry doubles with each, with jitter. `cache` is a directory to
        keep responses in (`response_cache`).
        """
        self._token, self._timeout_s, self._cache = token.strip(), timeout_s, cache
        try:
            parts = urlsplit(base_url.rstrip("/"))
        except ValueError:
            parts = urlsplit("")
        self.host = parts.hostname or ""
        if parts.scheme not in {"http", "https"} or not self.host:
            raise ServiceError("request", "the address of the service is not an http or https URL")
        if not self._token:
            raise ServiceError("no_token", "the token is empty")
        if parts.scheme == "http" and self.host not in {"localhost", "127.0.0.1", "::1"}:
            raise ServiceError("request", f"{self.host} does not use https: the token is not sent in the clear")
        if not (self._token.isascii() and self._token.isprintable() and " " not in self._token):
            raise ServiceError("bad_token", "the token has invalid characters")
        self._base = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        self._credentials = get_auth_from_url(base_url) if "@" in parts.netloc else None
        user, password = self._credentials or ("", "")
        self._secrets = pattern_of([self._token, password, f"{user}:{password}" if password else ""])
        # http is for this machine alone: the token would pass a proxy in the clear.
        self._trust_proxies = parts.scheme == "https"
        self._retries = RetryPolicy(
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

    def __repr__(self) -> str:
        return f"Transport({self.host})"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a transport is not copied: it holds a token")

    def get(self, path: str, parameters: Mapping[str, str], now: datetime, parse: Callable[[JsonResponse], T]) -> T:
        """Return what `parse` makes of the response to GET `path`; only a response that it accepts is kept.

        ServiceError where `parse` does not accept the response, or there is none within the time.
        """
        deadline = Deadline(self._timeout_s)
        try:
            result = deadline.run(lambda: self._exchange(deadline, path, parameters, now, parse))
        except TimeoutError:
            result = self._timeout()
        if isinstance(result, ServiceError):
            raise result
        return parse(result)

    def _exchange(
        self,
        deadline: Deadline,
        path: str,
        parameters: Mapping[str, str],
        now: datetime,
        parse: Callable[[JsonResponse], T],
    ) -> JsonResponse | ServiceError:
        try:
            with self._session(deadline, now, parse) as session:
                # A redirect would carry the token to whatever address it names.
                response = session.get(
                    f"{self._base}/{path}",
                    params=dict(parameters),
                    # A retry on a connection that the server has closed would look like a broken one.
                    headers=HEADERS | {"User-Agent": AGENT, "Connection": "close", "auth-token": self._token},
                    auth=self._credentials,
                    timeout=(self._timeout_s, self._timeout_s),
                    allow_redirects=False,
                )
                return _json_response(response)
        except ServiceError as error:
            return ServiceError(error.kind, error.message)
        except Exception as error:  # noqa: BLE001  nothing of an exception that refers to the request may get out
            if isinstance(error, requests.Timeout) or deadline.left_s() <= 0:
                return self._timeout()
            return ServiceError("unreachable", f"{self.host} cannot be reached ({type(error).__name__})")

    def _timeout(self) -> ServiceError:
        return ServiceError("timeout", f"{self.host} did not answer within {self._timeout_s:g} s")

    def _session(self, deadline: Deadline, now: datetime, parse: Callable[[JsonResponse], object]) -> requests.Session:
        def is_valid(response: requests.Response) -> bool:
            try:
                parse(_json_response(response))
            except ServiceError:
                return False
            return True

        session = response_cache.session(self._cache, now, is_valid)
        session.trust_env = self._trust_proxies
        retries = self._retries.new()
        retries.deadline = deadline

        def clean(response: requests.Response, body: bytes) -> Cleaned:
            """Return a response free of secrets, which some services repeat."""
            retry_after = response.headers.get("Retry-After", "")
            headers = {"Content-Type": "application/json", response_cache.RETRIEVED_AT: iso(now)}
            headers |= {"Retry-After": retry_after} if re.fullmatch(r"\d{1,6}", retry_after) else {}
            return _cleaned(body, self._secrets), headers

        def too_much() -> ServiceError:
            return ServiceError("malformed", f"{self.host} sent more than {MAX_BYTES} bytes")

        adapter = BoundedAdapter(lambda: deadline, MAX_BYTES, too_much, clean, retries)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session


def _json_response(response: requests.Response) -> JsonResponse:
    retry_after = response.headers.get("Retry-After")
    return JsonResponse(
        status=response.status_code,
        document=json.loads(response.content) if response.content else None,
        retry_after_s=None if retry_after is None else int(retry_after),
        retrieved_at=response.headers[response_cache.RETRIEVED_AT],
    )


def _cleaned(body: bytes, secrets: re.Pattern[str] | None) -> bytes:
    """Return the JSON in `body` without `secrets`, looked for after decoding; empty where there is none."""
    try:
        return json.dumps(_without(json.loads(body), secrets)).encode()
    except (ValueError, RecursionError):
        return b""


def _without(value: Any, secrets: re.Pattern[str] | None) -> Any:
    """Return a JSON value without `secrets` in its keys, texts and numbers."""
    if isinstance(value, dict):
        return {redacted(key, secrets): _without(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_without(item, secrets) for item in value]
    if isinstance(value, str):
        return redacted(value, secrets)
    return HIDDEN if secrets is not None and secrets.fullmatch(str(value)) else value
