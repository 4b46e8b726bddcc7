"""Match cases of two runs that may be compared, and say why others may not. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from joulemark.suite.errors import unknown
from joulemark.suite.records import ArmRecord, Case, RunFile, Settings
from joulemark.suite.system.text import LEFT_OUT
from joulemark.suite.trial.environment import SCRATCH_VARIABLES
from joulemark.suite.trial.frameworks import FRAMEWORKS

CASE_FIELDS: Final = (
    "workload", "variant", "size", "phase", "framework", "mode", "device", "precision", "batch_size", "threads",
    "allocator", "arm", "power_limit_w", "clock_mhz", "prompt_tokens", "new_tokens", "ranks",
    "strategy", "scaling", "nodes",
)  # fmt: skip
"""Fields that identify a case. The workload version is not one of them: different versions pair, and get a reason."""

FACTORS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "machine": (),
        "device": ("device",),
        "framework": ("framework", "mode"),  # each framework has its own modes
        "mode": ("mode",),
        "precision": ("precision",),
        "threads": ("threads",),
        "batch-size": ("batch_size",),
        "allocator": ("allocator",),
        "arm": ("arm",),  # and whatever the arms of the run set
    }
)
"""Factors that may differ between the two cases of a pair, and the fields each consists of."""
Differences = dict[str, tuple[str | None, str | None]]
"""Values in A and in B by name; None if one does not have it."""


@dataclass(frozen=True)
class Pair:
    """Two cases that do the same work."""

    a: Case
    b: Case
    same_run: bool
    same_machine: bool
    """Whether both ran on one machine. Two machines of one fingerprint have sensors of their own: host names tell them
    apart."""
    incomparable: str | None
    """Why the two may not be compared; None if they may."""
    note: str | None
    """What a reader must know about the comparison, if anything."""
    earlier: tuple[Case, ...] = ()
    """The same case in earlier runs of A's machine; they form one baseline with `a`."""
    work_incomparable: str | None = None
    """Why not even the counts of a step may be compared; None if they may: they are the same on a busy machine."""
    versions: tuple[str, str] = ("", "")
    """Versions of the framework in A and B, and of what belongs to it."""
    same_fingerprint: bool = True
    """Whether both ran on machines of one kind."""


@dataclass(frozen=True)
class Pairs:
    """All pairs, and the cases without a partner."""

    pairs: tuple[Pair, ...]
    only_a: tuple[str, ...]
    """Ids of cases that B lacks."""
    only_b: tuple[str, ...]
    missing_reasons: Mapping[str, str] = field(default_factory=dict)
    """For each of these ids, the nearest case that the other run has instead."""


def pair_cases(a: RunFile, b: RunFile, by: str | None = None) -> Pairs:
    """Pair the cases of `a` and `b`, possibly one run, that differ only in the factor `by`. UsageError if unknown."""
    if by is not None and by not in FACTORS:
        raise unknown("factor", by, FACTORS)
    free = FACTORS[by] if by is not None else ()
    if by == "arm":
        free += b.settings.varied()
    same_run = a.run.id == b.run.id
    candidates: dict[tuple[object, ...], list[Case]] = defaultdict(list)
    for case in b.cases:
        candidates[_fixed_values(case, free)].append(case)
    order = {framework: place for place, framework in enumerate(FRAMEWORKS)}
    ranks = {case.id: (order.get(case.framework, len(order)), i) for i, case in enumerate([*a.cases, *b.cases])}
    pairs: list[Pair] = []
    for case in a.cases:
        partners = candidates[_fixed_values(case, free)]
        if same_run:  # each pair counts once: in the order of the frameworks, then of the file
            partners = [partner for partner in partners if ranks[partner.id] > ranks[case.id]]
        else:  # the equal case if there is one, else all that differ in the free fields only
            equal = [partner for partner in partners if all(getattr(partner, f) == getattr(case, f) for f in free)]
            partners = equal or partners
        pairs += [_pair(case, partner, a, b, by) for partner in partners]
    if same_run:
        return Pairs(tuple(pairs), (), ())
    paired_a, paired_b = {pair.a.id for pair in pairs}, {pair.b.id for pair in pairs}
    only_a = [case for case in a.cases if case.id not in paired_a]
    only_b = [case for case in b.cases if case.id not in paired_b]
    reasons = {case.id: _nearest_case(case, b.cases, "B") for case in only_a}
    reasons |= {case.id: _nearest_case(case, a.cases, "A") for case in only_b}
    return Pairs(tuple(pairs), tuple(case.id for case in only_a), tuple(case.id for case in only_b), reasons)


