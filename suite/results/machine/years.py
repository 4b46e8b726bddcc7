"""A year of the same work on the machine of a run and on the reference machines that share the case. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from joulemark.suite.records import Case, Emissions, RunFile
from joulemark.suite.results.machine.year import BUSY_HOURS, Year, items_of_day, year
from joulemark.suite.results.references.kept import Reference
from joulemark.suite.stats.machines.pairs import pair_with_reference

THIS: Final = "this machine"


@dataclass(frozen=True)
class Line:
    """A year of one case on one kind of machine."""

    machine: str
    """THIS, or the name of a reference."""
    items_per_day: float
    year: Year
    note: str
    """What differs beside the machine; empty for nothing."""


def year_lines(
    run_file: RunFile,
    cases: Sequence[Case],
    references: Sequence[Reference],
    emissions: Emissions,
    items_per_day: float | None = None,
    busy_h: float | None = None,
    price: float | None = None,
) -> Iterator[Line]:
    """Yield a year of each case on this machine, then of the same items on each reference that shares the case."""
    partners = [
        (reference, {pair.b.id: pair for pair in pair_with_reference(reference.run_file, run_file).pairs})
        for reference in references
    ]
    for case in cases:
        items = items_per_day if items_per_day is not None else items_of_day(case, busy_h or BUSY_HOURS)
        yield Line(THIS, items, year(run_file, case, items, emissions, price), "")
        for reference, pairs in partners:
            pair = pairs.get(case.id)
            if pair is not None and pair.incomparable is None:
                kept = next(each for each in reference.run_file.cases if each.id == pair.a.id)
                of_year = year(reference.run_file, kept, items, emissions, price)
                yield Line(reference.name, items, of_year, pair.note or "")
