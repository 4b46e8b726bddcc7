"""Two arms of one run: the same cases in two environments or under two settings, measured turn by turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from joulemark.suite.errors import JoulemarkError, UsageError
from joulemark.suite.plan import cases as plan
from joulemark.suite.plan.cases import Plan
from joulemark.suite.records import NOT_ATTEMPTED, ArmName, ArmRecord, Case, Settings
from joulemark.suite.stats.pairs import CASE_FIELDS

NAMES: tuple[ArmName, ...] = ("a", "b")


@dataclass(frozen=True)
class ArmSpec:
    """One arm, as it was found."""

    arm: ArmRecord
    pythons: Mapping[str, str]
    """Interpreter of its trials by framework; the one that runs joulemark where not given."""
    threads: int
    versions: Mapping[str, Mapping[str, str]] | None = None
    """Versions of the workloads in its interpreter, by id and framework; None where that is this one."""


def make(settings: Settings, sides: Mapping[ArmName, ArmSpec], order_seed: int, base_threads: int) -> Plan:
    """The plan of an A/B run: the cases of both arms, each beside its partner.

    UsageError as for any plan, where no case can be measured in both arms, and where the most rounds are not a
    multiple of the rounds.
    """
    axes = settings.varied()
    _in_both(settings)
    plans = {name: _of_arm(settings, name, sides[name], order_seed) for name in NAMES}
    base = plans["b"]
    cases: dict[ArmName, dict[tuple[object, ...], Case]] = {name: {} for name in NAMES}
    for name in NAMES:
        for case in plans[name].cases:
            # Where the allocator is the factor, the case that a profile adds under the other one is no partner.
            if "allocator" in axes and case.allocator != (settings.arms[name].allocator or settings.allocator):
                continue
            key = tuple(getattr(case, field) for field in CASE_FIELDS if field not in ("arm", *axes))
            cases[name][key] = _named(case, name, settings, base_threads, sides[name])
    keys = list(dict.fromkeys(key for name in NAMES for key in cases[name]))
    paired = [_paired([cases[name].get(key) for name in NAMES]) for key in keys]
    made = replace(
        base,
        cases=tuple(case for pair in paired for case in pair),
        turns={case.id: pair[0].id for pair in paired for case in pair},
        max_rounds=_most(settings.max_rounds, base.rounds),
    )
    if not made.runnable():
        raise UsageError(f"no case can be measured in both arms: {made.cases[0].reason}.")
    return made


def _in_both(settings: Settings) -> None:
    """An axis that a selection can have several values on has one in each arm, or nobody knows who belongs to whom."""
    for axis in ("mode", "precision", "batch_size"):
        given = [name for name in NAMES if getattr(settings.arms[name], axis) is not None]
        if len(given) == 1:
            name = axis.replace("_", "-")
            other = "b" if given == ["a"] else "a"
            raise UsageError(f"--{given[0]}-{name} has no --{other}-{name} beside it: give both.")


def _of_arm(settings: Settings, name: ArmName, side: ArmSpec, order_seed: int) -> Plan:
    """The plan of one arm as if it were a run of its own."""
    axes = settings.arms[name].axes()
    chosen = {key: (value,) if isinstance(getattr(settings, key), tuple) else value for key, value in axes.items()}
    try:
        return plan.make(settings.model_copy(update=chosen), side.arm.frameworks, order_seed, side.threads)
    except JoulemarkError as error:
        raise UsageError(f"arm {name} ({side.arm.interpreter}): {error}") from None


def _named(case: Case, arm: ArmName, settings: Settings, base_threads: int, side: ArmSpec) -> Case:
    """The case as one of an arm: its id says which, and what differs from the run's settings."""
    own: dict[str, str] = {"arm": arm}
    if case.threads != base_threads:
        own["threads"] = str(case.threads)
    if case.allocator != settings.allocator:
        own["allocator"] = case.allocator
    name = case.id.partition("+")[0] + "".join(f"+{key}={value}" for key, value in sorted(own.items()))
    changes: dict[str, object] = {"id": name, "arm": arm}
    workload = case.workload_id
    if side.versions is not None:
        version = side.versions.get(workload, {}).get(case.framework)
        changes["workload_version"] = version or case.workload_version
        if version is None and case.reason_code == NOT_ATTEMPTED:
            changes |= {"reason_code": "unsupported", "reason": f"{side.arm.interpreter} knows no workload {workload}"}
    return case.model_copy(update=changes)


def _paired(pair: Sequence[Case | None]) -> list[Case]:
    """The cases of a pair. What has no partner that runs is not run either: it could be compared with nothing."""
    there = [case for case in pair if case is not None]
    if len(there) < 2:
        other = "b" if there[0].arm == "a" else "a"
        return [_skipped(there[0], f"arm {other} has no such case")]
    obstacles = [case for case in there if case.reason_code != NOT_ATTEMPTED]
    if not obstacles:
        return there
    why = f"arm {obstacles[0].arm} skips it: {obstacles[0].reason}"
    return [_skipped(case, why) if case.reason_code == NOT_ATTEMPTED else case for case in there]


def _skipped(case: Case, why: str) -> Case:
    if case.reason_code != NOT_ATTEMPTED:
        return case
    return case.model_copy(update={"reason_code": "no_partner", "reason": why})


def _most(most: int | None, rounds: int) -> int | None:
    """Rounds at most, of pairs that are not decided; None for no more than `rounds`."""
    if most is None or most == rounds:
        return None
    if most < rounds or most % rounds:
        near = max(2, round(most / rounds)) * rounds
        raise UsageError(
            f"--max-rounds {most} is no multiple of the {rounds} rounds that all cases get: it is looked at what is "
            f"decided after each {rounds} more. Give {near}."
        )
    return most
