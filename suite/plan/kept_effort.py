"""The efforts that `joulemark calibrate` chose, kept in the home, and the one that holds for a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from joulemark.suite.records import CalibratedEffort, Case, Machine, Settings
from joulemark.suite.records.kept import load_records, save_records
from joulemark.suite.sensors.calibrations import this_machine
from joulemark.suite.system.directories import find_cache

FILE_NAME: Final = "efforts.json"
MAX_KEPT: Final = 50
"""A home may be shared by many machines."""


def load(machine: Machine) -> list[CalibratedEffort]:
    """Return what was chosen for this machine as it is now, the newest first."""
    path = find_cache(FILE_NAME)
    here = (this_machine(), machine.fingerprint)
    kept = load_records(path, CalibratedEffort) if path is not None else []
    return sorted((e for e in kept if (e.machine, e.fingerprint) == here), key=lambda e: e.made_at, reverse=True)


def save(path: Path, effort: CalibratedEffort) -> None:
    """Add `effort`, in place of an earlier one for the same cases. OSError where `path` is not writable."""
    kept = [each for each in load_records(path, CalibratedEffort) if _key(each) != _key(effort)]
    save_records(path, [*kept[-MAX_KEPT + 1 :], effort])


def _key(effort: CalibratedEffort) -> tuple[object, ...]:
    return effort.machine, effort.fingerprint, effort.threads, frozenset(effort.cases)


def find(efforts: Sequence[CalibratedEffort], cases: Iterable[Case]) -> CalibratedEffort | None:
    """Return the first of `efforts` that was found with all of `cases` on a CPU; None without one, or such cases."""
    needed = {(_name(case), case.threads) for case in cases if case.device == "cpu"}
    return next((e for e in efforts if needed and needed <= {(name, e.threads) for name in e.cases}), None)


def _name(case: Case) -> str:
    """Return the id of a case without its arm."""
    return "+".join(part for part in case.id.split("+") if not part.startswith("arm="))


def with_effort(settings: Settings, effort: CalibratedEffort, turns: bool = False) -> Settings:
    """Return `settings` with those parts of `effort` that they do not give themselves; as they are if they give all.

    Where pairs take `turns`, these decide the comparison: the window stays that of the profile.
    """
    chosen: dict[str, Any] = {
        "rounds": effort.paired_rounds if turns else effort.rounds,
        "window_s": None if turns else {"cpu": effort.window_s},
        "warmup_s": {"cpu": effort.warmup_s},
    }
    changes = {n: value for n, value in chosen.items() if value is not None and getattr(settings, n) is None}
    if settings.max_rounds is not None:
        changes.pop("rounds", None)  # which that is a multiple of
    if not changes:
        return settings
    parts = ", ".join({"window_s": "window", "warmup_s": "warm-up"}.get(name, name) for name in changes)
    source = f"{parts} by `joulemark calibrate`, {effort.made_at[:10]}, runs {effort.runs[0]} to {effort.runs[-1]}"
    return settings.model_copy(update={**changes, "effort_source": source})
