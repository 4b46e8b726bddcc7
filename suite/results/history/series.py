"""One case over time: its rows as series, each of one machine, one workload version and one kind of energy. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final

from joulemark.suite.results.columns import COLUMN_SPECS
from joulemark.suite.results.history.rows import SIMULATED
from joulemark.suite.stats.change_points import ChangePoint, find_change_points
from joulemark.suite.stats.metrics import Better

METRIC_COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
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
"""The column of each metric that can be followed over time. Net energy may be zero, and zero has no ratio."""

_ENERGY_METRICS: Final = frozenset({"energy", "facility-energy", "emissions", "power"})

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
"""Columns of what may explain a change of level, with their labels."""

_GRID_FACTS: Final = frozenset({"zone", "g_per_kwh", "pue"})


def columns_needed(metrics: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of the rows that `series` reads for `metrics`."""
    identity = ("run_id", "started_at", "case_id", "fingerprint", "hostname", "workload_version", "item", "arm")
    values = tuple(METRIC_COLUMNS[metric] + end for metric in metrics for end in ("", "_low", "_high", "_n"))
    facts = tuple(name for name in FACTS if name not in _GRID_FACTS or "emissions" in metrics)
    return (*identity, "energy_kind", "energy_lower_bound", *facts, *values)


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
    """Versions and grid, by the labels in `FACTS`."""


@dataclass(frozen=True)
class Change:
    """A change point, and what else changed in the run where it begins."""

    change_point: ChangePoint
    point: Point
    """The first run at the new level."""
    new_facts: Mapping[str, tuple[str, str]]
    """Facts that differ from the run before, by label: (before, after)."""


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
    """`measured`, `estimated` or `simulated`, with `, lower bound` if a component is missing; None for metrics without
    energy."""
    points: tuple[Point, ...]
    runs_without_value: int
    """Runs that have the case, but no value."""
    changes: tuple[Change, ...]

    @property
    def name(self) -> str:
        """What distinguishes it from other series of the same case, for people."""
        kind = f", {self.kind}" if self.kind else ""
        return f"{self.metric}{kind}, {self.hostname} ({self.fingerprint}), version {self.workload_version}"

    @property
    def levels(self) -> tuple[tuple[int, int], ...]:
        """First index and end index (exclusive) of each level between change points."""
        borders = [0, *(change.change_point.index for change in self.changes), len(self.points)]
        return tuple(pairwise(borders))


def series(rows: Iterable[Mapping[str, Any]], metrics: Sequence[str]) -> tuple[Series, ...]:
    """Return the series of `rows`, which have the columns of `columns_needed`, with their change points.

    Different workload versions, machines and kinds of energy form different series. Rows of A/B arms are left out, and
    a run that is kept twice counts once.
    """
    groups: dict[tuple[str, str, str], dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        if row["case_id"] is None or row["arm"] is not None:
            continue
        key = (row["case_id"], row["fingerprint"], row["workload_version"])
        groups.setdefault(key, {})[row["run_id"]] = row
    all_series = []
    for key in sorted(groups):
        ordered = sorted(groups[key].values(), key=lambda row: (row["started_at"], row["run_id"]))
        for metric in metrics:
            kinds = dict.fromkeys(_kind(row, metric) for row in ordered if _value(row, metric) is not None)
            # Without any value there is still one series, without points.
            all_series += [_series(ordered, metric, kind) for kind in kinds or [None]]
    return tuple(all_series)


def _series(ordered: Sequence[Mapping[str, Any]], metric: str, kind: str | None) -> Series:
    spec = next(spec for spec in COLUMN_SPECS if spec.key == METRIC_COLUMNS[metric])
    points = tuple(
        _point(row, metric) for row in ordered if _value(row, metric) is not None and _kind(row, metric) == kind
    )
    last = ordered[-1]
    return Series(
        case=last["case_id"],
        metric=metric,
        unit=spec.unit.replace("items", f"{last['item']}s"),
        better=spec.better,
        fingerprint=last["fingerprint"],
        hostname=last["hostname"],
        workload_version=last["workload_version"],
        kind=kind,
        points=points,
        runs_without_value=sum(_value(row, metric) is None for row in ordered),
        changes=tuple(_change(points, change) for change in find_change_points([point.value for point in points])),
    )


def _value(row: Mapping[str, Any], metric: str) -> float | None:
    value: float | None = row[METRIC_COLUMNS[metric]]
    return value if value is not None and value > 0 else None


def _kind(row: Mapping[str, Any], metric: str) -> str | None:
    if metric not in _ENERGY_METRICS or row["energy_kind"] is None:
        return None
    return energy_kind(row["energy_kind"], row["energy_lower_bound"])


def energy_kind(kind: str, lower_bound: bool) -> str:
    """Return what the energies of one series have in common: measured, estimated or simulated, complete or not."""
    label = {"model": "estimated", SIMULATED: SIMULATED}.get(kind, "measured")
    return f"{label}, lower bound" if lower_bound else label


def _point(row: Mapping[str, Any], metric: str) -> Point:
    column = METRIC_COLUMNS[metric]
    facts = [name for name in FACTS if name in row and (metric == "emissions" or name not in _GRID_FACTS)]
    return Point(
        run=row["run_id"],
        started_at=row["started_at"],
        value=row[column],
        low=row[f"{column}_low"],
        high=row[f"{column}_high"],
        n=row[f"{column}_n"] or 0,
        facts={FACTS[name]: str(row[name]) for name in facts if row[name] is not None},
    )


def _change(points: Sequence[Point], change_point: ChangePoint) -> Change:
    before, after = points[change_point.index - 1].facts, points[change_point.index].facts
    pairs = {name: (before.get(name, "none"), after.get(name, "none")) for name in dict.fromkeys((*before, *after))}
    new_facts = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    return Change(change_point, points[change_point.index], new_facts)