def _nearest_case(case: Case, candidates: Sequence[Case], run_name: str) -> str:
    """Describe the case of run `run_name` nearest to `case`, and the factor by which the two could be compared."""
    work = case.workload_id, case.phase
    same_work = [candidate for candidate in candidates if (candidate.workload_id, candidate.phase) == work]
    if not same_work:
        return f"{run_name} does not have it"
    differing = min((_differing_fields(case, candidate) for candidate in same_work), key=len)
    text = ", ".join(f"{name.replace('_', ' ')} {theirs} instead of {ours}" for name, ours, theirs in differing)
    factor = [key for key, free in FACTORS.items() if {name for name, _, _ in differing} <= {*free}]
    return f"{run_name} has it with {text}" + (f": compare by {factor[0]}" if factor else "")


def _differing_fields(case: Case, candidate: Case) -> list[tuple[str, object, object]]:
    """Return the fields that differ, with both values."""
    values = [(name, getattr(case, name), getattr(candidate, name)) for name in CASE_FIELDS]
    return [(name, ours, theirs) for name, ours, theirs in values if ours != theirs]


def _fixed_values(case: Case, free: tuple[str, ...]) -> tuple[object, ...]:
    """Return the values that a case and its partner must share."""
    return tuple(getattr(case, name) for name in CASE_FIELDS if name not in free)


def with_earlier_runs(pair: Pair, runs: Sequence[RunFile]) -> Pair:
    """Return `pair` with the same case, in the same version, from `runs`, earlier runs of A's machine."""
    cases = [case for run in runs for case in run.cases if case.id == pair.a.id and case.status == "ok"]
    return replace(pair, earlier=tuple(case for case in cases if case.workload_version == pair.a.workload_version))


def _pair(case_a: Case, case_b: Case, a: RunFile, b: RunFile, by: str | None) -> Pair:
    same_fingerprint = a.machine.fingerprint == b.machine.fingerprint
    same_machine = same_fingerprint and a.machine.hostname == b.machine.hostname
    unlike = None
    if case_a.status != "ok" or case_b.status != "ok":
        failed = case_a if case_a.status != "ok" else case_b
        unlike = f"{failed.status}: {failed.reason or 'no usable trial'}"
    elif (versions := _differing_versions(case_a, case_b)) and case_a.arm == case_b.arm:
        unlike = f"the workload changed ({versions})"
    incomparable = unlike
    if unlike is None and not same_fingerprint and by != "machine":
        incomparable = f"measured on two machines ({a.machine.hostname} and {b.machine.hostname}): compare by machine"
    return Pair(
        case_a,
        case_b,
        same_run=a.run.id == b.run.id,
        same_machine=same_machine,
        incomparable=incomparable,
        note=_note(case_a, case_b),
        work_incomparable=unlike,
        versions=(framework_version(case_a, a), framework_version(case_b, b)),
        same_fingerprint=same_fingerprint,
    )


def framework_version(case: Case, run_file: RunFile) -> str:
    """Return the version of the framework that measured a case, and of what belongs to it; empty if it is not known."""
    source = run_file.machine if case.arm is None else run_file.arms.get(case.arm)
    info = source.frameworks.get(case.framework) if source is not None else None
    if source is None or info is None:
        return ""
    names = FRAMEWORKS[case.framework].companions if case.framework in FRAMEWORKS else ()
    return ", ".join([info.label, *(f"{name} {source.packages[name]}" for name in names if name in source.packages)])


