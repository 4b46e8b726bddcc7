"""The plan of a sweep: each task under every setting, and under the default that these are compared with."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from joulemark.suite.errors import UsageError
from joulemark.suite.plan.cases import make_plan
from joulemark.suite.plan.plan import Plan
from joulemark.suite.records import NOT_ATTEMPTED, SWEPT_FIELDS, Case, FrameworkInfo, Settings, SweepKey
from joulemark.suite.stats.pairs import CASE_FIELDS
from joulemark.suite.trial.frameworks import FRAMEWORKS, framework

ROUNDS: Final = 10
"""Unless the user says otherwise: with fewer, many settings cannot be told apart (docs/sweep.md)."""
MAX_SETTINGS: Final = 256
"""Combinations of values for one task; more are a mistake, and would take days."""
SELECTED: Final[Mapping[SweepKey, str]] = {"batch-size": "batch_size", "precision": "precision", "mode": "mode"}
"""Keys that a selection can have several values of, with its field in the settings."""
_SUFFIXES: Final[tuple[SweepKey, ...]] = ("threads", "power-limit", "clock")
"""Keys that stand at the end of a case's id, where they differ from the default."""


def swept_selection(settings: Settings) -> Settings:
    """Return the settings whose selection is all values that are swept."""
    changes: dict[str, Any] = {SELECTED[key]: values for key, values in settings.over.items() if key in SELECTED}
    return settings.model_copy(update={**changes, "keyword": None, "rounds": settings.rounds or ROUNDS})


def check_options(settings: Settings) -> None:
    """Raise UsageError for too many settings, for a mode that no framework of the selection has, and for an option that
    gives several defaults of a swept key."""
    count = 1
    for values in settings.over.values():
        count *= len(values)
    if count > MAX_SETTINGS:
        raise UsageError(f"--over gives {count:,} combinations: at most {MAX_SETTINGS}. Give fewer values.")
    frameworks = [framework(name) for name in settings.framework or FRAMEWORKS]
    for mode in settings.over.get("mode", ()):
        if not any(mode in each.modes for each in frameworks):
            modes = "; ".join(f"{each.name} has {', '.join(each.modes)}" for each in frameworks)
            raise UsageError(f"--over mode={mode}: no such mode here: {modes}.")
    for key, field in SELECTED.items():
        given = getattr(settings, field)
        if key in settings.over and len(given) > 1:
            raise UsageError(
                f"--{key} is the default that --over {key} is compared with: give one value, found "
                f"{', '.join(map(str, given))}."
            )


def make_sweep_plan(
    settings: Settings,
    installed: Mapping[str, FrameworkInfo],
    order_seed: int,
    threads: int,
    multiplies_bf16: bool,
    memory_bytes: Mapping[str, int] = MappingProxyType({}),
    present_limit_w: int | None = None,
) -> Plan:
    """Return the plan of a sweep; `threads` and `present_limit_w` are the defaults, the latter for a power limit.

    `multiplies_bf16` and `memory_bytes` are those of `make_plan`. Raises UsageError as for any plan, and if no task has
    two settings that can be measured.
    """
    rounds = settings.rounds or ROUNDS
    base = settings.model_copy(update={"rounds": rounds})
    given = installed, order_seed, threads, multiplies_bf16, memory_bytes
    plan = make_plan(base, *given)
    candidates = make_plan(swept_selection(settings), *given).cases
    swept = {SWEPT_FIELDS[key] for key in settings.over}
    limit_w = present_limit_w if "power-limit" in settings.over else None
    defaults: dict[tuple[object, ...], Case] = {}
    for case in plan.cases:
        if case.allocator == settings.allocator:
            default = case.model_copy(update={"power_limit_w": limit_w, "sweep_default": True})
            defaults.setdefault(_fixed(default, swept), default)
    cases: list[Case] = []
    for key, default in defaults.items():
        alike = [each.model_copy(update={"power_limit_w": limit_w}) for each in candidates]
        cases += _settings_of([each for each in alike if _fixed(each, swept) == key], default, settings)
    plan = replace(plan, cases=tuple(cases), max_rounds=2 * rounds)
    if not plan.runnable():
        reason = next((case.reason for case in cases if case.reason_code == "no_partner"), cases[0].reason)
        raise UsageError(f"nothing to sweep: no case has two settings that can be measured ({reason}).")
    return plan


def _fixed(case: Case, swept: set[str]) -> tuple[object, ...]:
    """Return what a case shares with the other settings of its task."""
    return tuple(getattr(case, name) for name in CASE_FIELDS if name not in swept)


def _settings_of(cases: Sequence[Case], default: Case, settings: Settings) -> list[Case]:
    """Return one task under all settings, the default among them; nothing where it has no other."""
    suffixes = [key for key in _SUFFIXES if key in settings.over]
    found: dict[tuple[object, ...], Case] = {}
    fields = [SWEPT_FIELDS[key] for key in settings.over]
    for case in cases:
        for values in itertools.product(*(settings.over[key] for key in suffixes)):
            changed = _with_suffix(case, default, dict(zip(suffixes, values, strict=True)))
            found[tuple(getattr(changed, name) for name in fields)] = changed
    found[tuple(getattr(default, name) for name in fields)] = default
    runnable = [case for case in found.values() if case.reason_code == NOT_ATTEMPTED]
    if default in runnable and len(runnable) > 1:
        return list(found.values())
    if default in runnable:
        refused = [case.reason for case in found.values() if case not in runnable]
        reason = f"no other setting can be measured: {refused[0] if refused else 'no value differs from the default'}"
    else:
        reason = f"the default is skipped: {default.reason}"
    return [_skip(case, reason) for case in found.values()]


def _with_suffix(case: Case, default: Case, values: Mapping[SweepKey, int | str]) -> Case:
    """Return the case under `values`, which its id names where they are not the default."""
    fields = {SWEPT_FIELDS[key]: value for key, value in values.items()}
    named = [f"{key}={value}" for key, value in values.items() if value != getattr(default, SWEPT_FIELDS[key])]
    task, *others = case.id.split("+")
    return case.model_copy(update={**fields, "id": "+".join([task, *sorted([*others, *named])])})


def _skip(case: Case, reason: str) -> Case:
    if case.reason_code != NOT_ATTEMPTED:
        return case
    return case.model_copy(update={"reason_code": "no_partner", "reason": reason})
