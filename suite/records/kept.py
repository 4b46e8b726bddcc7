"""Records that are kept in the home from one command to the next, as a list in a JSON file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from joulemark.suite.records.base import Record
from joulemark.suite.system.directories import make_private
from joulemark.suite.system.output import atomic_replacement

R = TypeVar("R", bound=Record)


def load_records(path: Path, kind: type[R]) -> list[R]:
    """Return the records in `path`; none where it cannot be read, and without those that are damaged."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    records = []
    for entry in entries if isinstance(entries, list) else ():
        try:
            records.append(kind.model_validate(entry))
        except ValidationError:
            continue
    return records


def save_records(path: Path, records: Sequence[Record]) -> None:
    """Write `records` to `path`, for this user alone. OSError where it is not writable."""
    make_private(path.parent)
    with atomic_replacement(path, private=True) as temporary:
        entries = [record.model_dump(mode="json") for record in records]
        temporary.write_text(json.dumps(entries, indent=1), encoding="utf-8")
