"""A user's own carbon intensity over time: a CSV of times and values, such as a grid operator's or a supplier's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from pathlib import Path
from typing import Final

from joulemark.suite.carbon.accounting import check_intensity
from joulemark.suite.carbon.series import Basis, Point, Series, in_order, to_utc
from joulemark.suite.errors import UsageError
from joulemark.suite.system.table_times import epoch_s, zone_in
from joulemark.suite.system.tables import Column, cells, columns, number, unit_in
from joulemark.suite.system.text import one_line, read_text

MAX_INTERVAL: Final = timedelta(days=1)
"""A value holds until the next row, but no longer than this: the rest is then a gap."""


def read(path: Path, factors: Basis) -> Series:
    """Return the series in the CSV at `path`; `factors` chooses among its columns where it has both.

    Its header names a column of times (`time`, `datetime`, `Datetime (UTC)`) and one of values: an intensity, in the
    unit that its name or a column `units` has, else in g/kWh (`g_per_kwh`, `carbonIntensity`, `Carbon intensity
    gCO2eq/kWh (Life cycle)`). Times are seconds since 1970, or ISO 8601 with an offset, or in a column that says UTC.
    UsageError names a row that is wrong, or columns that may each be meant.
    """
    try:
        rows = [row for line in read_text(path).splitlines() if (row := cells(line))]
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"cannot read the intensities in {path}: {what}.") from None
    if len(rows) < 2:
        raise UsageError(f"{path} has no intensities. Give a header, such as time,g_per_kwh, and a row for each time.")
    layout = _layout(rows[0], factors, path)
    by_start: dict[datetime, float | None] = {}
    for number_of_row, row in enumerate(rows[1:], 2):
        try:
            start = _time(row[layout.time.index], layout.zone)
            by_start[start] = _value(row, layout)
        except (ValueError, IndexError) as error:
            raise UsageError(f"{path}, row {number_of_row}: {error}. Rows look like 2026-11-01T12:00Z,39.2.") from None
        except UsageError as error:
            raise UsageError(f"{path}, row {number_of_row}: {error}") from None
    if all(value is None for value in by_start.values()):
        raise UsageError(f"{path} has times but no intensities.")
    return Series(_points(by_start), source=f"the user's file {path.name}", zone=None, basis=factors)


@dataclass(frozen=True)
class _Layout:
    """Which columns are read, and how."""

    time: Column
    value: Column
    units: Column | None
    """Of each row's unit; it counts before that of the value's name."""
    zone: tzinfo | None
    """Of times without an offset; None where they have one."""
    life_cycle: bool
    """Whether the value's name says that it is of whole lives."""


def _layout(header: Sequence[str], factors: Basis, path: Path) -> _Layout:
    """Return the columns of times and of values. UsageError where there are none, or several fit."""
    present = columns(header)
    times = [column for column in present if "time" in column.plain or column.plain in {"date", "ts", "timestamp"}]
    values = [column for column in present if _is_intensity(column)]
    if not times or not values:
        raise UsageError(
            f"{path} does not begin with the names of columns. Name one 'time' and one 'g_per_kwh' in its first row."
        )
    chosen = [column for column in values if _basis(column) == factors] or [c for c in values if _basis(c) is None]
    if len(chosen) != 1:
        names = ", ".join(repr(one_line(column.name)) for column in values)
        why = "each of them may be meant" if chosen else f"none of them is of {factors} factors"
        raise UsageError(f"{path} has values in {names}, and {why}. Leave one of them, named as {_EXAMPLES[factors]}.")
    units = next((column for column in present if column.plain in {"unit", "units"}), None)
    return _Layout(times[0], chosen[0], units, zone_in(times[0].name), _basis(chosen[0]) == "lifecycle")


_EXAMPLES: Final = {"direct": "'direct g/kWh'", "lifecycle": "'life cycle g/kWh'", "unknown": "'g/kWh'"}


def _is_intensity(column: Column) -> bool:
    """Return whether a column has carbon intensities: by its unit, or its words."""
    if {"index", "level", "rating", "rank", "percent", "percentage", "low", "high"} & {*column.tokens}:
        return False
    per_energy = column.unit is not None and column.unit.base == "g/kWh"
    return per_energy or "intensity" in column.name.lower() or column.plain in {"value", "moer", "aoer"}


def _basis(column: Column) -> Basis | None:
    """Return what a column counts of power plants, in the words of its name; None where it does not say."""
    if {"lca", "life", "lifecycle", "cycle"} & {*column.tokens} or "lifecycle" in column.plain:
        return "lifecycle"
    return "direct" if {"direct", "operational", "combustion"} & {*column.tokens} else None


def _value(row: Sequence[str], layout: _Layout) -> float | None:
    """Return the value of a row in g/kWh; None for an empty cell. UsageError for one that cannot be."""
    cell = row[layout.value.index]
    if not cell:
        return None
    unit = layout.value.unit
    if layout.units is not None:
        text = row[layout.units.index]
        if (unit := unit_in(text)) is None or unit.base != "g/kWh":
            raise UsageError(f"{one_line(text)!r} is no unit of carbon intensity. Give g/kWh, kg/MWh or lb/MWh.")
    read = number(cell, decimal_comma=True)
    value = float(cell) if read is None else read[0]
    g_per_kwh = check_intensity(value * (unit.factor if unit is not None else 1.0))
    if g_per_kwh == 0 and layout.life_cycle:
        raise UsageError(
            "intensity is 0 g/kWh, which no source of power has over its life cycle. Leave the cell empty."
        )
    return g_per_kwh


def _time(text: str, zone: tzinfo | None) -> datetime:
    """Return a time in UTC. ValueError where it is none, or has no offset and the column's name no zone."""
    if re.fullmatch(r"\d{9,}(\.\d*)?", text.strip()) and (seconds := epoch_s(text, 0.0)) is not None:
        return to_utc(datetime.fromtimestamp(seconds, UTC), text)
    time = datetime.fromisoformat(text.strip())
    return to_utc(time.replace(tzinfo=zone) if time.tzinfo is None and zone is not None else time, text)


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
