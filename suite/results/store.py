"""Finds runs: by path, by id, by a unique beginning of one, or the latest."""

from __future__ import annotations

from pathlib import Path

from suite.errors import UsageError, unknown
from suite.results import journal
from suite.results.records import RunFile, read


def load(run: str, directory: Path) -> RunFile:
    """The run that `run` names; an interrupted one is read from its journal. UsageError where there is none."""
    return load_path(find(run, directory))


def load_path(path: Path) -> RunFile:
    """The run in a run file or a journal."""
    return journal.assemble(path) if path.suffix == journal.SUFFIX else read(path)


def find(run: str, directory: Path) -> Path:
    """Where the run that `run` names is kept. UsageError where there is none, or more than one."""
    path = Path(run).expanduser()
    if path.is_file():
        return path
    kept = {path.stem: path for path in kept_runs(directory)}
    if not kept:
        raise UsageError(f"no run {run!r}: there is no such file, and no runs are kept in {directory}.")
    if run == "latest":
        return kept[max(kept)]
    matching = [name for name in kept if name.startswith(run)]
    if run in kept:
        matching = [run]
    if len(matching) > 1:
        raise UsageError(f"{run!r} could be {' or '.join(sorted(matching)[:4])}: give more of the id.")
    if not matching:
        raise unknown("run", run, kept)
    return kept[matching[0]]


def kept_runs(directory: Path) -> list[Path]:
    """Run files, and journals of runs that are going on or were cut off, oldest first (an id begins with its UTC time).

    A journal goes before the run file beside it: the run was resumed, and the journal holds all of it.
    """
    if not directory.is_dir():
        return []
    found = {path.stem: path for path in directory.glob("*.json") if not path.name.startswith(".")}
    found |= {path.stem: path for path in directory.glob(f"*{journal.SUFFIX}")}
    return [found[name] for name in sorted(found)]