def _differing_versions(case_a: Case, case_b: Case) -> str | None:
    """Return both versions of the workload if they differ: of its code in one framework, of its spec in two."""
    names = ("workload_version", "version") if case_a.framework == case_b.framework else ("spec_version", "spec")
    a, b = (getattr(case, names[0]) for case in (case_a, case_b))
    return f"{names[1]} {a} and {b}" if a and b and a != b else None


def _note(case_a: Case, case_b: Case) -> str | None:
    """Return a note if the modes are of different classes, or the workload changed between arms."""
    if versions := _differing_versions(case_a, case_b):
        # The arms of a run are two states of the user's code, and its changes are what the user wants to measure.
        return f"the workload itself changed ({versions})"
    classes = [
        FRAMEWORKS[case.framework].modes.get(case.mode, case.mode) if case.framework in FRAMEWORKS else case.mode
        for case in (case_a, case_b)
    ]
    if classes[0] == classes[1]:
        return None
    a, b = (f"{case.framework} {case.mode} ({c})" for case, c in zip((case_a, case_b), classes, strict=True))
    return f"different classes of mode: {a} and {b}"


def arm_differences(run_file: RunFile) -> Differences:
    """Return the versions that differ between the arms of a run; paths of interpreters and caches do not count."""
    return _differences(*(_arm_versions(run_file.arms.get(name)) for name in ("a", "b")))


def _arm_versions(arm: ArmRecord | None) -> dict[str, str]:
    if arm is None:
        return {}
    versions = {"python": arm.python, "joulemark": arm.suite_version}
    versions |= {f"package {name}": version for name, version in arm.packages.items()}
    return versions | {name: info.label for name, info in arm.frameworks.items()}


def _differences(a: Mapping[str, str], b: Mapping[str, str]) -> Differences:
    """Return what differs; what was left out of one of them, for others to read, is not known to differ."""
    both = {name: (a.get(name), b.get(name)) for name in sorted(a.keys() | b.keys())}
    return {name: pair for name, pair in both.items() if len(set(pair)) > 1 and len({_is_cut(v) for v in pair}) == 1}


def _is_cut(value: str | None) -> bool:
    return LEFT_OUT in (value or "")


def environment_differences(a: RunFile, b: RunFile) -> Differences:
    """Return what differs between the environments of two runs: versions, system, processor, GPUs, variables."""
    return _differences(_environment(a), _environment(b))


def _effort(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield window and warm-up that differ from the profile's; empty where they do not."""
    for name, value in (("window", settings.window_s), ("warm-up", settings.warmup_s)):
        by_device = value if isinstance(value, dict) else {} if value is None else {"": value}
        yield name, ", ".join(f"{kind} {seconds:g} s".strip() for kind, seconds in by_device.items())


def _environment(run_file: RunFile) -> dict[str, str]:
    machine = run_file.machine
    variables = {k: v for k, v in run_file.run.environment.items() if k not in SCRATCH_VARIABLES}
    facts = {
        "joulemark": run_file.run.suite_version,
        "os": machine.os,
        "cpu": machine.cpu.model,
        "cores": f"{machine.cpu.usable_cores:g}",
        "memory": f"{machine.memory_bytes / 2**30:.1f} GiB",
        **{f"package {name}": version for name, version in machine.packages.items()},
        **{f"variable {name}": value for name, value in variables.items()},
        **{name: text for name, text in _effort(run_file.settings) if text},
    }
    for name, info in machine.frameworks.items():
        facts |= {name: info.label, f"{name} python": info.python}
    for gpu in machine.gpus:
        facts |= {f"board {gpu.index}": gpu.name, f"board {gpu.index} driver": gpu.driver}
    return facts
