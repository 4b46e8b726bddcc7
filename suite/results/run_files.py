"""Read run files: their summaries are made anew from the trials, so that a file has one truth.

A file whose summaries say something else was changed, and is refused. Their `ranges` and reasons are not compared:
later versions know more about the sensors' errors.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from joulemark.suite.records import Case, Quantity, RunFile, Summary, files
from joulemark.suite.results.summary import recompute

_ROUNDING: Final = 1e-6
"""Share by which a kept number may differ: sums in another order, or numbers that another program has rounded."""

_EXACT: Final = ("unit", "n", "kind", "lower_bound")


def read(path: Path) -> RunFile:
    """Return the run file at `path`. UsageError if it is missing, broken, too new, or contradicts itself."""
    return checked(files.read(path), str(path))


def parse(text: str | bytes, name: str) -> RunFile:
    """Return the run file in `text`, called `name` in errors. Raises UsageError as `read` does."""
    return checked(files.parse(text, name), name)


def checked(run_file: RunFile, name: str) -> RunFile:
    """Return the run file with summaries made of its trials. UsageError if those in it differ."""
    made = recompute(run_file, run_file.emissions)
    pairs = zip(run_file.cases, made.cases, strict=True)
    files.refuse(name, [problem for i, (kept, own) in enumerate(pairs) for problem in _differences(i, kept, own)])
    return made.model_copy(update={"notices": run_file.notices})


def _differences(number: int, kept: Case, made: Case) -> Iterator[tuple[str, str]]:
    if kept.summary is None or made.summary is None:
        return  # records.checks has seen that both are
    for name in Summary.model_fields:
        there, here = getattr(kept.summary, name), getattr(made.summary, name)
        for field in ("value", "low", "high", *_EXACT):
            if not _is_same(there, here, field):
                place = f"cases.{number}.summary.{name}.{field}"
                yield place, f"it is {_text(there, field)}, but the trials give {_text(here, field)}"


def _is_same(there: Quantity, here: Quantity, field: str) -> bool:
    kept, made = getattr(there, field), getattr(here, field)
    if field in _EXACT or kept is None or made is None:
        return bool(kept == made)
    return math.isclose(kept, made, rel_tol=_ROUNDING)


def _text(quantity: Quantity, field: str) -> str:
    value = getattr(quantity, field)
    return f"{value:.6g} {quantity.unit}" if isinstance(value, float) else repr(value)
