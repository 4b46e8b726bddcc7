"""Kept runs of a machine, for `--baseline history` and for how much the machine drifts between runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from joulemark.suite.errors import JoulemarkError, NotComparableError
from joulemark.suite.records import RunFile
from joulemark.suite.results.store import kept_runs, load_path, one_file

MAX_RUNS: Final = 20
"""How many runs of a machine count, the latest first: older ones say little about its state today."""

MAX_FILES: Final = 60
"""How many files are searched for them; reading one takes some milliseconds."""

_SELECTION: Final = (
    "workload", "size", "phase", "framework", "mode", "device", "precision", "batch_size", "keyword", "threads",
    "allocator", "arms", "over", "prompt", "new_tokens", "ranks", "strategy", "scaling", "nodes",
)  # fmt: skip


def runs_of_machine(
    run_file: RunFile, directory: Path | None, leave_out: Callable[[str], None] = lambda _: None
) -> list[RunFile]:
    """Return the other kept runs of the machine of `run_file`, oldest first. `leave_out` is told why one cannot be
    read."""
    runs: dict[str, RunFile] = {}
    for path in reversed(kept_runs(directory)[-MAX_FILES:]):
        try:
            with one_file(str(path)):
                candidate = load_path(path)
        except JoulemarkError as error:
            leave_out(f"Left out {path.stem}: {error}")
            continue
        same_machine = candidate.machine.fingerprint == run_file.machine.fingerprint
        if same_machine and candidate.run.id != run_file.run.id:
            runs.setdefault(candidate.run.id, candidate)
        if len(runs) == MAX_RUNS:
            break
    return sorted(runs.values(), key=lambda run: run.run.started_at)


def earlier_runs(run_file: RunFile, runs: Sequence[RunFile]) -> list[RunFile]:
    """Return those of `runs` that started before `run_file` and have the same profile and selection, oldest first.
    Raises NotComparableError if there is none."""
    selection = _selection(run_file)
    earlier = [run for run in runs if run.run.started_at < run_file.run.started_at and _selection(run) == selection]
    if not earlier:
        raise NotComparableError(
            f"no baseline: none of the {len(runs)} other kept runs of this machine is older than {run_file.run.id} "
            "and has the same profile and selection."
        )
    return earlier


def _selection(run_file: RunFile) -> tuple[object, ...]:
    return (run_file.run.profile, *(getattr(run_file.settings, name) for name in _SELECTION))
