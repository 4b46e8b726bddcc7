"""The one table of a run, that the terminal, the report and the exports share. Pure, plain data.

A number here, in a page and in the run file are the same number: a cell keeps the raw value beside its text.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from joulemark.suite.carbon.accounting import Factors
from joulemark.suite.records import Case, Kind, Quantity, RunFile, Status
from joulemark.suite.results.columns import COLUMN_SPECS, ColumnSpec
from joulemark.suite.results.extra_columns import extra_sources
from joulemark.suite.stats.metrics import Better
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.units import prefix, significant

NOT_MEASURED: Final = "not measured"

ESTIMATED: Final = "~"
"""Mark of a value from a model of load and TDP."""

AT_LEAST: Final = "≥"
"""Mark of a value that lacks a part."""


@dataclass(frozen=True)
class Column:
    """One column: the prefix of its unit is the same in all cells."""

    key: str
    title: str
    unit: str
    """With its SI prefix; empty for a count."""
    raw_unit: str
    """Of `Cell.value`, without a prefix: the same in all runs."""
    factor: float
    """Raw values are divided by it to be shown."""
    tooltip: str
    """What it is and why it matters."""
    better: Better | None


@dataclass(frozen=True)
class Cell:
    """One value: for people in the column's unit, and raw in the unit without prefix."""

    text: str
    """The value, rounded to two significant digits of what stands beside it; "not measured" where there is none."""
    interval: str
    """`[low, high]` between trials, or `(low to high)` that an estimate may be off by; empty where there is neither."""
    mark: str
    """`~` estimated, `≥` lower bound, both, or empty."""
    reason: str | None
    """Why there is no value or no interval, or what is missing in it."""
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    kind: Kind | None = None
    off: Factors | None = None
    """Factors on an estimate for what it may be off by; None for what is measured, and where it is not known."""


@dataclass(frozen=True)
class Row:
    """One case."""

    case: Case
    settings: str
    """Execution settings that differ from the run's, as in the id: `+threads=1`; empty where there are none."""
    status: Status
    reason: str | None
    """Why it is failed or skipped; None where it is ok."""
    cells: Mapping[str, Cell]
    """By the key of the column."""
    notices: int


@dataclass(frozen=True)
class Table:
    """All cases of a run, those that have no numbers too."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def table(run_file: RunFile) -> Table:
    """The table of `run_file`, in an order that puts what may be compared side by side."""
    cases = sorted(run_file.cases, key=_order)
    columns, cells = [], []
    for source in (*COLUMN_SPECS, *extra_sources(run_file)):
        quantities = [_quantity(source, case) for case in cases]
        factor, unit = _prefixed(source.unit, [quantity.value for quantity in quantities])
        columns.append(Column(source.key, source.title, unit, source.unit, factor, source.tooltip, source.better))
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


def matched(value: float, low: float | None, high: float | None, most: int = 6) -> tuple[str, str, str]:
    """`value`, `low` and `high` as text: the interval at two significant digits, the value rounded to match.

    The value has no more than `most` significant digits.

    Without an interval the value has three digits and the ends are empty. An interval on the log scale is wider
    above than below, so that the part below sets the digits: a wide one must not round the value away.
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

    def text_of(number: float) -> str:
        return f"{round(number, places):,.{max(0, places)}f}"

    return text_of(value), text_of(low), text_of(high)


def _order(case: Case) -> tuple[object, ...]:
    known = FRAMEWORKS.get(case.framework)
    modes = list(known.modes) if known else []
    return (
        case.workload,
        case.variant or "",
        case.size,
        case.phase,
        case.device,
        case.precision,
        case.batch_size,
        list(FRAMEWORKS).index(case.framework) if known else len(FRAMEWORKS),
        case.framework,
        modes.index(case.mode) if case.mode in modes else len(modes),
        case.mode,
        case.id,
    )


def _quantity(source: ColumnSpec, case: Case) -> Quantity:
    if case.summary is None:
        return Quantity(value=None, unit=source.unit, n=0, reason=case.reason or "no trial counted")
    return source.quantity(case)


def _prefixed(unit: str, values: Sequence[float | None]) -> tuple[float, str]:
    """The factor and unit that suit the middle of a column."""
    if unit in {"", "%"}:
        return (0.01 if unit == "%" else 1.0), unit
    sizes = [abs(value) for value in values if value]
    if not sizes:
        return 1.0, unit
    factor, name = prefix(statistics.median_high(sizes))
    return factor, f"{name} {unit}" if name and unit.startswith("items") else name + unit


def _cell(quantity: Quantity, factor: float) -> Cell:
    if quantity.value is None:
        return Cell(NOT_MEASURED, "", "", quantity.reason, None, kind=quantity.kind)
    value = quantity.value / factor
    low = None if quantity.low is None else quantity.low / factor
    high = None if quantity.high is None else quantity.high / factor
    # That trials agree says nothing of how well a model knows the energy: digits and range are the model's.
    off = quantity.ranges.sensor if quantity.kind == "model" else None
    text, low_text, high_text = matched(value, *((value * off[0], value * off[1]) if off else (low, high)))
    mark = (AT_LEAST if quantity.lower_bound else "") + (ESTIMATED if quantity.kind == "model" else "")
    return Cell(
        text=f"{quantity.value:g}" if quantity.unit == "" else text,
        interval=(f"({low_text} to {high_text})" if off else f"[{low_text}, {high_text}]") if low_text else "",
        mark=mark,
        reason=quantity.reason,
        value=quantity.value,
        low=quantity.low,
        high=quantity.high,
        n=quantity.n,
        kind=quantity.kind,
        off=off,
    )
