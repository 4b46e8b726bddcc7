"""Read run files: their summaries are made anew from the trials, so that a file has one truth.

A file whose summaries say something else was changed, and is refused. Their `ranges` and reasons are not compared:
later versions know more about the sensors' errors. Nor is what another version of joulemark made of energy and of
intervals, whose rules may have been others: units, numbers of trials and rates are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from joulemark import __version__
from joulemark.suite.energy.whole_machine.share import share_of_run
from joulemark.suite.records import Case, Quantity, RunFile, Summary, files
from joulemark.suite.results.summary import recompute

_ROUNDING: Final = 1e-6
"""Share by which a kept number may differ: sums in another order, or numbers that another program has rounded."""

_EXACT: Final = ("unit", "n", "kind", "lower_bound")

_RATES: Final = ("throughput", "step_time_s")
"""Quantities whose values follow from the trials alone, in every version."""


def read(path: Path) -> RunFile:
    """Return the run file at `path`. UsageError if it is missing, broken, too new, or contradicts itself."""
    return checked(files.read(path), str(path))


def parse(text: str | bytes, name: str) -> RunFile:
    """Return the run file in `text`, called `name` in errors. Raises UsageError as `read` does."""
    return checked(files.parse(text, name), name)


def checked(run_file: RunFile, name: str) -> RunFile:
    """Return the run file with summaries made of its trials. UsageError if those in it differ."""
    made = recompute(run_file, run_file.emissions)
    same_rules = run_file.run.suite_version == __version__
    pairs = enumerate(zip(run_file.cases, made.cases, strict=True))
    files.refuse(name, [problem for i, (kept, own) in pairs for problem in _differences(i, kept, own, same_rules)])
    return made.model_copy(update={"notices": run_file.notices})


def _differences(number: int, kept: Case, made: Case, same_rules: bool) -> Iterator[tuple[str, str]]:
    if kept.summary is None or made.summary is None:
        return  # records.checks has seen that both are
    own = dict(_quantities(made))
    for (place, name), there in _quantities(kept):
        here = own.get((place, name), there)
        if there == here:
            continue
        for field in _compared(name, same_rules):
            if not _is_same(there, here, field):
                yield (
                    f"cases.{number}.{place}.{name}.{field}",
                    f"it is {_text(there, field)}, but the trials give {_text(here, field)}",
                )


def _quantities(case: Case) -> Iterator[tuple[tuple[str, str], Quantity]]:
    """Yield the quantities of the case's summary and of its response, by place and name."""
    for name in Summary.model_fields if case.summary is not None else ():
        yield ("summary", name), getattr(case.summary, name)
    for group in ("ttft_s", "tpot_s", "tokens_per_s", "energy_j"):
        record = getattr(case.response, group, None)
        for name in type(record).model_fields if record is not None else ():
            yield (f"response.{group}", name), getattr(record, name)


def _compared(quantity: str, same_rules: bool) -> tuple[str, ...]:
    if same_rules:
        return ("value", "low", "high", *_EXACT)
    return ("value", "unit", "n") if quantity in _RATES else ("unit", "n")


def _is_same(there: Quantity, here: Quantity, field: str) -> bool:
    kept, made = getattr(there, field), getattr(here, field)
    if field in _EXACT or kept is None or made is None:
        return bool(kept == made)
    return math.isclose(kept, made, rel_tol=_ROUNDING)


def _text(quantity: Quantity, field: str) -> str:
    value = getattr(quantity, field)
    return f"{value:.6g} {quantity.unit}" if isinstance(value, float) else repr(value)


def document(run_file: RunFile) -> dict[str, Any]:
    """Return the run as plain data for `--json`: its file without traces and, where it was measured, `whole_node`."""
    share = share_of_run(run_file)
    whole = {} if share is None else {"whole_node": share.document()}
    return {**run_file.model_dump(mode="json", exclude={"traces"}), **whole}
