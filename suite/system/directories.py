"""The directories of runs and caches. A user in a container may have no home directory, and no place for them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from joulemark.suite.errors import UsageError

FILE_SUFFIXES: Final = (".html", ".md", ".json", ".csv", ".xml", ".txt")
"""Of what verbs write into one file: a directory with such a name is a mistake for `-o`."""


def find_home(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return the directory of runs and caches: JOULEMARK_HOME, or the platform's directory for user data.

    None where the user has no home directory; UsageError where JOULEMARK_HOME begins with `~` all the same.
    """
    if chosen := environment.get("JOULEMARK_HOME"):
        return expanded(chosen)
    import platformdirs

    try:
        directory = Path(platformdirs.user_data_dir("joulemark", appauthor=False))
    except RuntimeError:
        return None
    return directory if directory.is_absolute() else None  # older versions return `~/...` as it is


def home() -> Path:
    """Return the directory of runs and caches. UsageError where there is none."""
    directory = find_home()
    if directory is None:
        raise UsageError(f"there is no home directory: {no_home_reason()}. Set JOULEMARK_HOME to a directory.")
    return directory


def no_home_reason() -> str:
    """Return why there is no home directory."""
    return f"HOME is not set, and user {os.getuid()} is not in /etc/passwd"


def find_cache(name: str, environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return the path of the cache `name` in the home; None where there is none, and nothing can be kept."""
    directory = find_home(environment)
    return None if directory is None else directory / name


def find_runs(out: Path | None) -> Path | None:
    """Return the directory that runs are looked for in: `--out`, or `runs` in the home; None where there is none.

    UsageError where `--out` is a file, or is named like one.
    """
    if out is not None and not out.is_dir():
        if out.exists():
            raise UsageError(f"--out is a directory; {out} is a file.")
        if out.suffix.lower() in FILE_SUFFIXES:
            raise UsageError(f"--out is the directory of runs; {out} names a file, as `-o {out}` of `report` takes it.")
    directory = find_home() if out is None else None
    return directory / "runs" if directory is not None else out


def runs_directory(out: Path | None) -> Path:
    """Return the directory that a new run is kept in, as `find_runs`. UsageError where there is none."""
    directory = find_runs(out)
    if directory is None:
        raise UsageError(f"there is no place to keep the run: {no_home_reason()}. Give --out, or set JOULEMARK_HOME.")
    return directory


def make_private(directory: Path) -> None:
    """Make `directory`, and those above it that are missing, for this user alone. Those that exist stay as they are.

    Runs hold command lines and environments. OSError where one cannot be made.
    """
    try:
        directory.mkdir(mode=0o700)
    except FileNotFoundError:
        if directory.parent.is_dir():  # as in /proc, where nothing can be made
            raise
        make_private(directory.parent)
        make_private(directory)
    except OSError:
        if not directory.is_dir():
            raise


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return `path` with a leading `~` or `~user` replaced. UsageError where that user has no home directory."""
    whole = Path(os.path.expanduser(path))
    if str(whole).startswith("~") and not whole.exists():  # else it is a file of that name
        raise UsageError(f"{path}: that user has no home directory. Give an absolute path.")
    return whole
