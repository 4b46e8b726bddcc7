"""Rows of many runs, without reading the runs: a small Parquet beside each run file, which DuckDB queries in place.

Run files are the truth. A Parquet carries the modification time of the run file it was made from; one that is
missing, damaged, of another form, or of another time is made anew, and one that cannot be written is kept in memory.
Where there are many runs, copies of their rows are collected in one file (suite/results/history/collected.py).
A run that is still going on, or was cut off, is read from its journal each time.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from joulemark.suite.errors import JoulemarkError
from joulemark.suite.results.history import collected
from joulemark.suite.results.history.rows import COLUMNS, Row, rows
from joulemark.suite.results.store import kept_runs, load_path

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from joulemark.suite.records import RunFile

SUFFIX: Final = ".rows.parquet"


class Rows:
    """The rows of a collection of runs, as far as they were asked for, to be queried."""

    def __init__(self, connection: DuckDBPyConnection, unreadable: Mapping[str, tuple[str, str]]) -> None:
        self._connection = connection
        self.unreadable = dict(unreadable)
        """Where a run lies that cannot be read, and what is wrong with it, by its name."""

    def select(self, what: str, rest: str = "", parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """`SELECT what FROM rows` with the `rest` of the statement."""
        return self._connection.execute(f"SELECT {what} FROM chosen {rest}", list(parameters)).fetchall()


def keep(source: Path, run_file: RunFile) -> Path | None:
    """Write the rows of `run_file`, which was read from `source`, beside it. None where that cannot be.

    In one step and durably: a reader sees the old rows or the new ones, never a half.
    """
    with contextlib.closing(connect()) as connection:
        return _keep(connection, source, rows(run_file), source.stat().st_mtime_ns)


def open_directory(directory: Path, columns: Sequence[str], many: int = collected.MANY) -> Rows:
    """`columns` of the rows of all runs in `directory`, and `file`, which says where a row was read.

    Rows that are not there are made, and where `many` files had to be opened, they are collected in one. UsageError
    where the directory cannot be read.
    """
    connection = connect()
    sources = kept_runs(directory)
    times = _times(directory, sources)
    there = collected.bring(connection, directory, columns, times)
    rest = [source for source in sources if rows_path(source).name not in there]
    kept = {str(rows_path(source)): source for source in rest if _fresh(source)}
    fresh = set(kept.values())
    files = list(kept)
    unreadable: dict[str, tuple[str, str]] = {}
    made_anew(connection, [source for source in rest if source not in fresh], files, unreadable)
    if not gathered(connection, files, columns):
        damaged = [file for file in files if not gathered(connection, [file], columns)]
        files = [file for file in files if file not in damaged]
        made_anew(connection, [kept[file] for file in damaged if file in kept], files, unreadable)
        gathered(connection, files, columns)
    if len(files) >= many:
        _collect(directory, {name: times[name] for name in there}, files)
    return Rows(connection, unreadable)


def _times(directory: Path, sources: Iterable[Path]) -> dict[str, int]:
    """Modification times in nanoseconds of the run files that have rows beside them, by the names of these."""
    found = {}
    with contextlib.suppress(OSError):
        beside = set(os.listdir(directory))
        for source in sources:  # a journal hides the run file beside it, and so its copies
            if source.suffix == ".json" and (name := rows_path(source).name) in beside:
                with contextlib.suppress(OSError):
                    found[name] = source.stat().st_mtime_ns
    return found


def _collect(directory: Path, there: Mapping[str, int], files: Iterable[str]) -> None:
    """Add the rows in `files` to those collected in `directory`, as far as that can be."""
    times = {}
    for path in map(Path, files):
        with contextlib.suppress(OSError):
            times[path.name] = path.stat().st_mtime_ns
    with contextlib.closing(connect()) as connection:
        if collected.write(connection, directory, there, times):
            return
        lacking = collected.lacking(connection, directory, [*there, *times])
        if lacking:  # of an older version of the suite: made anew now, they are added the next time
            whole = {name: at_ns for name, at_ns in {**there, **times}.items() if name not in lacking}
            made_anew(connection, [source_path(str(directory / name)) for name in lacking - {collected.NAME}], [], {})
            collected.write(connection, directory, {}, whole)


def made_anew(
    connection: DuckDBPyConnection, sources: Iterable[Path], files: list[str], unreadable: dict[str, tuple[str, str]]
) -> None:
    """Make the rows of `sources`: written and added to `files`, held in memory, or `unreadable` with the reason."""
    for source in sources:
        try:
            at_ns = source.stat().st_mtime_ns
            made = rows(load_path(source))
        except FileNotFoundError:
            continue  # a journal that has become a run file since: the next look finds it
        except JoulemarkError as error:
            if source.exists():
                unreadable[source.stem] = (str(source), str(error))
            continue
        written = _keep(connection, source, made, at_ns) if source.suffix == ".json" else None
        if written is None:
            remember(connection, made, str(source))
        else:
            files.append(str(written))


def gathered(connection: DuckDBPyConnection, files: Sequence[str], columns: Sequence[str]) -> bool:
    """Make `chosen` of `columns` of `files`, what is in memory and what is collected; False where a file is damaged."""
    import duckdb

    names = ", ".join(columns)
    query, values = f"SELECT {names}, file FROM in_memory", []
    if files:
        query += f" UNION ALL SELECT {names}, filename AS file FROM read_parquet(?, filename = true)"
        values = [collected.literal(files)]
    try:
        connection.execute(f"CREATE OR REPLACE TABLE beside AS {query}", values)
        connection.execute(
            f"CREATE OR REPLACE VIEW chosen AS FROM beside UNION ALL SELECT {names}, file FROM collected"
        )
    except (duckdb.Error, OSError):
        return False
    return True


def rows_path(source: Path) -> Path:
    """Where the rows of the run file `source` are."""
    return source.with_name(source.stem + SUFFIX)


def source_path(file: str) -> Path:
    """The run file or journal that a row with this `file` is of."""
    path = Path(file)
    return path.with_name(path.name.removesuffix(SUFFIX) + ".json") if path.name.endswith(SUFFIX) else path


def connect() -> DuckDBPyConnection:
    """A database in memory with an empty table of rows."""
    import duckdb

    connection = duckdb.connect(":memory:")
    connection.execute("SET enable_progress_bar = false")
    # Thousands of small files: threads only wait for each other, and each holds buffers of its own.
    connection.execute("SET threads = 1")
    declared = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    for name in ("in_memory", "collected"):
        connection.execute(f"CREATE TABLE {name} ({declared}, file VARCHAR)")
    return connection


def remember(connection: DuckDBPyConnection, made: Sequence[Row], file: str) -> None:
    """Hold rows in memory."""
    query, values = _unnested(made)
    connection.execute(f"INSERT INTO in_memory SELECT *, ? FROM ({query})", [file, *values])


def _fresh(source: Path) -> bool:
    """Whether the rows beside the run file `source` were made from it as it is now."""
    try:
        return source.suffix == ".json" and rows_path(source).stat().st_mtime_ns == source.stat().st_mtime_ns
    except OSError:
        return False


def _keep(connection: DuckDBPyConnection, source: Path, made: Sequence[Row], at_ns: int) -> Path | None:
    """Write the rows `made` of `source` as it was at `at_ns`. None where the place cannot be written."""
    import duckdb

    target = rows_path(source)
    query, values = _unnested(made)
    try:
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    except OSError:
        return None
    try:
        quoted = temporary.replace("'", "''")
        connection.execute(
            f"COPY ({query}) TO '{quoted}' (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)", values
        )
        os.fsync(descriptor)
        os.fchmod(descriptor, source.stat().st_mode & 0o666)
        os.utime(descriptor, ns=(at_ns, at_ns))
        os.replace(temporary, target)
    except (OSError, duckdb.Error):
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        return None
    finally:
        os.close(descriptor)
    return target


def _unnested(made: Sequence[Row]) -> tuple[str, list[list[Any]]]:
    """A query that gives the rows `made`, and its values by column."""
    query = ", ".join(f"unnest(?::{kind}[]) AS {name}" for name, kind in COLUMNS.items())
    return f"SELECT {query}", [[row[name] for row in made] for name in COLUMNS]
