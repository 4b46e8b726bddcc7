"""Runs that are read: records with their tables for pandas and Arrow, and their display in a notebook."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from joulemark.suite.errors import JoulemarkError, UsageError
from joulemark.suite.records import RunFile
from joulemark.suite.results.export import frames
from joulemark.suite.results.store import find, kept_runs, load_path, one_file
from joulemark.suite.system.directories import expanded, find_runs

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Source = str | os.PathLike[str]
MAX_NAMED = 3
"""Files that a warning names."""


class Run(RunFile):
    """A run file with its tables. Each is made when it is asked for, by packages that are imported then."""

    def to_pandas(self, rows: frames.Rows = "cases") -> pd.DataFrame:
        """Return a data frame with one row a case, or one a trial with `rows="trials"`.

        The columns are those of `joulemark export --format csv`; `attrs["units"]` has their units.
        """
        return frames.to_pandas([self], rows)

    def to_arrow(self, rows: frames.Rows = "cases") -> pa.Table:
        """Return a table of Arrow with the same `rows` and columns; the metadata of a field has its `unit`."""
        return frames.to_arrow([self], rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunFile) and dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment]  # records hold dicts

    def __repr__(self) -> str:
        return f"<joulemark run {self.run.id}: {len(self.cases)} cases>"

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        from joulemark.notebook.run_html import run_html

        return run_html(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        from joulemark.notebook.run_html import run_text

        printer.text(run_text(self))


class Runs(Sequence[Run]):
    """Several runs, whose tables are joined."""

    def __init__(self, runs: Sequence[Run]) -> None:
        """Hold `runs` in their order."""
        self._runs = tuple(runs)

    @overload
    def __getitem__(self, index: int) -> Run: ...
    @overload
    def __getitem__(self, index: slice) -> Runs: ...
    def __getitem__(self, index: int | slice) -> Run | Runs:
        return Runs(self._runs[index]) if isinstance(index, slice) else self._runs[index]

    def __len__(self) -> int:
        return len(self._runs)

    def to_pandas(self, rows: frames.Rows = "cases") -> pd.DataFrame:
        """Return the data frames of all runs as one; `rows` as in `Run.to_pandas`."""
        return frames.to_pandas(self._runs, rows)

    def to_arrow(self, rows: frames.Rows = "cases") -> pa.Table:
        """Return the tables of all runs as one; `rows` as in `Run.to_arrow`."""
        return frames.to_arrow(self._runs, rows)

    def __repr__(self) -> str:
        return f"<joulemark runs {', '.join(run.run.id for run in self._runs)}>"

    def _repr_html_(self) -> str:
        from joulemark.notebook.run_html import run_html

        return "".join(run_html(run) for run in self._runs) or "no runs"


def read(source: Source | Sequence[Source]) -> Run | Runs:
    """Return the run, or the runs, that `source` names. Raises as `joulemark.read`."""
    if isinstance(source, list | tuple):
        return Runs([_read_one(each) for each in source])
    if isinstance(source, str | os.PathLike) and os.path.isdir(expanded(source)):
        return _read_directory(expanded(source))
    return _read_one(source)


def _read_one(source: object) -> Run:
    if not isinstance(source, str | os.PathLike):
        raise UsageError(f"read takes a path, the id of a run, or a list of these, found {source!r:.80}.")
    is_path = not isinstance(source, str) or os.sep in source or source.endswith((".json", ".journal"))
    path = expanded(source) if is_path else find(str(source), find_runs(None))
    return _as_run(load_path(path))


def _read_directory(directory: Path) -> Runs:
    """Return the runs that are kept in `directory`, the oldest first; a warning names those that cannot be read."""
    runs, problems = [], []
    for path in kept_runs(directory):
        try:
            with one_file(path.name):
                runs.append(_as_run(load_path(path)))
        except JoulemarkError as error:
            problems.append(str(error))
    if problems:
        more = f" (and {len(problems) - MAX_NAMED} more)" if len(problems) > MAX_NAMED else ""
        listed = " ".join(problems[:MAX_NAMED])
        warnings.warn(f"joulemark: left out: {listed}{more}", RuntimeWarning, stacklevel=4)
    if not runs:
        raise UsageError(f"there is no run in {directory} that can be read.")
    return Runs(runs)


def _as_run(run_file: RunFile) -> Run:
    return Run.model_construct(run_file.model_fields_set, **dict(run_file))
