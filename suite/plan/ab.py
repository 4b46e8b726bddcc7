"""The two arms of an A/B run: the same cases in two environments or under two settings, measured in turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from joulemark.suite import machine
from joulemark.suite.errors import JoulemarkError, UsageError
from joulemark.suite.plan.cases import make_plan
from joulemark.suite.plan.plan import Plan
from joulemark.suite.plan.profiles import find_profile
from joulemark.suite.records import MAX_ANALYSES, NOT_ATTEMPTED, ArmName, ArmRecord, Case, Settings
from joulemark.suite.stats.pairs import CASE_FIELDS

NAMES: tuple[ArmName, ...] = ("a", "b")


@dataclass(frozen=True)
class ArmSpec:
    """One arm: its interpreter and what its trials use."""

    record: ArmRecord
    pythons: Mapping[str, str]
    """Interpreter of its trials by framework; frameworks without one use the interpreter that runs joulemark."""
    threads: int
    versions: Mapping[str, Mapping[str, str]] | None = None
    """Versions of the workloads in its interpreter, by id and framework; None if that is this interpreter."""


def make_ab_plan(
    settings: Settings,
    arms: Mapping[ArmName, ArmSpec],
    order_seed: int,
    base_threads: int,
    memory_bytes: Mapping[str, int] = MappingProxyType({}),
) -> Plan:
    """Return the plan of an A/B run: the cases of both arms, each next to its partner.

    Raises UsageError as for any plan, if no case can be measured in both arms, and if `max_rounds` is not a multiple
    of the rounds.
    """
    varied = settings.varied()
    _check_axes(settings)
    plans = {name: _arm_plan(settings, name, arms[name], order_seed, memory_bytes) for name in NAMES}
    cases: dict[ArmName, dict[tuple[object, ...], Case]] = {name: {} for name in NAMES}
    for name in NAMES:
        for case in plans[name].cases:
            # If the allocator is the factor, the case that a profile adds under the other one has no partner.
            if "allocator" in varied and case.allocator != (settings.arms[name].allocator or settings.allocator):
                continue
            key = tuple(getattr(case, field) for field in CASE_FIELDS if field not in ("arm", *varied))
            cases[name][key] = _arm_case(case, name, settings, base_threads, arms[name])
    keys = dict.fromkeys(key for name in NAMES for key in cases[name])
    pairs = [_pair([cases[name].get(key) for name in NAMES]) for key in keys]
    plan = replace(
        plans["b"],
        cases=tuple(case for pair in pairs for case in pair),
        pair_of={case.id: pair[0].id for pair in pairs for case in pair},
        max_rounds=resolve_max_rounds(settings.max_rounds, plans["b"].rounds, plans["b"].profile.analyses),
    )
    if not plan.runnable():
        raise UsageError(f"no case can be measured in both arms: {plan.cases[0].reason}.")
    return plan


def _check_axes(settings: Settings) -> None:
    """Raise UsageError if an axis that a selection can have several values on is given for one arm only.

    The cases of the two arms could not be paired.
    """
    for axis in ("mode", "precision", "batch_size"):
        given = [name for name in NAMES if getattr(settings.arms[name], axis) is not None]
        if len(given) == 1:
            option = axis.replace("_", "-")
            other_arm = "b" if given == ["a"] else "a"
            raise UsageError(f"--{given[0]}-{option} needs --{other_arm}-{option}: give both.")


def _arm_plan(
    settings: Settings, name: ArmName, arm: ArmSpec, order_seed: int, memory_bytes: Mapping[str, int]
) -> Plan:
    """Return the plan of one arm as if it were a run of its own."""
    # Pairs need the rounds that they are given, however long these take: a verdict is what an A/B run is for.
    changes: dict[str, object] = {"rounds": settings.rounds or find_profile(settings).rounds}
    changes |= {
        axis: (value,) if isinstance(getattr(settings, axis), tuple) else value
        for axis, value in settings.arms[name].axes().items()
    }
    if settings.arms[name].python is not None:
        changes["python"] = {}  # interpreters by framework are for the other arm
    try:
        changed = settings.model_copy(update=changes)
        frameworks, bf16 = arm.record.frameworks, machine.multiplies_bf16()
        return make_plan(changed, frameworks, order_seed, arm.threads, bf16, memory_bytes)
    except JoulemarkError as error:
        raise UsageError(f"arm {name} ({arm.record.interpreter}): {error}") from None


def _arm_case(case: Case, name: ArmName, settings: Settings, base_threads: int, arm: ArmSpec) -> Case:
    """Return the case as one of an arm; its id names the arm and what differs from the run's settings."""
    tokens = dict(setting.split("=") for setting in case.id.split("+")[1:])
    differences = {key: tokens[key] for key in ("new-tokens", "prompt") if key in tokens} | {"arm": str(name)}
    if case.threads != base_threads:
        differences["threads"] = str(case.threads)
    if case.allocator != settings.allocator:
        differences["allocator"] = case.allocator
    case_id = case.id.partition("+")[0] + "".join(f"+{key}={value}" for key, value in sorted(differences.items()))
    changes: dict[str, object] = {"id": case_id, "arm": name}
    if arm.versions is not None:
        version = arm.versions.get(case.workload_id, {}).get(case.framework)
        changes["workload_version"] = version or case.workload_version
        if version is None and case.reason_code == NOT_ATTEMPTED:
            reason = f"{arm.record.interpreter} has no workload {case.workload_id}"
            changes |= {"reason_code": "unsupported", "reason": reason}
    return case.model_copy(update=changes)


def _pair(cases: Sequence[Case | None]) -> list[Case]:
    """Return the cases of a pair. One whose partner will not run is skipped too: it could be compared with nothing."""
    present = [case for case in cases if case is not None]
    if len(present) < 2:
        missing_arm = "b" if present[0].arm == "a" else "a"
        return [_skip(present[0], f"arm {missing_arm} has no such case")]
    skipped = [case for case in present if case.reason_code != NOT_ATTEMPTED]
    if not skipped:
        return present
    reason = f"arm {skipped[0].arm} skips it: {skipped[0].reason}"
    return [_skip(case, reason) for case in present]


def _skip(case: Case, reason: str) -> Case:
    """Return the case as skipped for lack of a partner, unless it has a reason of its own."""
    if case.reason_code != NOT_ATTEMPTED:
        return case
    return case.model_copy(update={"reason_code": "no_partner", "reason": reason})


def resolve_max_rounds(max_rounds: int | None, rounds: int, analyses: int) -> int | None:
    """Return the maximum rounds of undecided pairs, by default `analyses` times `rounds`; None for no more rounds."""
    max_rounds = rounds * analyses if max_rounds is None else max_rounds
    if max_rounds == rounds:
        return None
    if max_rounds < rounds or max_rounds % rounds:
        nearest = max(2, round(max_rounds / rounds)) * rounds
        raise UsageError(
            f"--max-rounds {max_rounds} is not a multiple of {rounds}, the rounds of every case: results are "
            f"evaluated after each {rounds} more. Give {nearest}."
        )
    if max_rounds > MAX_ANALYSES * rounds:
        raise UsageError(
            f"--max-rounds {max_rounds} is more than {MAX_ANALYSES} times {rounds}, the rounds of every case: "
            f"give at most {MAX_ANALYSES * rounds}, or more --rounds"
        )
    return max_rounds
