"""The rows of all runs in a directory, without reading the runs themselves.

Rows that are missing, damaged, outdated or of another version are made anew from the run files: those of a few runs are
written beside these, those of many into the collection; if they cannot be written, they are held in memory. A run that
is in progress or was interrupted is read from its journal each time.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from joulemark.suite.results.history import collected, parquet
from joulemark.suite.results.history.parquet import rows_path
from joulemark.suite.results.history.read_rows import read_rows
from joulemark.suite.results.history.rows import Row
from joulemark.suite.results.store import kept_runs

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Unreadable = dict[str, tuple[str, str]]
"""The path of a run that cannot be read, and why, by the run's name."""


FEW: Final = 20
"""More run files without rows get none of their own: writing one, durably, takes longer than reading its run."""

ROWS_AT_ONCE: Final = 2_000
"""Rows that are held as Python objects."""


class Rows:
    """The requested columns of the rows of many runs, to be queried."""

    def __init__(self, connection: DuckDBPyConnection, unreadable: Unreadable) -> None:
        self._connection = connection
        self.unreadable = unreadable

    def select(self, expressions: str, clauses: str = "", parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the result of `SELECT expressions FROM rows clauses`."""
        return self._connection.execute(f"SELECT {expressions} FROM chosen {clauses}", list(parameters)).fetchall()


def open_directory(directory: Path, columns: Sequence[str], many: int = collected.MANY) -> Rows:
    """Return `columns` of the rows of all runs in `directory`, and `file`, the file that a row was read from.

    Missing rows are made. If `many` files had to be opened, their rows are collected in one file. Raises UsageError if
    the directory cannot be read.
    """
    connection = parquet.connect()
    sources = kept_runs(directory)
    mtimes_ns = _mtimes_ns(sources)
    copies = collected.load(connection, directory, columns, mtimes_ns)
    others = [source for source in sources if rows_path(source).name not in copies]
    current = {str(rows_path(source)): source for source in others if parquet.is_current(source)}
    outdated = set(others).difference(current.values())
    files = list(current)
    unreadable: Unreadable = {}
    made = _make(connection, [source for source in others if source in outdated], files, unreadable)
    if not choose(connection, files, columns):
        damaged = [file for file in files if not choose(connection, [file], columns)]
        files = [file for file in files if file not in damaged]
        _make(connection, [current[file] for file in damaged if file in current], files, unreadable)
        choose(connection, files, columns)
    if made:
        collected.write(connection, directory, {name: mtimes_ns[name] for name in copies}, {}, made)
    elif len(files) >= many:
        _collect(directory, {name: mtimes_ns[name] for name in copies}, files)
    return Rows(connection, unreadable)


def choose(connection: DuckDBPyConnection, files: Sequence[str], columns: Sequence[str]) -> bool:
    """Make the view `chosen` of `columns` from `files` and the tables of `connect`; False if a file is damaged."""
    import duckdb

    names = ", ".join(columns)
    query, values = f"SELECT {names}, file FROM in_memory", []
    if files:
        query += f" UNION ALL SELECT {names}, filename AS file FROM read_parquet(?, filename = true)"
        values = [parquet.escaped(files)]
    try:
        connection.execute(f"CREATE OR REPLACE TABLE beside AS {query}", values)
        connection.execute(
            f"CREATE OR REPLACE VIEW chosen AS FROM beside UNION ALL SELECT {names}, file FROM collected"
        )
    except (duckdb.Error, OSError):
        return False
    return True


def _mtimes_ns(sources: Iterable[Path]) -> dict[str, int]:
    """Return the modification times of the run files, by the names of their rows files."""
    mtimes_ns = {}
    for source in sources:  # a journal hides the run file beside it, and so its copies
        if source.suffix == ".json":
            with contextlib.suppress(OSError):
                mtimes_ns[rows_path(source).name] = source.stat().st_mtime_ns
    return mtimes_ns


@contextlib.contextmanager
def _without_cycle_collector() -> Iterator[None]:
    """Records hold no cycles, and looking for some takes a tenth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@_without_cycle_collector()
def _make(
    connection: DuckDBPyConnection, sources: Sequence[Path], files: list[str], unreadable: Unreadable
) -> dict[str, int]:
    """Make the rows of `sources`: written and added to `files`, held in memory, or `unreadable` with the reason.

    Those of many run files are held in memory only. Returns the modification times of these, by the names that their
    rows files would have.
    """
    many = len(sources) > FEW
    made: dict[str, int] = {}
    held: list[tuple[str, Row]] = []
    for source, mtime_ns, run_rows in read_rows(sources):
        if isinstance(run_rows, str):
            unreadable[source.stem] = (str(source), run_rows)
            continue
        is_finished, file = source.suffix == ".json", source
        if many and is_finished:
            file = rows_path(source)
            made[file.name] = mtime_ns
        elif is_finished and (path := parquet.write(connection, source, run_rows, mtime_ns)) is not None:
            files.append(str(path))
            continue
        held += [(str(file), row) for row in run_rows]
        if len(held) > ROWS_AT_ONCE:
            _hold(connection, held)
    _hold(connection, held)
    return made


def _hold(connection: DuckDBPyConnection, held: list[tuple[str, Row]]) -> None:
    """Move the rows `held`, each with its file, into the database."""
    if held:
        parquet.insert(connection, [row for _, row in held], [file for file, _ in held])
        held.clear()


def _collect(directory: Path, copies: Mapping[str, int], files: Iterable[str]) -> None:
    """Add the rows in `files` to the collection of `directory`, if it can be written."""
    new = {}
    for path in map(Path, files):
        with contextlib.suppress(OSError):
            new[path.name] = path.stat().st_mtime_ns
    with contextlib.closing(parquet.connect()) as connection:
        if collected.write(connection, directory, copies, new):
            return
        lacking = collected.lacking_columns(connection, directory, [*copies, *new])
        if lacking:  # written by an older version: made anew now, and added the next time
            complete = {name: mtime_ns for name, mtime_ns in {**copies, **new}.items() if name not in lacking}
            sources = [parquet.source_path(str(directory / name)) for name in lacking - {collected.NAME}]
            _make(connection, sources, [], {})
            collected.write(connection, directory, {}, complete)
