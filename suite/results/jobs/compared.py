"""Nodes that each measured the same plan, side by side: which is slower or takes more than the others. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Final

from joulemark.suite.records import Case
from joulemark.suite.results.jobs.members import Member
from joulemark.suite.stats.gpus.outliers import MIN_VALUES, low_outliers
from joulemark.suite.stats.machines.pairs import measured_components

FAMILYWISE: Final = 0.05
"""Chance of any false outlier among the nodes of a job, in speed or in energy."""


@dataclass(frozen=True)
class Standing:
    """A node among the others of its job."""

    speed: float | None
    """Items per second over the median of the nodes: the geometric mean over the cases that all of them measured."""
    efficiency: float | None
    """Items per joule, likewise; None where a node's energy is not measured, is an estimate, or is of other parts."""
    outlier: tuple[str, ...] = ()
    """`slow`, `takes more energy`."""


@dataclass(frozen=True)
class Standings:
    """The nodes of a job, in its order."""

    nodes: tuple[Standing, ...]
    cases: int
    """Cases that all nodes measured."""
    note: str
    """What was looked for, or why not."""


def compare_nodes(members: Sequence[Member]) -> Standings:
    """Return how the nodes of a job stand to each other."""
    by_node = [{case.id: case for case in member.run_file.cases if case.summary is not None} for member in members]
    shared = sorted(set.intersection(*map(set, by_node))) if by_node else []
    speeds = _logs([[_rate(cases[id]) for id in shared] for cases in by_node])
    alike = all(len({_measured(cases[id]) for cases in by_node}) == 1 for id in shared)
    efficiencies = _logs([[_items_per_joule(cases[id]) for id in shared] for cases in by_node]) if alike else None
    slow, wasteful = (low_outliers(logs or (), FAMILYWISE / 2) for logs in (speeds, efficiencies))
    nodes = tuple(
        Standing(
            _relative(speeds, i),
            _relative(efficiencies, i),
            tuple(name for name, found in (("slow", slow), ("takes more energy", wasteful)) if i in found),
        )
        for i in range(len(members))
    )
    return Standings(nodes, len(shared), _note(len(members), len(shared)))


def _note(nodes: int, cases: int) -> str:
    if not cases:
        return "No case was measured on all nodes: they cannot be put beside each other."
    if nodes < MIN_VALUES:
        return f"Of {nodes} nodes nobody can say which is wrong: outliers are looked for among {MIN_VALUES} or more."
    return (
        f"Outliers: generalized ESD (Rosner 1983) on logarithms, one side, chance of any false one {FAMILYWISE:.0%} at "
        "most."
    )


def _logs(table: Sequence[Sequence[float | None]]) -> list[float] | None:
    """Return the mean logarithm of each node; None where any value is missing."""
    if not table or not table[0]:
        return None
    logs = []
    for row in table:
        known = [value for value in row if value is not None and value > 0]
        if len(known) < len(row):
            return None
        logs.append(fmean(map(math.log, known)))
    return logs


def _relative(logs: Sequence[float] | None, i: int) -> float | None:
    return None if logs is None else math.exp(logs[i] - median(logs))


def _rate(case: Case) -> float | None:
    return None if case.summary is None else case.summary.throughput.value


def _items_per_joule(case: Case) -> float | None:
    energy = None if case.summary is None else case.summary.energy_per_item_j
    if energy is None or energy.kind == "model" or not energy.value:
        return None
    return 1 / energy.value


def _measured(case: Case) -> tuple[object, ...]:
    """Return what the energy of a case is of: nodes are compared where it is the same."""
    energy = None if case.summary is None else case.summary.energy_per_item_j
    components = measured_components(case)
    return (None if energy is None else (energy.kind, energy.lower_bound)), frozenset(components)
