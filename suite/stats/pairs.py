"""Which cases of two runs may be compared, and why others may not. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from joulemark.suite.errors import unknown
from joulemark.suite.records import ArmRecord, Case, RunFile
from joulemark.suite.trial.frameworks import FRAMEWORKS

CASE_FIELDS: Final = (
    "workload", "variant", "size", "phase", "framework", "mode", "device", "precision", "batch_size", "threads",
    "allocator", "arm",
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
        "arm": ("arm",),  # and what the arms of the run set
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
    """Whether both were measured on one and the same: machines of one fingerprint may be two, with sensors of their
    own, and are told apart by their host names."""
    incomparable: str | None
    """Why they may not be compared; None where they may."""
    note: str | None
    """What a reader must know of the comparison; None where there is nothing."""
    earlier: tuple[Case, ...] = ()
    """The same case in other runs of A's machine, which stand beside `a` as one baseline."""


@dataclass(frozen=True)
class Pairs:
    """All pairs, and what has no partner."""

    pairs: tuple[Pair, ...]
    only_a: tuple[str, ...]
    """Ids of cases that the second run does not have."""
    only_b: tuple[str, ...]
    missing_reasons: Mapping[str, str] = field(default_factory=dict)
    """What of such a case the other run has instead."""


def pair_cases(a: RunFile, b: RunFile, by: str | None = None) -> Pairs:
    """Cases of `a` and `b` that are equal in all but the factor `by`. Two runs may be one and the same.

    UsageError for a factor that is not known.
    """
    if by is not None and by not in FACTORS:
        raise unknown("factor", by, FACTORS)
    free = FACTORS[by] if by is not None else ()
    if by == "arm":
        free += b.settings.varied()
    same_run = a.run.id == b.run.id
    found: list[Pair] = []
    paired_a: set[str] = set()
    paired_b: set[str] = set()
    alike: dict[tuple[object, ...], list[Case]] = defaultdict(list)
    for case in b.cases:
        alike[_fixed(case, free)].append(case)
    ranks = _ranks([*a.cases, *b.cases])
    for one in a.cases:
        for other in _partners(one, alike[_fixed(one, free)], free, ranks if same_run else None):
            paired_a.add(one.id)
            paired_b.add(other.id)
            found.append(_pair(one, other, a, b, by))
    if same_run:
        return Pairs(tuple(found), (), ())
    lonely_a = [case for case in a.cases if case.id not in paired_a]
    lonely_b = [case for case in b.cases if case.id not in paired_b]
    why = {case.id: _instead(case, b.cases, "B") for case in lonely_a}
    why |= {case.id: _instead(case, a.cases, "A") for case in lonely_b}
    return Pairs(tuple(found), tuple(c.id for c in lonely_a), tuple(c.id for c in lonely_b), why)


def _instead(case: Case, others: Sequence[Case], side: str) -> str:
    """What the run `side` has that is nearest to `case`, and by which factor the two could be compared."""
    alike = [
        one for one in others if (one.workload, one.variant, one.phase) == (case.workload, case.variant, case.phase)
    ]
    if not alike:
        return f"{side} does not have it"
    unlike = min((_differing(case, one) for one in alike), key=len)
    named = ", ".join(f"{name.replace('_', ' ')} {theirs} instead of {own}" for name, own, theirs in unlike)
    factor = [key for key, free in FACTORS.items() if {name for name, _, _ in unlike} <= {*free}]
    return f"{side} has it with {named}" + (f": compare by {factor[0]}" if factor else "")


def _differing(case: Case, other: Case) -> list[tuple[str, object, object]]:
    """Fields that are not equal, with both values."""
    values = [(name, getattr(case, name), getattr(other, name)) for name in CASE_FIELDS]
    return [(name, own, theirs) for name, own, theirs in values if own != theirs]


def _fixed(case: Case, free: tuple[str, ...]) -> tuple[object, ...]:
    """What a case and its partner must have in common."""
    return tuple(getattr(case, field) for field in CASE_FIELDS if field not in free)


def _partners(
    one: Case, alike: Sequence[Case], free: tuple[str, ...], ranks: Mapping[str, tuple[int, int]] | None
) -> list[Case]:
    """What `one` is held against: its equal where there is one, or else all that differ in the free fields only.

    `ranks`: of the cases of one run held against itself; None for two runs.
    """
    if ranks is not None:
        # Within a run each pair once, in the order of the frameworks and then of the file.
        return [case for case in alike if ranks[case.id] > ranks[one.id]]
    equal = [case for case in alike if all(getattr(case, field) == getattr(one, field) for field in free)]
    return equal or list(alike)


