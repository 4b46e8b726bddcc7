"""The headline of a report in which no two frameworks measured the same case: one speed, and how many there are."""

from __future__ import annotations

from collections.abc import Sequence

from joulemark.reports.model.cases import CaseView
from joulemark.reports.model.machine import amount
from joulemark.suite.results.machine.known_units import known_units
from joulemark.suite.units import counted, significant


def without_comparison(cases: Sequence[CaseView]) -> tuple[str, ...]:
    """Return the sentences: of one framework in one run, the speed and joules of its best-known case come first."""
    measured = [view for view in cases if view.case.summary is not None]
    if not measured:
        return (f"Nothing was measured: {'every case failed or was skipped' if cases else 'no case was planned'}.",)
    names = sorted({view.name for view in measured})
    verb = "was" if len(measured) == 1 else "were"
    count = f"{counted(len(measured), 'case')} of {', '.join(names)} {verb} measured."
    alone = len({view.case.framework for view in measured}) == 1 and len({view.run for view in cases}) == 1
    return (*(_best_known(measured) if alone else ()), count)


def _best_known(measured: Sequence[CaseView]) -> tuple[str, ...]:
    """Return the sentence of the first unit of work that people know; none where no case is of one."""
    costs = known_units([view.case for view in measured])
    if not costs:
        return ()
    view = next(view for view in measured if view.case.id == costs[0].case.id)
    case, item = view.case, view.case.item
    place = "the CPU" if case.device == "cpu" else case.device
    energy = view.quantity("energy_per_item_j")
    joules = ""
    if energy.value is not None:
        estimated = "an estimated " if energy.kind == "model" else ""
        joules = f" and uses {estimated}{amount(energy, 'J', with_interval=False)} per {item}"
    rate = significant(view.quantity("throughput").value or 0.0)
    settings = f"{case.size}, {case.precision}, batch {case.batch_size}"
    return (f"In {view.title} ({settings}) on {place}, {view.name} processes {rate} {item}s/s{joules}.",)
