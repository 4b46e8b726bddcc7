"""What a year costs: each unit that people know, on this machine and on the reference machines that share its case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from joulemark.suite import units
from joulemark.suite.records import RunFile
from joulemark.suite.results.machine.known_units import known_units
from joulemark.suite.results.machine.year import BUSY_HOURS, MAX_ITEMS, check_price, items_of_day
from joulemark.suite.results.machine.years import THIS, Line, unshared, year_lines

if TYPE_CHECKING:
    from joulemark.suite.results.references.kept import Reference


@dataclass(frozen=True)
class YearRow:
    """A year of one unit's work on one kind of machine, as text; `not measured` where a number is not known."""

    run: str
    """Label of the run whose grid and PUE count."""
    unit: str
    """The work; the same in the rows of one unit."""
    machine: str
    load: str
    """Items a day, and of how many machines."""
    busy: str
    """Hours a year of each machine."""
    active: str
    idle: str
    it_kwh: float | None
    """IT energy, for the page's what-if."""
    mark: str
    facility: str
    grams: str
    cost: str
    """Empty without a price."""
    it_cost: float | None = None
    """Of the IT energy, for the page's what-if."""
    reason: str = ""
    """Why its energy is left out; empty where it is not."""


def year_rows(
    label: str, run_file: RunFile, references: Sequence[Reference], price: float | None
) -> tuple[YearRow, ...]:
    """Return a year of each unit that people know at BUSY_HOURS a day of this machine. UsageError for a wrong price."""
    check_price(price)
    rows = []
    for cost in known_units(run_file.cases):
        if items_of_day(cost.case) > MAX_ITEMS:
            continue  # no rate of a real machine
        lines = list(year_lines(run_file, [cost.case], references, run_file.emissions, price=price))
        name = f"{cost.name}: {cost.case.workload_id} {cost.case.size}"
        rows += [_row(label, name, line, price) for line in lines]
    return tuple(rows)


def year_notes(
    run_files: Sequence[RunFile], rows: Sequence[YearRow], references: Sequence[Reference]
) -> tuple[str, ...]:
    """Return why energy is left out of `rows`, and a sentence for each reference that shares no unit of a run."""
    reasons = [row.reason for row in rows if row.reason]
    for run_file in run_files if rows else ():
        reasons += unshared(run_file, [cost.case for cost in known_units(run_file.cases)], references)
    return tuple(dict.fromkeys(reasons))


def _row(label: str, unit: str, line: Line, price: float | None) -> YearRow:
    of_year = line.year
    count = "" if of_year.machines == 1 else f" on {of_year.machines} of them"
    grams = None if of_year.emissions_kg is None else of_year.emissions_kg * 1000
    it_kwh = None if of_year.active_kwh is None else of_year.active_kwh + (of_year.idle_kwh or 0)
    return YearRow(
        run=label,
        unit=unit,
        machine=line.title,
        load=f"{units.significant(line.items_per_day)} {of_year.case.item}s{count}",
        busy=units.significant(of_year.busy_h),
        active=line.text(of_year.active_kwh),
        idle=line.text(of_year.idle_kwh),
        it_kwh=it_kwh,
        mark=line.mark,
        facility=line.total_text(of_year.facility_kwh),
        grams=line.total_text(grams, "g"),
        cost="" if price is None else line.total_text(of_year.cost),
        it_cost=None if price is None or it_kwh is None else it_kwh * price,
        reason=f"{line.title}: {line.unlike}." if line.unlike else "",
    )


ASSUMPTION = (
    f"Each unit's work for {BUSY_HOURS:g} hours a day of this machine, which is idle for the rest of the year. The "
    "reference machines do as many items, and are idle longer or work longer; their energy is left out where it "
    "is of other components than this machine's, or one is measured and the other estimated. Joules of the work and "
    "idle watts are those of the runs; PUE and grid are those of this run."
)

__all__ = ["ASSUMPTION", "THIS", "YearRow", "year_notes", "year_rows"]
