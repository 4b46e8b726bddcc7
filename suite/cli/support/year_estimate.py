"""What a year costs on the machine of a run, and on the reference machines that share the case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from joulemark.suite.errors import UsageError
from joulemark.suite.plan.case_filter import compile_keyword
from joulemark.suite.records import Case, RunFile
from joulemark.suite.results.machine.known_units import known_units
from joulemark.suite.results.machine.years import THIS, Line
from joulemark.suite.terminal.tables import AdaptiveTable, Column
from joulemark.suite.units import significant


def chosen_cases(run_file: RunFile, keyword: str | None) -> list[Case]:
    """Return the measured cases that match `keyword`; without it those of the units that people know, or all."""
    measured = [case for case in run_file.cases if case.summary is not None]
    if not measured:
        raise UsageError(f"{run_file.run.id} measured no case.")
    if keyword is None:
        known = {cost.case.id for cost in known_units(run_file.cases)}
        return [case for case in measured if case.id in known] or measured
    matches = compile_keyword(keyword)
    found = [case for case in measured if matches(case.id)]
    if not found:
        raise UsageError(f"-k {keyword!r} matches no measured case of {run_file.run.id}.")
    return found


def year_table(lines: Sequence[Line], price: float | None) -> AdaptiveTable:
    """Return the lines as a table for a terminal."""
    titles = ["Items/day", "Machines", "Busy, h/year each", "Active, kWh", "Idle, kWh", "Facility, kWh", "CO2e, kg"]
    titles += [] if price is None else ["Cost"]
    table = AdaptiveTable("Case", "Machine", *(Column(title, right=True) for title in titles))
    before = ""
    for line in lines:
        of_year = line.year
        name = before if line.machine != THIS else of_year.case.id
        totals = [of_year.facility_kwh, of_year.emissions_kg, *([] if price is None else [of_year.cost])]
        table.add(
            name,
            line.label,
            significant(line.items_per_day),
            str(of_year.machines),
            significant(of_year.busy_h),
            line.text(of_year.active_kwh),
            line.text(of_year.idle_kwh),
            *(line.total_text(value).replace(" (", "\n(") for value in totals),
        )
    return table


def line_document(line: Line) -> dict[str, Any]:
    """Return a line as plain data."""
    of_year = line.year
    names = ("machines", "active_h", "busy_h", "active_kwh", "idle_kwh", "facility_kwh", "emissions_kg", "cost")
    return {
        "machine": line.machine,
        "case": of_year.case.id,
        "items_per_day": line.items_per_day,
        **{name: getattr(of_year, name) for name in names},
        "estimated": of_year.estimated,
        "lower_bound": of_year.lower_bound,
        "reason": of_year.reason or None,
        "note": line.note or None,
    }
