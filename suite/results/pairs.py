"""Which cases of two runs may be compared, and why others may not. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from suite.errors import unknown
from suite.frameworks import FRAMEWORKS
from suite.results.records import Case, RunFile

FIELDS: Final = (
    "workload", "variant", "size", "phase", "framework", "mode", "device", "precision", "batch_size", "threads",
    "allocator",
)  # fmt: skip
"""What makes a case what it is; unlike workload versions are unlike work and are said as such."""

FACTORS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "machine": (),
        "device": ("device",),
        "framework": ("framework", "mode"),  # modes are each framework's own
        "mode": ("mode",),
        "precision": ("precision",),
        "threads": ("threads",),
        "batch-size": ("batch_size",),
        "allocator": ("allocator",),
    }
)
"""The one factor that may differ, and the fields that it is made of."""


@dataclass(frozen=True)
class Pair:
    """Two cases that do the same work."""

    a: Case
    b: Case
    same_run: bool
    same_machine: bool
    unlike: str | None
    """Why they may not be compared; None where they may."""
    note: str | None
    """What a reader must know of the comparison; None where there is nothing."""


@dataclass(frozen=True)
class Pairs:
    """All pairs, and what has no partner."""

    pairs: tuple[Pair, ...]
    only_a: tuple[str, ...]
    """Ids of cases that the second run does not have."""
    only_b: tuple[str, ...]


def pairs(a: RunFile, b: RunFile, by: str | None = None) -> Pairs:
    """Cases of `a` and `b` that are equal in all but the factor `by`. Two runs may be one and the same.

    UsageError for a factor that is not known.
    """
    if by is not None and by not in FACTORS:
        raise unknown("factor", by, FACTORS)
    free = FACTORS[by] if by is not None else ()
    same_run = a.run.id == b.run.id
    found: list[Pair] = []
    paired_a: set[str] = set()
    paired_b: set[str] = set()
    for one in a.cases:
        for other in _partners(one, b.cases, free, same_run):
            paired_a.add(one.id)
            paired_b.add(other.id)
            found.append(_pair(one, other, a, b, by))
    lonely = () if same_run else tuple(case.id for case in a.cases if case.id not in paired_a)
    return Pairs(
        tuple(found), lonely, () if same_run else tuple(case.id for case in b.cases if case.id not in paired_b)
    )


def _partners(one: Case, cases: Sequence[Case], free: tuple[str, ...], same_run: bool) -> list[Case]:
    """What `one` is held against: its equal where there is one, or else all that differ in the free fields only."""
    fixed = [field for field in FIELDS if field not in free]
    alike = [case for case in cases if all(getattr(case, field) == getattr(one, field) for field in fixed)]
    if same_run:
        # Within a run each pair once, in the order of the frameworks and then of the file.
        return [case for case in alike if case.id != one.id and _rank(case, cases) > _rank(one, cases)]
    equal = [case for case in alike if all(getattr(case, field) == getattr(one, field) for field in free)]
    return equal or alike


def _rank(case: Case, cases: Sequence[Case]) -> tuple[int, int]:
    order = list(FRAMEWORKS)
    place = order.index(case.framework) if case.framework in order else len(order)
    return place, [one.id for one in cases].index(case.id)


def _pair(one: Case, other: Case, a: RunFile, b: RunFile, by: str | None) -> Pair:
    same_machine = a.machine.fingerprint == b.machine.fingerprint
    unlike = None
    if one.status != "ok" or other.status != "ok":
        missing = one if one.status != "ok" else other
        unlike = f"{missing.status}: {missing.reason or 'no trial counted'}"
    elif one.workload_version != other.workload_version:
        unlike = f"the workload changed (version {one.workload_version} and {other.workload_version})"
    elif not same_machine and by != "machine":
        unlike = f"measured on two machines ({a.machine.hostname} and {b.machine.hostname}): compare by machine"
    return Pair(one, other, a.run.id == b.run.id, same_machine, unlike, _note(one, other))


def _note(one: Case, other: Case) -> str | None:
    """Modes of unlike classes are compared only with saying so."""
    classes = [
        FRAMEWORKS[case.framework].modes.get(case.mode, case.mode) if case.framework in FRAMEWORKS else case.mode
        for case in (one, other)
    ]
    if classes[0] == classes[1]:
        return None
    return f"unlike modes: {one.framework} {one.mode} ({classes[0]}) and {other.framework} {other.mode} ({classes[1]})"


def environment(a: RunFile, b: RunFile) -> dict[str, tuple[str | None, str | None]]:
    """What differs around the cases: versions, system, processor, boards. None where a run does not have it."""
    sides = [_facts(run_file) for run_file in (a, b)]
    names = sorted(sides[0].keys() | sides[1].keys())
    values = {name: (sides[0].get(name), sides[1].get(name)) for name in names}
    return {name: pair for name, pair in values.items() if pair[0] != pair[1]}


def _facts(run_file: RunFile) -> dict[str, str]:
    machine = run_file.machine
    facts = {
        "joulemark": run_file.run.suite_version,
        "os": machine.os,
        "cpu": machine.cpu.model,
        "cores": f"{machine.cpu.usable_cores:g}",
        "memory": f"{machine.memory_bytes / 2**30:.1f} GiB",
        **{f"package {name}": version for name, version in machine.packages.items()},
        **{f"variable {name}": value for name, value in run_file.run.environment.items()},
    }
    for name, info in machine.frameworks.items():
        facts |= {name: f"{info.version} ({info.build})", f"{name} python": info.python}
    for gpu in machine.gpus:
        facts |= {f"board {gpu.index}": gpu.name, f"board {gpu.index} driver": gpu.driver}
    return facts
