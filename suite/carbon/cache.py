"""Answers kept on disk until they are out of date, so that many runs ask once. It holds values, never a token."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from joulemark.suite.carbon.series import iso, parse_time
from joulemark.suite.errors import UsageError
from joulemark.suite.records import write_text


class Cache:
    """Documents by key in a directory. What cannot be read or written is as if it were not there."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def get(self, key: str, now: datetime) -> Any:
        """The document under `key`; None where there is none, or its time is over, or it is of the future."""
        try:
            entry = json.loads(self._path(key).read_text(encoding="utf-8"))
            fresh = parse_time(entry["stored"]) <= now < parse_time(entry["expires"])
            return entry["document"] if fresh and entry["key"] == key else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def put(self, key: str, document: Mapping[str, Any], now: datetime, expires: datetime) -> None:
        """Keep `document` under `key` until `expires`."""
        entry = {"key": key, "stored": iso(now), "expires": iso(expires), "document": document}
        try:
            write_text(self._path(key), json.dumps(entry))
        except UsageError:
            return  # a full or read-only disk costs a request more, and nothing else

    def _path(self, key: str) -> Path:
        return self._directory / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"
