"""The rows of one run in a small Parquet file beside its run file, and the DuckDB that reads and writes such files.

Run files are the truth. A Parquet file carries the modification time of the run file it was made from; with another
time it is outdated.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from joulemark.suite.results.history.rows import COLUMNS, Row, rows
from joulemark.suite.system.output import atomic_replacement

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from joulemark.suite.records import RunFile

SUFFIX: Final = ".rows.parquet"


def rows_path(source: Path) -> Path:
    """Return where the rows of the run file `source` are."""
    return source.with_name(source.stem + SUFFIX)


def source_path(file: str) -> Path:
    """Return the run file or journal that a row with this `file` was made from."""
    path = Path(file)
    return path.with_name(path.name.removesuffix(SUFFIX) + ".json") if path.name.endswith(SUFFIX) else path


def is_current(source: Path) -> bool:
    """Return whether the rows beside the run file `source` were made from its present content."""
    try:
        return source.suffix == ".json" and rows_path(source).stat().st_mtime_ns == source.stat().st_mtime_ns
    except OSError:
        return False


def keep(source: Path, run_file: RunFile) -> Path | None:
    """Write the rows of `run_file`, read from `source`, beside it, and return their path; None if that fails."""
    with contextlib.closing(connect()) as connection:
        return write(connection, source, rows(run_file), source.stat().st_mtime_ns)


def write(connection: DuckDBPyConnection, source: Path, run_rows: Sequence[Row], mtime_ns: int) -> Path | None:
    """Write the rows of `source` as it was at `mtime_ns`, durably and in one step; None if that fails."""
    import duckdb

    target = rows_path(source)
    query, values = _as_query(run_rows)
    try:
        with atomic_replacement(target, source.stat().st_mode & 0o666) as temporary:
            copy(connection, query, values, temporary)
            os.utime(temporary, ns=(mtime_ns, mtime_ns))
    except (OSError, duckdb.Error):
        return None
    return target


def connect() -> DuckDBPyConnection:
    """Return a database in memory with empty tables of rows, `in_memory` and `collected`."""
    import duckdb

    connection = duckdb.connect(":memory:")
    connection.execute("SET enable_progress_bar = false")
    # With thousands of small files threads only wait for each other, and each has its own buffers.
    connection.execute("SET threads = 1")
    declared = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    for name in ("in_memory", "collected"):
        connection.execute(f"CREATE TABLE {name} ({declared}, file VARCHAR)")
    return connection


def insert(connection: DuckDBPyConnection, run_rows: Sequence[Row], files: Sequence[str]) -> None:
    """Add rows, each with the file it was made from, to the table `in_memory`."""
    query, values = _as_query(run_rows)
    connection.execute(f"INSERT INTO in_memory {query}, unnest(?::VARCHAR[]) AS file", [*values, list(files)])


def copy(
    connection: DuckDBPyConnection, query: str, values: Sequence[Any], path: Path, row_group: int | None = None
) -> None:
    """Write the result of `query` to the Parquet file `path`, with `row_group` rows in memory at a time."""
    options = "FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false"
    if row_group is not None:
        options += f", ROW_GROUP_SIZE {row_group}"
    quoted = str(path).replace("'", "''")
    connection.execute(f"COPY ({query}) TO '{quoted}' ({options})", list(values))


def escaped(files: Sequence[str]) -> list[str]:
    """Return paths that DuckDB does not take for patterns."""
    return ["".join(f"[{c}]" if c in "*?[" else c for c in file) for file in files]


def _as_query(run_rows: Sequence[Row]) -> tuple[str, list[list[Any]]]:
    """Return a query that yields the rows, and its parameters by column."""
    query = ", ".join(f"unnest(?::{kind}[]) AS {name}" for name, kind in COLUMNS.items())
    return f"SELECT {query}", [[row[name] for row in run_rows] for name in COLUMNS]
