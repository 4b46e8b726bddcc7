"""Responses kept on disk until their next interval begins, so that many cases and runs send one request.

requests-cache does the keeping. Freshness is judged here by the caller's clock, since requests-cache knows only the
machine's. Whatever goes wrong in reading or writing a file costs another request, and nothing else.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import requests
from requests_cache import CachedSession
from requests_cache.backends.base import BaseCache
from requests_cache.backends.filesystem import FileDict
from requests_cache.models.response import CachedResponse

from joulemark.suite.carbon.series import HOUR, LENGTHS, parse_time, start_of_interval
from joulemark.suite.system.directories import make_private

RETRIEVED_AT: Final = "X-Retrieved-At"
"""Response header in which the transport notes when it received the response, ISO 8601."""
SECRET_HEADERS: Final = ("auth-token", "Authorization")
"""Request headers that requests-cache blanks out before it writes."""
Check = Callable[[requests.Response], bool]

logging.getLogger("requests_cache").addHandler(logging.NullHandler())  # it would report damaged files on stderr


class IntervalCache(BaseCache):
    """Responses as JSON files in a directory, valid at `now` if received in the same interval of their granularity."""

    def __init__(self, directory: Path, now: datetime, is_valid: Check) -> None:
        """Create the directory. OSError where that is not possible."""
        super().__init__()
        make_private(directory)
        self.responses = FileDict(directory, serializer="json", decode_content=True)
        self._now, self._is_valid = now, is_valid

    def get_response(self, key: str, default: CachedResponse | None = None) -> CachedResponse | None:
        """Return the response under `key` if it is of this interval, not of the future, and valid; else `default`."""
        with contextlib.suppress(Exception):
            response = super().get_response(key)
            if response is not None:
                received = parse_time(response.headers[RETRIEVED_AT])
                begin = start_of_interval(self._now, _kept_for(response))
                if begin <= received <= self._now and self._is_valid(response):
                    return response
        return default

    def save_response(self, *args: Any, **more: Any) -> None:
        """Keep a response, if the disk allows it."""
        with contextlib.suppress(Exception):
            super().save_response(*args, **more)


def _kept_for(response: CachedResponse) -> timedelta:
    """Return the length of the intervals in `response`, an hour at most: an estimate of a day may be revised."""
    return min(LENGTHS.get(str(response.json().get("temporalGranularity")), HOUR), HOUR)


def session(directory: Path | None, now: datetime, is_valid: Check) -> requests.Session:
    """Return a session that keeps valid responses in `directory`, or a plain one where that cannot be written."""
    if directory is not None:
        with contextlib.suppress(OSError):
            return CachedSession(
                backend=IntervalCache(directory, now, is_valid),
                ignored_parameters=SECRET_HEADERS,
                filter_fn=is_valid,
                expire_after=HOUR,
            )
    return requests.Session()
