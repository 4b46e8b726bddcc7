"""Rows of many runs in one hidden Parquet file, since opening thousands of small files takes most of the time.

Each row has the name of its rows file, whether there is one or not, and the modification time of its run file, and is
valid as long as the run file has that time; other rows are read from the rows files. The file can be deleted at any
time; if it is damaged or cannot be written, only time is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import and_
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from joulemark.suite.results.history.parquet import copy, escaped, source_path
from joulemark.suite.results.history.rows import COLUMNS
from joulemark.suite.system.output import atomic_replacement

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NAME: Final = ".rows.collected"
"""With a leading dot it is no run, and with this ending no pattern for rows or Parquet files matches it."""

MANY: Final = 400
"""Rows files outside the collection that make it worth writing anew: opening them takes a fraction of a second."""

_ROW_GROUP: Final = 16_384
"""Rows in memory at a time while it is written."""


def load(
    connection: DuckDBPyConnection, directory: Path, columns: Sequence[str], mtimes_ns: Mapping[str, int]
) -> set[str]:
    """Load `columns` of the valid copies into the table `collected`, and return the names of their rows files.
    `mtimes_ns` are the modification times of the run files in nanoseconds, by the names of their rows files."""
    import duckdb

    # One statement, since another process may replace the file at any moment.
    typed = ", ".join(f"{name}::{COLUMNS[name]} AS {name}" for name in columns)
    query = f"SELECT {typed}, ? || kept_as AS file, kept_as, at_ns FROM read_parquet(?)"
    try:
        connection.execute(
            f"CREATE OR REPLACE TABLE collected AS {query}",
            [str(directory / NAME).removesuffix(NAME), escaped([str(directory / NAME)])],
        )
    except (duckdb.Error, OSError):
        return set()  # absent, damaged, or with other columns
    copies = connection.execute("SELECT DISTINCT kept_as, at_ns FROM collected").fetchall()
    outdated = [name for name, at_ns in copies if mtimes_ns.get(name) != at_ns]
    if outdated:
        connection.execute(
            "DELETE FROM collected WHERE kept_as IS NULL OR kept_as IN (SELECT unnest(?::VARCHAR[]))", [outdated]
        )
    return {name for name, _ in copies}.difference(outdated)


def write(
    connection: DuckDBPyConnection,
    directory: Path,
    copies: Mapping[str, int],
    new: Mapping[str, int],
    made: Mapping[str, int] = MappingProxyType({}),
) -> bool:
    """Write the file anew, durably and in one step, from the valid `copies` in it, the `new` rows files, and the rows
    `made` in memory.

    All map names of rows files to the modification times of their run files. Returns False if the file cannot be
    written, or if one of the files lacks a column.
    """
    import duckdb

    names = ", ".join(COLUMNS)
    listed = "(SELECT unnest(?::VARCHAR[]) AS kept_as, unnest(?::BIGINT[]) AS at_ns)"
    queries: list[str] = []
    values: list[Any] = []
    for known, source, keys in (
        (new, "(SELECT *, parse_filename(filename) AS kept_as FROM read_parquet(?, filename = true))", "kept_as"),
        (made, "(SELECT *, parse_filename(file) AS kept_as FROM in_memory)", "kept_as"),
        (copies, "read_parquet(?)", "kept_as, at_ns"),
    ):
        if known:
            queries.append(f"SELECT {names}, kept_as, at_ns FROM {source} JOIN {listed} USING ({keys})")
            if known is not made:
                files = [NAME] if known is copies else new
                values.append(escaped([str(directory / name) for name in files]))
            values += [list(known), list(known.values())]
    try:
        # Whoever may read all run files may read their rows, and no one else.
        mode = _common_mode([source_path(str(directory / name)) for name in (*copies, *new, *made)])
        with atomic_replacement(directory / NAME, mode) as temporary:
            copy(connection, " UNION ALL ".join(queries), values, temporary, _ROW_GROUP)
    except (OSError, duckdb.Error):
        return False
    return True


def lacking_columns(connection: DuckDBPyConnection, directory: Path, names: Sequence[str]) -> set[str]:
    """Return those of the rows files `names`, and of the collection, that lack a column; none if one is damaged."""
    import duckdb

    files = [str(directory / name) for name in (*names, NAME) if (directory / name).exists()]
    try:
        lacking = connection.execute(
            "SELECT parse_filename(file_name) FROM parquet_schema(?) "
            "GROUP BY file_name HAVING count(*) FILTER (name IN (SELECT unnest(?::VARCHAR[]))) < ?",
            [escaped(files), list(COLUMNS), len(COLUMNS)],
        ).fetchall()
    except (duckdb.Error, OSError):
        return set()
    return {name for (name,) in lacking}


def _common_mode(files: Sequence[Path]) -> int:
    """Return the permissions that all of `files` have. Raises OSError if one is gone."""
    return reduce(and_, (file.stat().st_mode for file in files), 0o666) | 0o600
