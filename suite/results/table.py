"""The table of a run that the terminal, the report and the exports share. Pure, plain data.

A number in the table, on a page and in the run file is the same number: a cell keeps the raw value beside its text.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from joulemark.suite.carbon.accounting import Factors
from joulemark.suite.records import Case, Kind, Quantity, RunFile, Status
from joulemark.suite.results.carbon_columns import carbon_columns
from joulemark.suite.results.columns import COLUMN_SPECS, ColumnSpec
from joulemark.suite.results.responses.columns import response_columns
from joulemark.suite.stats.metrics import Better
from joulemark.suite.stats.verdicts import MAX_RATIO
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.units import prefix, significant

NOT_MEASURED: Final = "not measured"

ESTIMATED: Final = "~"
"""Mark of a value from a model of load and TDP, not from a sensor."""

AT_LEAST: Final = "≥"
"""Mark of a lower bound: a value that lacks a component."""


@dataclass(frozen=True)
class Column:
    """One column. All its cells share the prefix of its unit."""

    key: str
    title: str
    unit: str
    """With its SI prefix; empty for a count."""
    raw_unit: str
    """The unit of `Cell.value`, without a prefix: the same in all runs."""
    factor: float
    """Raw values are divided by it for display."""
    tooltip: str
    better: Better | None


@dataclass(frozen=True)
class Cell:
    """One value: as text in the column's unit, and raw in the unit without prefix."""

    text: str
    """Rounded to match the interval; `not measured` if there is no value."""
    interval: str
    """`[low, high]` between trials, or `(low to high)` for the error range of an estimate; empty if unknown."""
    mark: str
    """`~` estimated, `≥` lower bound, both, or empty."""
    reason: str | None
    """Why there is no value or no interval, or what the value lacks."""
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    kind: Kind | None = None
    error_range: Factors | None = None
    """Factors by which an estimate may be off; None for measured values, or if unknown."""


@dataclass(frozen=True)
class Row:
    """One case."""

    case: Case
    settings: str
    """Execution settings that differ from the run's, as in the id: `+threads=1`; empty if none do."""
    status: Status
    reason: str | None
    """Why the case failed or was skipped; None if it is ok."""
    cells: Mapping[str, Cell]
    """By the key of the column."""
    notices: int


@dataclass(frozen=True)
class Table:
    """All cases of a run, including those without numbers."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def table(run_file: RunFile) -> Table:
    """Return the table of `run_file`, ordered so that comparable cases are side by side."""
    cases = sorted(run_file.cases, key=_order)
    columns, cells = [], []
    prefixes: dict[str, tuple[float, str]] = {}
    for spec in (*COLUMN_SPECS, *carbon_columns(run_file), *response_columns(run_file)):
        quantities = [_quantity(spec, case) for case in cases]
        values = [quantity.value for quantity in quantities]
        factor, unit = prefixes.get(spec.prefix_of) or _prefixed(spec.unit, values)
        prefixes[spec.key] = factor, unit
        columns.append(Column(spec.key, spec.title, unit, spec.unit, factor, spec.tooltip, spec.better))
        cells.append([_cell(quantity, factor) for quantity in quantities])
    rows = (
        Row(
            case=case,
            settings=case.id[len(case.id.partition("+")[0]) :],
            status=case.status,
            reason=case.reason,
            cells={column.key: column_cells[i] for column, column_cells in zip(columns, cells, strict=True)},
            notices=len(case.notices),
        )
        for i, case in enumerate(cases)
    )
    return Table(tuple(columns), tuple(rows))


def matching_digits(value: float, low: float | None, high: float | None, most: int = 6) -> tuple[str, str, str]:
    """Return `value`, `low` and `high` as text: the interval to two significant digits, the value rounded to match.

    The value has at most `most` significant digits; without an interval it has three, and the ends are empty. An
    interval on the log scale is wider above than below the value, so the part below sets the digits: a wide one must
    not round the value away. An upper end that says nothing, over `MAX_RATIO` times the value, is not written out.
    """
    if low is None or high is None:
        return significant(value), "", ""
    half = value - low
    if half <= 0:
        text = significant(value, 4)
        return text, text, text
    places = 1 - math.floor(math.log10(half))
    if value > 0:
        places = min(places, most - 1 - math.floor(math.log10(value)))

    value_text, low_text, high_text = (f"{round(end, places):,.{max(0, places)}f}" for end in (value, low, high))
    if 0 < value * MAX_RATIO < high:
        high_text = f"over {significant(value * MAX_RATIO, 2)}"
    return value_text, low_text, high_text


def _order(case: Case) -> tuple[object, ...]:
    framework = FRAMEWORKS.get(case.framework)
    modes = list(framework.modes) if framework else []
    return (
        case.workload,
        case.variant or "",
        case.size,
        case.phase,
        case.device,
        case.precision,
        case.batch_size,
        list(FRAMEWORKS).index(case.framework) if framework else len(FRAMEWORKS),
        case.framework,
        modes.index(case.mode) if case.mode in modes else len(modes),
        case.mode,
        case.id,
    )


def _quantity(spec: ColumnSpec, case: Case) -> Quantity:
    if case.summary is None:
        return Quantity(value=None, unit=spec.unit, n=0, reason=case.reason or "no trial succeeded")
    return spec.quantity(case)


def _prefixed(unit: str, values: Sequence[float | None]) -> tuple[float, str]:
    """Return the factor and the prefixed unit that suit the median of a column."""
    if unit in {"", "%"}:
        return (0.01 if unit == "%" else 1.0), unit
    sizes = [abs(value) for value in values if value]
    if not sizes:
        return 1.0, unit
    factor, name = prefix(statistics.median_high(sizes))
    return factor, f"{name} {unit}" if name and unit.endswith("/s") else name + unit


def _cell(quantity: Quantity, factor: float) -> Cell:
    if quantity.value is None:
        return Cell(NOT_MEASURED, "", "", quantity.reason, None, kind=quantity.kind)
    value = quantity.value / factor
    low = None if quantity.low is None else quantity.low / factor
    high = None if quantity.high is None else quantity.high / factor
    # Agreement between trials says nothing about the accuracy of a model: its own range sets digits and interval.
    error_range = quantity.ranges.sensor if quantity.kind == "model" else None
    if error_range is not None:
        low, high = value * error_range[0], value * error_range[1]
    text, low_text, high_text = matching_digits(value, low, high)
    interval = f"({low_text} to {high_text})" if error_range is not None else f"[{low_text}, {high_text}]"
    return Cell(
        text=f"{quantity.value:g}" if quantity.unit == "" else text,
        interval=interval if low_text else "",
        mark=(AT_LEAST if quantity.lower_bound else "") + (ESTIMATED if quantity.kind == "model" else ""),
        reason=quantity.reason,
        value=quantity.value,
        low=quantity.low,
        high=quantity.high,
        n=quantity.n,
        kind=quantity.kind,
        error_range=error_range,
    )
