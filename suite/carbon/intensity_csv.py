"""A user's own carbon intensity over time: a CSV of times and values, such as a grid operator's or a supplier's."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

from joulemark.suite.carbon.accounting import check_intensity
from joulemark.suite.carbon.series import Basis, Point, Series, in_order
from joulemark.suite.errors import UsageError
from joulemark.suite.system.text import read_text

MAX_INTERVAL: Final = timedelta(days=1)
"""A value holds until the next row, but no longer than this: the rest is then a gap."""


def read(path: Path, factors: Basis) -> Series:
    """Return the series in the CSV at `path`; `factors` chooses among its columns where it has both.

    Its header names a column of times (`time`, `datetime`, `Datetime (UTC)`) and one of values in g/kWh
    (`g_per_kwh`, `carbonIntensity`, `Carbon intensity gCO2eq/kWh (Life cycle)`), as Electricity Maps' downloads do.
    Times are ISO 8601 with an offset, or in a column that says UTC. UsageError names a row that is wrong.
    """
    try:
        text = read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"cannot read the intensities in {path}: {what}.") from None
    rows = [row for row in csv.reader(text.splitlines()) if row]
    if len(rows) < 2:
        raise UsageError(f"{path} has no intensities. Give a header, such as time,g_per_kwh, and a row for each time.")
    time_column, value_column = _columns(rows[0], factors, path)
    utc = "utc" in rows[0][time_column].lower()
    by_start: dict[datetime, float | None] = {}
    for number, row in enumerate(rows[1:], 2):
        try:
            cell = row[value_column].strip()
            by_start[_time(row[time_column], utc)] = check_intensity(float(cell)) if cell else None
        except (ValueError, IndexError) as error:
            raise UsageError(f"{path}, row {number}: {error}. Rows look like 2026-11-01T12:00Z,39.2.") from None
        except UsageError as error:
            raise UsageError(f"{path}, row {number}: {error}") from None
    if all(value is None for value in by_start.values()):
        raise UsageError(f"{path} has times but no intensities.")
    return Series(_points(by_start), source=f"the user's file {path.name}", zone=None, basis=factors)


def _columns(header: Sequence[str], factors: Basis, path: Path) -> tuple[int, int]:
    """Return the indices of the columns of times and of values."""
    names = [name.strip().lower().replace("_", " ") for name in header]
    times = [i for i, name in enumerate(names) if "time" in name or name == "date"]
    values = [i for i, name in enumerate(names) if "intensity" in name or name in {"g per kwh", "value", "g/kwh"}]
    word = "direct" if factors == "direct" else "life"
    chosen = [i for i in values if word in names[i]] or values
    if not times or not chosen:
        raise UsageError(
            f"{path} has the columns {', '.join(header)}. Name one 'time' and one 'g_per_kwh' in its first row."
        )
    return times[0], chosen[0]


def _time(text: str, utc: bool) -> datetime:
    time = datetime.fromisoformat(text.strip())
    if time.tzinfo is None:
        if not utc:
            raise ValueError(f"{text.strip()} has no offset from UTC")
        time = time.replace(tzinfo=UTC)
    return time.astimezone(UTC)


def _points(by_start: dict[datetime, float | None]) -> tuple[Point, ...]:
    """Return the points: a value holds until the next row, the last as long as the median; an empty cell is a gap."""
    starts = sorted(by_start)
    lengths = [following - start for start, following in pairwise(starts)]
    median = sorted(lengths)[len(lengths) // 2] if lengths else timedelta(hours=1)
    return in_order(
        Point(start, start + min(length, MAX_INTERVAL), value)
        for start, length in zip(starts, [*lengths, median], strict=True)
        if (value := by_start[start]) is not None
    )
