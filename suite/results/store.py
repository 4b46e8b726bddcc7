"""Find runs: by path, by id, by a unique beginning of an id, or the latest."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from joulemark.suite.errors import JoulemarkError, UsageError, unknown
from joulemark.suite.records import RunFile
from joulemark.suite.records.journal import SUFFIX
from joulemark.suite.results.assemble import assemble
from joulemark.suite.results.run_files import read
from joulemark.suite.system.directories import no_home_reason
from joulemark.suite.system.text import one_line

_ENDINGS = (".json", SUFFIX)

_ID = re.compile(r"\d{8}T\d{6}Z-[\w-]+")
"""The form of a run's id. Files with other names, such as exports, may be runs, but are never the latest."""


class NoRunError(UsageError):
    """There is no such run. Other errors concern a run that is there, or a place that cannot be read."""


def load(run: str, directory: Path | None) -> RunFile:
    """Return the run that `run` names, an interrupted one from its journal. Raises UsageError if there is none."""
    return load_path(find(run, directory))


@contextmanager
def one_file(name: str) -> Iterator[None]:
    """Turn whatever goes wrong with the file `name` into a UsageError: it must not hide the others."""
    try:
        yield
    except JoulemarkError:
        raise
    except Exception as error:
        raise UsageError(f"{name} cannot be read: {type(error).__name__}: {one_line(str(error))}.") from error


def load_path(path: Path) -> RunFile:
    """Return the run in a run file or a journal."""
    return assemble(path) if path.suffix == SUFFIX else read(path)


def find(run: str, directory: Path | None) -> Path:
    """Return the path of the run that `run` names, among those kept in `directory` (None: none are). Raises NoRunError
    if there is none, UsageError if several match."""
    if not run:
        raise NoRunError("the name of a run is empty: give a path, an id, a unique beginning of one, or latest.")
    if (path := named_file(run)) is not None:
        return path
    if directory is None:
        raise NoRunError(
            f"no run {_quoted(run)}: there is no such file, and no runs are kept, since {no_home_reason()}. "
            "Name a file, give --out, or set JOULEMARK_HOME."
        )
    names = _names_by_stem(directory)
    if not names:
        raise NoRunError(
            f"no run {_quoted(run)}: there is no such file, and no runs are kept in {directory}. "
            "`joulemark run` makes one."
        )
    if run == "latest" and (ids := [stem for stem in names if _ID.fullmatch(stem)]):
        return directory / names[max(ids)]
    matching = [run] if run in names else [stem for stem in names if stem.startswith(run)]
    if len(matching) > 1:
        raise UsageError(f"{run!r} matches {' and '.join(sorted(matching)[:4])}: give more of the id.")
    if not matching:
        raise NoRunError(str(unknown("run", _quoted(run).strip("'"), names)))
    return directory / names[matching[0]]


def find_all(name: str, directory: Path | None) -> tuple[list[Path], bool]:
    """Return the path of the run that `name` names, or those in the directory of this name; and whether it is one.

    A plain word that a kept run's id begins with is that run. Raises UsageError as `find`, or for a directory without
    any file of a run.
    """
    is_directory = bool(name) and os.path.isdir(os.path.expanduser(name))
    if not is_directory:
        return [find(name, directory)], False
    if os.sep not in name and name != os.curdir:
        with suppress(NoRunError):
            return [find(name, directory)], False
    path = Path(name).expanduser()
    paths = kept_runs(path)
    if not paths:
        raise NoRunError(f"{_quoted(name)} is a directory without a run file or a journal. Name one that has some.")
    return paths, True


def named_file(text: str) -> Path | None:
    """Return the path of the file called `text`, or None if there is none. Raises UsageError if it is a directory, a
    dangling link or not a regular file, or if the place cannot be read."""
    try:
        path = Path(text).expanduser()
        if path.is_file():
            return path
        # A plain word may be the beginning of an id, and the name of a directory by chance.
        if path.is_dir() and (os.sep in text or text == os.curdir or path.suffix in _ENDINGS):
            raise UsageError(f"{_quoted(text)} is a directory: name a run file in it.")
        if path.is_symlink() and not path.exists():
            raise UsageError(f"{_quoted(text)} is a dangling link to {os.readlink(path)}: name a run file.")
        if path.exists() and not path.is_dir():
            raise UsageError(f"{_quoted(text)} is a pipe or a device: name a run file.")
        return None
    except (OSError, RuntimeError) as error:
        # No permission, a name that is too long, an unknown user's home.
        cause = error.strerror if isinstance(error, OSError) and error.strerror else str(error).rstrip(".")
        raise UsageError(f"cannot read {_quoted(text)}: {cause[:1].lower()}{cause[1:]}.") from None


def kept_runs(directory: Path | None) -> list[Path]:
    """Return the run files, and the journals of running or interrupted runs, oldest first by the UTC time in their ids.

    A journal takes the place of the run file beside it: that run was resumed, and the journal holds all of it. Names
    that begin with a dot are temporary files, whatever their ending.
    """
    if directory is None:
        return []
    names = _names_by_stem(directory)
    return [directory / names[stem] for stem in sorted(names)]


def _names_by_stem(directory: Path) -> dict[str, str]:
    """Return the names of the files of `kept_runs` by their stems. The directory is scanned once: it may be large."""
    try:
        names = [entry.name for entry in os.scandir(directory) if not entry.name.startswith(".") and _is_file(entry)]
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UsageError(f"cannot read {directory}: {error.strerror}.") from None
    # Journals come last and so replace run files of the same stem.
    return {name.removesuffix(ending): name for ending in _ENDINGS for name in names if name.endswith(ending)}


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Return whether `entry` is a readable file: opening a pipe would block, and a link may point to itself."""
    try:
        return entry.is_file()
    except OSError:
        return False


def _quoted(text: str) -> str:
    """Return what the user typed, in quotes and at most 100 characters long."""
    return repr(text if len(text) <= 100 else text[:99] + "…")
