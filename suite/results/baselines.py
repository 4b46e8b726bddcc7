"""Named baselines: run files kept as `baselines/NAME.json` in the home directory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from joulemark.suite.errors import JoulemarkError, NotComparableError, UsageError
from joulemark.suite.records import RunFile, write
from joulemark.suite.results import store
from joulemark.suite.results.run_files import read
from joulemark.suite.system.directories import find_home, home

HISTORY: Final = "history"
"""In place of a name: all kept runs of the same machine and selection."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_RESERVED: Final = (HISTORY, "latest")


@dataclass(frozen=True)
class Baseline:
    """A saved baseline; if it cannot be read, `run_file` is None and `reason` says why."""

    name: str
    path: Path
    run_file: RunFile | None
    reason: str | None = None


def directory() -> Path:
    return home() / "baselines"


def save(name: str, run_file: RunFile) -> Path:
    """Save `run_file` as the baseline `name`, replacing an older one, and return its path. Raises UsageError for an
    invalid name, or a run without results."""
    if not any(case.status == "ok" for case in run_file.cases):
        raise UsageError(f"run {run_file.run.id} has no case with a result: nothing can be compared with it.")
    path = _path(name)
    write(run_file, path)
    return path


def remove(name: str) -> Path:
    """Delete the baseline `name` and return its path. Raises NotComparableError if there is none."""
    path = _path(name)
    try:
        path.unlink()
    except FileNotFoundError:
        raise _no_baseline(name) from None
    except OSError as error:
        raise UsageError(f"cannot remove {path}: {error.strerror}.") from None
    return path


def saved() -> tuple[Baseline, ...]:
    """Return all baselines in the order of their names, those that cannot be read with the reason."""
    baselines = []
    for path in _paths():
        try:
            with store.one_file(str(path)):
                baselines.append(Baseline(path.stem, path, read(path)))
        except JoulemarkError as error:
            baselines.append(Baseline(path.stem, path, None, str(error)))
    return tuple(baselines)


def load(name: str, runs: Path | None) -> RunFile:
    """Return the baseline that `name` means, as `find` does. UsageError also if it cannot be read."""
    return store.load_path(find(name, runs))


def find(name: str, runs: Path | None) -> Path:
    """Return the path of the baseline that `name` means: a file, a saved name, or a run kept in `runs`. Raises
    NotComparableError if there is none, UsageError if it is ambiguous."""
    file = store.named_file(name)
    if file is not None:
        return file
    saved_paths = {path.stem: path for path in _paths()}
    if name in saved_paths:
        return saved_paths[name]
    try:
        return store.find(name, runs)
    except store.NoRunError:
        raise _no_baseline(name) from None


def _path(name: str) -> Path:
    if name in _RESERVED:
        raise UsageError(f"a baseline cannot be called {name!r}: the name is reserved.")
    if not _NAME.fullmatch(name):
        raise UsageError(f"a baseline cannot be called {name!r}: use letters, digits, `.`, `_` and `-`.")
    return directory() / f"{name}.json"


def _paths() -> list[Path]:
    """Return the paths of all baselines; none where there is no home directory."""
    return sorted(directory().glob("[!.]*.json")) if find_home() is not None else []


def names() -> tuple[str, ...]:
    """Return the names of all baselines, without reading them."""
    return tuple(path.stem for path in _paths())


def _no_baseline(name: str) -> NotComparableError:
    return NotComparableError(
        f"no baseline {name!r}: no such file, name or run (saved: {', '.join(names()) or 'none'}). "
        "`joulemark baseline save NAME` saves a run as a baseline."
    )
