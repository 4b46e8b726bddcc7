"""A year of the same work on the machine of a run and on the reference machines that share the case. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from joulemark.suite.energy.attribution import is_estimated
from joulemark.suite.records import Case, Emissions, RunFile
from joulemark.suite.results.machine.year import BUSY_HOURS, Year, items_of_day, year
from joulemark.suite.results.references.kept import Reference
from joulemark.suite.results.table import AT_LEAST, ESTIMATED, NOT_MEASURED
from joulemark.suite.stats.machines.pairs import measured_components, pair_with_reference
from joulemark.suite.units import counted, quantity, significant

THIS: Final = "this machine"
PART: Final = "this run is part of that reference"


@dataclass(frozen=True)
class Line:
    """A year of one case on one kind of machine."""

    machine: str
    """THIS, or the name of a reference."""
    items_per_day: float
    year: Year
    note: str
    """What differs beside the machine; empty for nothing."""
    unlike: str = ""
    """Why its energy is left out: it cannot be compared with this machine's; empty where it can."""
    label: str = THIS
    """The name of the machine, for people."""
    title: str = THIS
    """Its title."""

    @property
    def mark(self) -> str:
        """Of its energies: estimated, a lower bound, both or neither."""
        return (ESTIMATED if self.year.estimated else "") + (AT_LEAST if self.year.lower_bound else "")

    def text(self, value: float | None, unit: str = "") -> str:
        """Return an energy of the year, or what follows from one, with its marks."""
        if value is None:
            return "not compared" if self.unlike else NOT_MEASURED
        return f"{self.mark}{self._number(value, unit)}"

    def total_text(self, value: float | None, unit: str = "") -> str:
        """Return a number that is proportional to the whole energy as `text` does, with the range of an estimate."""
        text, factors = self.text(value, unit), self.year.factors
        if value is None or factors is None:
            return text
        low, high = (self._number(value * factor, unit) for factor in factors)
        return f"{text} ({low} to {high})"

    def _number(self, value: float, unit: str) -> str:
        digits = 2 if self.year.estimated else 3
        return quantity(value, unit, digits) if unit else significant(value, digits)


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
        items = (
            items_per_day if items_per_day is not None else items_of_day(case, BUSY_HOURS if busy_h is None else busy_h)
        )
        yield Line(THIS, items, year(run_file, case, items, emissions, price), "")
        for reference, pairs in partners:
            pair = pairs.get(case.id)
            if pair is not None and pair.incomparable is None:
                kept = next(each for each in reference.run_file.cases if each.id == pair.a.id)
                of_year = year(reference.run_file, kept, items, emissions, price)
                notes = [PART] if reference.contains(run_file) else []
                note = "; ".join([*notes, *([pair.note] if pair.note else [])])
                unlike = unlike_energy(case, kept)
                shown = _without_energy(of_year, unlike) if unlike else of_year
                yield Line(
                    reference.name, items, shown, note, unlike, reference.marked(reference.name), reference.called
                )


def unlike_energy(own: Case, kept: Case) -> str:
    """Return why the energies of a case of this machine and of a reference cannot be compared; empty if they can.

    Components and kinds have to be the same. Where one has no energy there is nothing to compare.
    """
    components = [measured_components(case) for case in (kept, own)]
    if not all(components):
        return ""
    if is_estimated(kept) != is_estimated(own):
        kinds = ["estimated" if is_estimated(case) else "measured" for case in (kept, own)]
        return f"its energy is {kinds[0]}, this machine's {kinds[1]}: not compared"
    if components[0] != components[1]:
        names = [" and ".join(sorted(each)) for each in components]
        return f"its energy is of {names[0]}, this machine's of {names[1]}: not compared"
    return ""


def _without_energy(of_year: Year, reason: str) -> Year:
    """Return a year of which machines and hours alone are known, and why."""
    return replace(
        of_year,
        active_kwh=None,
        idle_kwh=None,
        facility_kwh=None,
        emissions_kg=None,
        cost=None,
        estimated=False,
        lower_bound=False,
        reason=reason,
        factors=None,
    )


def unshared(run_file: RunFile, cases: Sequence[Case], references: Sequence[Reference]) -> tuple[str, ...]:
    """Return a sentence for each reference that shares none of `cases`: why it has no line."""
    found = []
    for reference in references:
        pairs = pair_with_reference(reference.run_file, run_file).pairs
        reasons = [each.incomparable for each in pairs if each.b.id in {case.id for case in cases}]
        if not reasons:
            found.append(reference.none_of(len(cases), "the"))
        elif None not in reasons:
            found.append(f"{reference.name} cannot be compared in {counted(len(reasons), 'case')}: {reasons[0]}.")
    return tuple(found)
