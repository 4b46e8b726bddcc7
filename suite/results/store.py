"""Finds runs: by path, by id, by a unique beginning of one, or the latest."""

from __future__ import annotations

import os
import re
from pathlib import Path

from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.records import RunFile, read
from joulemark.suite.records.journal import SUFFIX
from joulemark.suite.results.assemble import assemble

_RUN_FILE = ".json"

_ENDINGS = (_RUN_FILE, SUFFIX)

_ID = re.compile(r"\d{8}T\d{6}Z-[\w-]+")
"""What runs are called; other files in the directory, such as exports, may be runs, but not the latest."""


class NoRunError(UsageError):
    """There is no such run; other errors tell of one that is there, or of a place where one cannot look."""


def load(run: str, directory: Path) -> RunFile:
    """The run that `run` names; an interrupted one is read from its journal. UsageError where there is none."""
    return load_path(find(run, directory))


def load_path(path: Path) -> RunFile:
    """The run in a run file or a journal."""
    return assemble(path) if path.suffix == SUFFIX else read(path)


def find(run: str, directory: Path) -> Path:
    """Where the run that `run` names is kept. NoRunError where there is none, UsageError for more than one."""
    path = named_file(run)
    if path is not None:
        return path
    kept = _kept(directory)
    if not kept:
        where = f"no runs are kept in {directory}: `joulemark run` makes one"
        raise NoRunError(f"no run {shown(run)}: there is no such file, and {where}.")
    if run == "latest" and (own := [name for name in kept if _ID.fullmatch(name)]):
        return directory / kept[max(own)]
    matching = [name for name in kept if name.startswith(run)]
    if run in kept:
        matching = [run]
    if len(matching) > 1:
        raise UsageError(f"{run!r} could be {' or '.join(sorted(matching)[:4])}: give more of the id.")
    if not matching:
        raise NoRunError(str(unknown("run", shown(run).strip("'"), kept)))
    return directory / kept[matching[0]]


def named_file(text: str) -> Path | None:
    """The file that somebody named; None where there is none.

    UsageError for a folder, a dead link and what else is no file, or where one cannot look.
    """
    try:
        path = Path(text).expanduser()
        if path.is_file():
            return path
        # A word may be the beginning of an id, and a folder's name by chance.
        if path.is_dir() and (os.sep in text or text == os.curdir or path.suffix in _ENDINGS):
            raise UsageError(f"{shown(text)} is a folder: name a run file in it.")
        if path.is_symlink() and not path.exists():
            raise UsageError(f"{shown(text)} is a link to {os.readlink(path)}, where no file is.")
        if path.exists() and not path.is_dir():
            raise UsageError(f"{shown(text)} is a pipe or a device: name a run file.")
        return None
    except (OSError, RuntimeError) as error:
        # A closed folder, a name that is too long, a home that nobody knows.
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error).rstrip(".")
        raise UsageError(f"cannot read {shown(text)}: {why[:1].lower()}{why[1:]}.") from None


def shown(text: str) -> str:
    """What somebody typed, quoted, at a length that one reads."""
    return repr(text if len(text) <= 100 else text[:99] + "…")


def kept_runs(directory: Path) -> list[Path]:
    """Run files, and journals of runs that are going on or were cut off, oldest first (an id begins with its UTC time).

    A journal goes before the run file beside it: the run was resumed, and the journal holds all of it. What begins
    with a dot is a file that was never finished, whatever its ending.
    """
    kept = _kept(directory)
    return [directory / kept[name] for name in sorted(kept)]


def _kept(directory: Path) -> dict[str, str]:
    """Names of the files of `kept_runs` by their stems. One look at the directory: there may be thousands."""
    try:
        names = [entry.name for entry in os.scandir(directory) if not entry.name.startswith(".") and _is_file(entry)]
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UsageError(f"cannot read {directory}: {error.strerror}.") from None
    found: dict[str, str] = {}
    for ending in _ENDINGS:
        found |= {name.removesuffix(ending): name for name in names if name.endswith(ending)}
    return found


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Whether it can be read: opening a pipe would wait for its writer, and a link may lead to itself."""
    try:
        return entry.is_file()
    except OSError:
        return False
