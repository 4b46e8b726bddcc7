"""Runs as a data frame of pandas or a table of Arrow: one row a case, or one a trial. Imports them on use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.records import RunFile
from joulemark.suite.results.export.case_rows import Fields, Values, case_fields, case_rows, trial_fields, trial_rows
from joulemark.suite.system.packages import required

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Rows = Literal["cases", "trials"]

_TABLES: Final[dict[str, tuple[Callable[[RunFile], Fields], Callable[[RunFile], Iterator[Values]]]]] = {
    "cases": (case_fields, case_rows),
    "trials": (trial_fields, trial_rows),
}

_PANDAS: Final = {"number": "float64", "integer": "Int64", "boolean": "boolean", "time": "datetime64[us, UTC]"}
"""Types of pandas that have an unknown value: NaN of a number, NA of the others. Text has pandas's default."""


def to_pandas(run_files: Sequence[RunFile], rows: Rows = "cases") -> pd.DataFrame:
    """Return a data frame; `attrs["units"]` has the units of its columns.

    Raises:
        UsageError: where pandas is not installed, or `rows` is neither cases nor trials.
    """
    fields, values = _columns(run_files, rows)
    pandas = required("pandas", "notebook")
    columns = {}
    for name, field in fields.items():
        column = values[name]
        if field.kind == "text":
            columns[name] = pandas.Series(column, dtype="str")
        else:
            columns[name] = pandas.Series(column, dtype=_PANDAS[field.kind])
    frame = pandas.DataFrame(columns)
    frame.attrs["units"] = {name: field.unit for name, field in fields.items() if field.unit}
    return frame


def to_arrow(run_files: Sequence[RunFile], rows: Rows = "cases") -> pa.Table:
    """Return a table; the metadata of each field has its `unit`. UsageError as in `to_pandas`, of pyarrow."""
    fields, values = _columns(run_files, rows)
    pyarrow = required("pyarrow", "notebook")
    types = _arrow_types(pyarrow)
    schema = pyarrow.schema(
        [
            pyarrow.field(name, types[field.kind], metadata={"unit": field.unit} if field.unit else None)
            for name, field in fields.items()
        ]
    )
    return pyarrow.table({name: pyarrow.array(values[name], types[fields[name].kind]) for name in fields}, schema)


def _arrow_types(pyarrow: ModuleType) -> dict[str, Any]:
    return {
        "text": pyarrow.string(),
        "number": pyarrow.float64(),
        "integer": pyarrow.int64(),
        "boolean": pyarrow.bool_(),
        "time": pyarrow.timestamp("us", tz="UTC"),
    }


def _columns(run_files: Sequence[RunFile], rows: str) -> tuple[Fields, dict[str, list[Any]]]:
    """Return the columns of all runs, in order, and their values: None where a run does not have one."""
    if rows not in _TABLES:
        raise unknown("rows", rows, get_args(Rows)) if isinstance(rows, str) else UsageError("rows is cases or trials.")
    fields_of, rows_of = _TABLES[rows]
    fields: Fields = {}
    for run_file in run_files:
        fields |= fields_of(run_file)
    values: dict[str, list[Any]] = {name: [] for name in fields}
    for run_file in run_files:
        for row in rows_of(run_file):
            for name, field in fields.items():
                value = row.get(name)
                values[name].append(_time(value) if field.kind == "time" and value is not None else value)
    return fields, values


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
