"""Rows of many settled runs in one hidden Parquet, since opening thousands of small files is what takes time.

It holds copies only, each with the name of its rows file and the modification time of the run file it is of: a copy
counts as long as the run file has that time and the rows file is there. What is not in it is read from the rows
files. It can be deleted at any time, and where it is damaged, or cannot be written, nothing is lost but time.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from joulemark.suite.results.history.rows import COLUMNS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NAME: Final = ".rows.collected"
"""Begins with a dot, so it is no run, and does not end as rows do, so `*.rows.parquet` and `*.parquet` pass it by."""

MANY: Final = 400
"""Rows files outside of it that are worth writing it anew: they are opened in a fraction of a second."""

_GROUP: Final = 16_384
"""Rows that are held in memory while it is written."""


def bring(
    connection: DuckDBPyConnection, directory: Path, columns: Sequence[str], times: Mapping[str, int]
) -> set[str]:
    """Bring `columns` of the copies that count in the table `collected`; the names of their rows files.

    `times` are those of the run files in nanoseconds, by the names of their rows files.
    """
    import duckdb

    # In one statement: another process may put a new file in the place of this one at any moment.
    typed = ", ".join(f"{name}::{COLUMNS[name]} AS {name}" for name in columns)
    query = f"SELECT {typed}, ? || kept_as AS file, kept_as, at_ns FROM read_parquet(?)"
    try:
        connection.execute(
            f"CREATE OR REPLACE TABLE collected AS {query}",
            [str(directory / NAME).removesuffix(NAME), literal([str(directory / NAME)])],
        )
    except (duckdb.Error, OSError):
        return set()  # not there, damaged, or of another form
    pairs = connection.execute("SELECT DISTINCT kept_as, at_ns FROM collected").fetchall()
    outdated = [name for name, at_ns in pairs if times.get(name) != at_ns]
    if outdated:
        connection.execute(
            "DELETE FROM collected WHERE kept_as IS NULL OR kept_as IN (SELECT unnest(?::VARCHAR[]))", [outdated]
        )
    return {name for name, _ in pairs}.difference(outdated)


def write(connection: DuckDBPyConnection, directory: Path, there: Mapping[str, int], files: Mapping[str, int]) -> bool:
    """Write it anew, durably and in one step: the copies `there`, and the rows in `files`. Whether that could be.

    Both are names of rows files with the times of their run files. False too where a file lacks a column.
    """
    import duckdb

    names = ", ".join(COLUMNS)
    listed = "(SELECT unnest(?::VARCHAR[]) AS kept_as, unnest(?::BIGINT[]) AS at_ns)"
    query = (
        f"SELECT {names}, kept_as, at_ns FROM (SELECT *, parse_filename(filename) AS kept_as "
        f"FROM read_parquet(?, filename = true)) JOIN {listed} USING (kept_as)"
    )
    values: list[Any] = [literal([str(directory / name) for name in files]), list(files), list(files.values())]
    if there:
        query += f" UNION ALL SELECT {names}, kept_as, at_ns FROM read_parquet(?) JOIN {listed} USING (kept_as, at_ns)"
        values += [literal([str(directory / NAME)]), list(there), list(there.values())]
    try:
        descriptor, temporary = tempfile.mkstemp(dir=directory, prefix=f"{NAME}.", suffix=".tmp")
    except OSError:
        return False
    try:
        quoted = temporary.replace("'", "''")
        form = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_GROUP}, USE_TMP_FILE false"
        connection.execute(f"COPY ({query}) TO '{quoted}' ({form})", values)
        os.fsync(descriptor)
        # Whoever may read the rows may read their copies, and no one else.
        os.fchmod(descriptor, _shared_mode([directory / name for name in (*there, *files)]))
        os.replace(temporary, directory / NAME)
    except (OSError, duckdb.Error):
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        return False
    finally:
        os.close(descriptor)
    return True


def lacking(connection: DuckDBPyConnection, directory: Path, names: Sequence[str]) -> set[str]:
    """Those of the rows files `names`, and of the file itself, that lack a column; empty where one is damaged."""
    import duckdb

    places = [str(directory / name) for name in (*names, NAME) if (directory / name).exists()]
    try:
        found = connection.execute(
            "SELECT parse_filename(file_name) FROM parquet_schema(?) "
            "GROUP BY file_name HAVING count(*) FILTER (name IN (SELECT unnest(?::VARCHAR[]))) < ?",
            [literal(places), list(COLUMNS), len(COLUMNS)],
        ).fetchall()
    except (duckdb.Error, OSError):
        return set()
    return {name for (name,) in found}


def literal(files: Sequence[str]) -> list[str]:
    """Paths that DuckDB must not take for patterns."""
    return ["".join(f"[{c}]" if c in "*?[" else c for c in file) for file in files]


def _shared_mode(files: Sequence[Path]) -> int:
    """The permissions that all of `files` give. OSError where one has gone."""
    mode = 0o666
    for file in files:
        mode &= file.stat().st_mode
    return mode | 0o600
