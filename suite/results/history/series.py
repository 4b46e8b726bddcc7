"""One case over time: its rows as series, each of one machine, one workload version and one kind of number. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final

from joulemark.suite.results.columns import COLUMN_SPECS
from joulemark.suite.stats.change_points import ChangePoint, find_change_points
from joulemark.suite.stats.metrics import Better

METRICS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "throughput": "throughput",
        "step-time": "step_time_s",
        "energy": "energy_per_item_j",
        "facility-energy": "facility_energy_per_item_j",
        "emissions": "emissions_g_per_1000_items",
        "power": "power_w",
        "first-call": "first_call_s",
        "memory": "peak_memory_bytes",
    }
)
"""Names of what is followed over time, and the column of each. Net energy may be zero, and zero has no ratio."""

_OF_ENERGY: Final = frozenset({"energy", "facility-energy", "emissions", "power"})

FACTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "suite_version": "joulemark",
        "framework_version": "framework",
        "framework_build": "framework build",
        "python_version": "Python",
        "driver": "driver",
        "os": "system",
        "zone": "zone",
        "g_per_kwh": "g/kWh",
        "pue": "PUE",
    }
)
"""What may have changed where a level changed, for people."""

_GRID: Final = frozenset({"zone", "g_per_kwh", "pue"})


def needed(metrics: Sequence[str]) -> tuple[str, ...]:
    """Columns of the rows that `series` reads for `metrics`."""
    own = ("run_id", "started_at", "case_id", "fingerprint", "hostname", "workload_version", "item", "arm")
    values = tuple(METRICS[metric] + end for metric in metrics for end in ("", "_low", "_high", "_n"))
    grid = tuple(name for name in FACTS if name not in _GRID or "emissions" in metrics)
    return (*own, "energy_kind", "energy_lower_bound", *grid, *values)


@dataclass(frozen=True)
class Point:
    """One run's value."""

    run: str
    started_at: datetime
    """UTC."""
    value: float
    low: float | None
    """Ends of the 95 % interval between the run's trials; None at n = 1."""
    high: float | None
    n: int
    facts: Mapping[str, str]
    """Versions and grid, by the names in `FACTS`."""


@dataclass(frozen=True)
class Change:
    """A step, and what else was new in the run that it begins with."""

    step: ChangePoint
    point: Point
    """The first run at the new level."""
    new: Mapping[str, tuple[str, str]]
    """Facts that differ from the run before: (before, after)."""


@dataclass(frozen=True)
class Series:
    """One metric of one case on one machine, oldest run first."""

    case: str
    metric: str
    unit: str
    better: Better | None
    fingerprint: str
    hostname: str
    workload_version: str
    kind: str | None
    """`measured`, `estimated`, with `, lower bound` where a part is missing; None for what rests on the clock."""
    points: tuple[Point, ...]
    without: int
    """Runs that have the case and no value."""
    changes: tuple[Change, ...]

    @property
    def name(self) -> str:
        """What tells it from other series of the same case, for people."""
        kind = f", {self.kind}" if self.kind else ""
        return f"{self.metric}{kind}, {self.hostname} ({self.fingerprint}), version {self.workload_version}"

    @property
    def levels(self) -> tuple[tuple[int, int], ...]:
        """First and last place, the latter excluded, of each stretch between steps."""
        borders = [0, *(change.step.index for change in self.changes), len(self.points)]
        return tuple(pairwise(borders))


def series(found: Iterable[Mapping[str, Any]], metrics: Sequence[str]) -> tuple[Series, ...]:
    """The series of rows with the columns `needed`, with the steps in each. Rows of A/B arms are left out.

    A run that is kept twice counts once. Unlike workload versions, machines and kinds of energy are unlike series.
    """
    groups: dict[tuple[Any, ...], dict[str, Mapping[str, Any]]] = {}
    for row in found:
        if row["case_id"] is None or row["arm"] is not None:
            continue
        key = (row["case_id"], row["fingerprint"], row["workload_version"])
        groups.setdefault(key, {})[row["run_id"]] = row
    made = []
    for key in sorted(groups):
        ordered = sorted(groups[key].values(), key=lambda row: (row["started_at"], row["run_id"]))
        for metric in metrics:
            made += _of_metric(ordered, metric)
    return tuple(made)


def _of_metric(ordered: Sequence[Mapping[str, Any]], metric: str) -> list[Series]:
    """One series for each kind of number; one without points where no run has a value."""
    kinds = list(dict.fromkeys(_kind(row, metric) for row in ordered if _value(row, metric) is not None))
    return [_one(ordered, metric, kind) for kind in kinds or [None]]


def _one(ordered: Sequence[Mapping[str, Any]], metric: str, kind: str | None) -> Series:
    source = next(source for source in COLUMN_SPECS if source.key == METRICS[metric])
    points = tuple(
        _point(row, metric) for row in ordered if _value(row, metric) is not None and _kind(row, metric) == kind
    )
    last = ordered[-1]
    return Series(
        case=last["case_id"],
        metric=metric,
        unit=source.unit.replace("items", f"{last['item']}s"),
        better=source.better,
        fingerprint=last["fingerprint"],
        hostname=last["hostname"],
        workload_version=last["workload_version"],
        kind=kind,
        points=points,
        without=sum(_value(row, metric) is None for row in ordered),
        changes=tuple(_change(points, step) for step in find_change_points([point.value for point in points])),
    )


def _value(row: Mapping[str, Any], metric: str) -> float | None:
    value: float | None = row[METRICS[metric]]
    return value if value is not None and value > 0 else None


def _kind(row: Mapping[str, Any], metric: str) -> str | None:
    if metric not in _OF_ENERGY or row["energy_kind"] is None:
        return None
    return energy_kind(row["energy_kind"], row["energy_lower_bound"])


def energy_kind(kind: str, lower_bound: bool) -> str:
    """What energies must have in common to be followed over time: `measured` or `estimated`, and how much of it."""
    words = "estimated" if kind == "model" else "measured"
    return f"{words}, lower bound" if lower_bound else words


def _point(row: Mapping[str, Any], metric: str) -> Point:
    column = METRICS[metric]
    shown = [name for name in FACTS if name in row and (metric == "emissions" or name not in _GRID)]
    return Point(
        run=row["run_id"],
        started_at=row["started_at"],
        value=row[column],
        low=row[f"{column}_low"],
        high=row[f"{column}_high"],
        n=row[f"{column}_n"] or 0,
        facts={FACTS[name]: str(row[name]) for name in shown if row[name] is not None},
    )


def _change(points: Sequence[Point], step: ChangePoint) -> Change:
    before, after = points[step.index - 1].facts, points[step.index].facts
    names = dict.fromkeys((*before, *after))
    new = {name: (before.get(name, "none"), after.get(name, "none")) for name in names}
    return Change(step, points[step.index], {name: pair for name, pair in new.items() if pair[0] != pair[1]})
