"""Rows of runs that lie elsewhere: any address that fsspec knows, queried by DuckDB where they lie. Nothing is written.

Rows beside a run file are taken as they are: addresses do not tell reliably when a file was changed. A run file
without rows is read whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from joulemark.suite.errors import JoulemarkError, UsageError
from joulemark.suite.records import parse
from joulemark.suite.results.history.parquet import SUFFIX, Rows, connect, gathered, open_directory, remember
from joulemark.suite.results.history.rows import rows


def open_rows(place: str, columns: Sequence[str]) -> Rows:
    """`columns` of all rows at `place`: a directory, or an address such as s3://bucket/runs.

    UsageError where it is not there, cannot be read, or needs a package that is not installed.
    """
    if "://" not in place or place.startswith("file://"):
        directory = Path(place.removeprefix("file://")).expanduser()
        if not directory.is_dir():
            raise UsageError(f"no runs at {place}: there is no such directory.")
        return open_directory(directory, columns)
    filesystem, names = _listed(place)
    connection = connect()
    connection.register_filesystem(filesystem)
    beside = {name for name in names if name.endswith(SUFFIX)}
    files: list[str] = []
    unreadable: dict[str, tuple[str, str]] = {}
    for name in names:
        if not name.endswith(".json"):
            continue
        kept = name.removesuffix(".json") + SUFFIX
        address = str(filesystem.unstrip_protocol(kept))
        if kept in beside and gathered(connection, [address], columns):
            files.append(address)
            continue
        try:
            text = filesystem.cat_file(name).decode("utf-8")
            remember(connection, rows(parse(text, name)), str(filesystem.unstrip_protocol(name)))
        except (JoulemarkError, OSError, UnicodeDecodeError) as error:
            unreadable[name.rpartition("/")[2].removesuffix(".json")] = (name, str(error))
    gathered(connection, files, columns)
    return Rows(connection, unreadable)


def _listed(place: str) -> tuple[Any, list[str]]:
    """The file system of `place` and the files in it that are not hidden. UsageError."""
    try:
        import fsspec
    except ImportError:
        raise UsageError(f"{place} needs fsspec: pip install 'joulemark[remote]'.") from None
    try:
        filesystem, root = fsspec.url_to_fs(place)
        names = [str(name) for name in filesystem.ls(root, detail=False)]
    except FileNotFoundError:
        raise UsageError(f"no runs at {place}: there is no such place.") from None
    except ImportError as error:
        raise UsageError(f"{place} needs another package: {error}.") from None
    except Exception as error:  # noqa: BLE001  each file system has errors of its own: no permission, no network, no such protocol
        raise UsageError(f"cannot read {place}: {type(error).__name__}: {error}.") from None
    return filesystem, sorted(name for name in names if not name.rpartition("/")[2].startswith("."))
