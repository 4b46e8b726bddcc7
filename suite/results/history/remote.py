"""Rows of runs in any place that fsspec knows, queried by DuckDB without being copied. Nothing is written.

Rows beside a run file are used as they are, since remote places do not reliably tell when a file was changed. A run
file without rows is read whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from joulemark.suite.errors import JoulemarkError, UsageError
from joulemark.suite.results.history.directory import Rows, Unreadable, choose, open_directory
from joulemark.suite.results.history.parquet import SUFFIX, connect, insert
from joulemark.suite.results.history.rows import rows
from joulemark.suite.results.run_files import parse
from joulemark.suite.results.store import one_file
from joulemark.suite.system.directories import expanded


def open_rows(location: str, columns: Sequence[str]) -> Rows:
    """Return `columns` of all rows at `location`: a directory, or a URL such as s3://bucket/runs. Raises UsageError if
    the location does not exist, cannot be read, or needs a package that is not installed."""
    if "://" not in location or location.startswith("file://"):
        directory = expanded(location.removeprefix("file://"))
        if not directory.is_dir():
            raise UsageError(f"no runs at {location}: there is no such directory.")
        return open_directory(directory, columns)
    filesystem, names = _listing(location)
    connection = connect()
    connection.register_filesystem(filesystem)
    rows_files = {name for name in names if name.endswith(SUFFIX)}
    urls: list[str] = []
    unreadable: Unreadable = {}
    for name in names:
        if not name.endswith(".json"):
            continue
        rows_file = name.removesuffix(".json") + SUFFIX
        url = str(filesystem.unstrip_protocol(rows_file))
        if rows_file in rows_files and choose(connection, [url], columns):
            urls.append(url)
            continue
        try:
            with one_file(name):
                run_rows = rows(parse(filesystem.cat_file(name), name))
            insert(connection, run_rows, [str(filesystem.unstrip_protocol(name))] * len(run_rows))
        except JoulemarkError as error:
            unreadable[name.rpartition("/")[2].removesuffix(".json")] = (name, str(error))
    choose(connection, urls, columns)
    return Rows(connection, unreadable)


def _listing(location: str) -> tuple[Any, list[str]]:
    """Return the file system of `location` and the names of its files that are not hidden. Raises UsageError."""
    try:
        import fsspec
    except ImportError:
        raise UsageError(f"{location} needs fsspec: pip install 'joulemark[remote]'.") from None
    try:
        filesystem, root = fsspec.url_to_fs(location)
        names = [str(name) for name in filesystem.ls(root, detail=False)]
    except FileNotFoundError:
        raise UsageError(f"no runs at {location}: there is no such place.") from None
    except ImportError as error:
        raise UsageError(f"{location} needs another package: {error}.") from None
    except Exception as error:  # noqa: BLE001  file systems have their own errors: no permission, no network, no such protocol
        raise UsageError(f"cannot read {location}: {type(error).__name__}: {error}.") from None
    return filesystem, sorted(name for name in names if not name.rpartition("/")[2].startswith("."))