def _ranks(cases: Sequence[Case]) -> dict[str, tuple[int, int]]:
    order = {framework: place for place, framework in enumerate(FRAMEWORKS)}
    return {case.id: (order.get(case.framework, len(order)), i) for i, case in enumerate(cases)}


def with_earlier_runs(pair: Pair, runs: Sequence[RunFile]) -> Pair:
    """`pair` with what `runs`, on A's machine, say of the same case in the same version."""
    found = [case for run in runs for case in run.cases if case.id == pair.a.id and case.status == "ok"]
    return replace(pair, earlier=tuple(case for case in found if case.workload_version == pair.a.workload_version))


def _pair(one: Case, other: Case, a: RunFile, b: RunFile, by: str | None) -> Pair:
    alike = a.machine.fingerprint == b.machine.fingerprint
    same_machine = alike and a.machine.hostname == b.machine.hostname
    unlike = None
    if one.status != "ok" or other.status != "ok":
        missing = one if one.status != "ok" else other
        unlike = f"{missing.status}: {missing.reason or 'no trial counted'}"
    elif one.workload_version != other.workload_version and one.arm == other.arm:
        unlike = f"the workload changed (version {one.workload_version} and {other.workload_version})"
    elif not alike and by != "machine":
        unlike = f"measured on two machines ({a.machine.hostname} and {b.machine.hostname}): compare by machine"
    return Pair(one, other, a.run.id == b.run.id, same_machine, unlike, _note(one, other))


def _note(one: Case, other: Case) -> str | None:
    """Modes of unlike classes, and workloads that changed from arm to arm, are compared only with saying so."""
    if one.workload_version != other.workload_version:
        # The arms of a run are two states of the user's code: what changed in it is what they want to know.
        return f"the workload itself changed (version {one.workload_version} and {other.workload_version})"
    classes = [
        FRAMEWORKS[case.framework].modes.get(case.mode, case.mode) if case.framework in FRAMEWORKS else case.mode
        for case in (one, other)
    ]
    if classes[0] == classes[1]:
        return None
    return f"unlike modes: {one.framework} {one.mode} ({classes[0]}) and {other.framework} {other.mode} ({classes[1]})"


def arm_differences(run_file: RunFile) -> dict[str, tuple[str | None, str | None]]:
    """What differs around the cases of the two arms of a run, but for the places of interpreters and caches."""
    sides = [_of_arm(run_file.arms[name]) if name in run_file.arms else {} for name in ("a", "b")]
    return _unlike(sides)


def _of_arm(arm: ArmRecord) -> dict[str, str]:
    facts = {"python": arm.python, "joulemark": arm.suite_version}
    facts |= {f"package {name}": version for name, version in arm.packages.items()}
    for name, info in arm.frameworks.items():
        facts |= {name: f"{info.version} ({info.build})"}
    return facts


def _unlike(sides: Sequence[Mapping[str, str]]) -> dict[str, tuple[str | None, str | None]]:
    """Values that are not equal, by name."""
    names = sorted(sides[0].keys() | sides[1].keys())
    values = {name: (sides[0].get(name), sides[1].get(name)) for name in names}
    return {name: pair for name, pair in values.items() if pair[0] != pair[1]}


def environment_differences(a: RunFile, b: RunFile) -> dict[str, tuple[str | None, str | None]]:
    """What differs around the cases: versions, system, processor, boards. None where a run does not have it."""
    return _unlike([_facts(run_file) for run_file in (a, b)])


_PRIVATE = frozenset({"KERAS_HOME", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR"})
"""Variables of a run's own scratch directories (suite/trial/environment.py): new in each run, and telling nothing."""


def _facts(run_file: RunFile) -> dict[str, str]:
    machine = run_file.machine
    facts = {
        "joulemark": run_file.run.suite_version,
        "os": machine.os,
        "cpu": machine.cpu.model,
        "cores": f"{machine.cpu.usable_cores:g}",
        "memory": f"{machine.memory_bytes / 2**30:.1f} GiB",
        **{f"package {name}": version for name, version in machine.packages.items()},
        **{f"variable {name}": value for name, value in run_file.run.environment.items() if name not in _PRIVATE},
    }
    for name, info in machine.frameworks.items():
        facts |= {name: f"{info.version} ({info.build})", f"{name} python": info.python}
    for gpu in machine.gpus:
        facts |= {f"board {gpu.index}": gpu.name, f"board {gpu.index} driver": gpu.driver}
    return facts
