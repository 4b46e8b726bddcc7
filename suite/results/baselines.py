"""Baselines by name: run files kept under a name of the user's, as `baselines/NAME.json` in the home."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from joulemark.suite.errors import NotComparableError, UsageError
from joulemark.suite.records import RunFile, read, write
from joulemark.suite.results import store
from joulemark.suite.settings import home

HISTORY: Final = "history"
"""Instead of a name: the kept runs of the same machine and selection, together."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TAKEN: Final = (HISTORY, "latest")


@dataclass(frozen=True)
class Baseline:
    """A baseline that is kept."""

    name: str
    path: Path
    run_file: RunFile | None
    """None where it cannot be read, with the reason."""
    reason: str | None = None


def directory() -> Path:
    """Where baselines are kept."""
    return home() / "baselines"


def save(name: str, run_file: RunFile) -> Path:
    """Keep `run_file` as the baseline `name`, in place of an older one. UsageError for a name or a run that is none."""
    if not any(case.status == "ok" for case in run_file.cases):
        raise UsageError(f"run {run_file.run.id} has no case with a result: nothing can be held against it.")
    path = _path(name)
    write(run_file, path)
    return path


def remove(name: str) -> Path:
    """Forget the baseline `name`. NotComparableError where there is none."""
    path = _path(name)
    try:
        path.unlink()
    except FileNotFoundError:
        raise _none(name) from None
    except OSError as error:
        raise UsageError(f"cannot remove {path}: {error.strerror}.") from None
    return path


def saved() -> tuple[Baseline, ...]:
    """All baselines by name; one that cannot be read with its reason."""
    found = []
    for path in sorted(directory().glob("[!.]*.json")):
        try:
            found.append(Baseline(path.stem, path, read(path)))
        except UsageError as error:
            found.append(Baseline(path.stem, path, None, str(error)))
    return tuple(found)


def load(name: str, runs: Path) -> RunFile:
    """The baseline that `name` means: a file, a name it was saved under, or a run kept in `runs`.

    NotComparableError where there is none; UsageError where it is there and cannot be read, or could be several.
    """
    given = store.named_file(name)
    if given is not None:
        return store.load_path(given)
    if _NAME.fullmatch(name) and (path := directory() / f"{name}.json").is_file():
        return read(path)
    try:
        path = store.find(name, runs)
    except store.NoRunError:
        raise _none(name) from None
    return store.load_path(path)


def _path(name: str) -> Path:
    if not _NAME.fullmatch(name) or name in _TAKEN:
        why = "it has a meaning of its own" if name in _TAKEN else "letters, digits, `.`, `_` and `-` make a name"
        raise UsageError(f"a baseline cannot be called {name!r}: {why}.")
    return directory() / f"{name}.json"


def _none(name: str) -> NotComparableError:
    names = sorted(path.stem for path in directory().glob("[!.]*.json"))
    there = f"saved: {', '.join(names)}" if names else "none is saved"
    return NotComparableError(
        f"no baseline {name!r}: no such file, name or run ({there}). `joulemark baseline save NAME` keeps a run as one."
    )
