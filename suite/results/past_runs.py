"""What runs that are kept say of a machine: how much it drifts, and what it did before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from joulemark.suite.errors import NotComparableError, UsageError
from joulemark.suite.records import RunFile
from joulemark.suite.results.store import kept_runs, load_path
from joulemark.suite.stats.drift import FEWEST_RUNS, between_runs
from joulemark.suite.stats.metrics import METRICS
from joulemark.suite.stats.variance import Variance

MOST_RUNS: Final = 20
"""Runs of a machine that count, the latest: an older one says little of what the machine does today."""

MOST_FILES: Final = 60
"""Files that are looked at for them; reading one takes some milliseconds."""

_SELECTION: Final = (
    "workload", "size", "phase", "framework", "mode", "device", "precision", "batch_size", "keyword", "threads",
    "allocator", "arms",
)  # fmt: skip


def of_machine(run_file: RunFile, directory: Path) -> list[RunFile]:
    """Kept runs of the machine of `run_file`, without itself, the oldest first. What cannot be read is left out."""
    found: dict[str, RunFile] = {}
    for path in reversed(kept_runs(directory)[-MOST_FILES:]):
        try:
            one = load_path(path)
        except UsageError:
            continue
        if one.run.id != run_file.run.id and one.machine.fingerprint == run_file.machine.fingerprint:
            found.setdefault(one.run.id, one)
        if len(found) == MOST_RUNS:
            break
    return sorted(found.values(), key=lambda one: one.run.started_at)


def drifts(runs: Sequence[RunFile]) -> Mapping[str, Variance]:
    """The variance of a run about its machine's mean, by metric; without those that too few of `runs` tell."""
    if len(runs) < FEWEST_RUNS:
        return {}
    known = {key: between_runs(runs, key) for key, metric in METRICS.items() if metric.drifts}
    return {key: one for key, one in known.items() if one is not None}


def before(run_file: RunFile, runs: Sequence[RunFile]) -> list[RunFile]:
    """Those of `runs` that were made before `run_file` with the same selection, the oldest first.

    NotComparableError where there is none.
    """
    wanted = _selection(run_file)
    found = [one for one in runs if one.run.started_at < run_file.run.started_at and _selection(one) == wanted]
    if not found:
        raise NotComparableError(
            f"no baseline: of the {len(runs)} other runs kept of this machine none was made before {run_file.run.id} "
            "with the same profile and selection."
        )
    return found


def _selection(run_file: RunFile) -> tuple[object, ...]:
    return (run_file.run.profile, *(getattr(run_file.settings, name) for name in _SELECTION))
