"""Breakdown of a case's energy: by component, idle and above idle."""

from __future__ import annotations

from dataclasses import dataclass

from joulemark.reports.model.cases import CaseView
from joulemark.suite.energy.attribution import case_energy
from joulemark.suite.energy.idle import component_energy
from joulemark.suite.records import Kind, RunFile


@dataclass(frozen=True)
class EnergyPart:
    """The energy of one component of one case."""

    component: str
    kind: Kind
    energy_per_item_j: float
    """Gross joules per item."""
    idle_per_item_j: float | None
    """What the component would have used idle in the same time; None where its idle power is unknown."""


@dataclass(frozen=True)
class Breakdown:
    """The energy of a case by component."""

    view: CaseView
    parts: tuple[EnergyPart, ...]
    missing: tuple[str, ...]
    """Components that were not measured, with the reasons."""

    @property
    def energy_per_item_j(self) -> float:
        """Sum of the parts."""
        return sum(part.energy_per_item_j for part in self.parts)


def breakdown(view: CaseView, run_file: RunFile) -> Breakdown | None:
    """Return the breakdown of `view`'s energy, scaled to the mean of its summary; None if it has no energy."""
    mean_j = view.quantity("energy_per_item_j").value
    energy = case_energy(view.trials)
    items = sum(trial.trial.items for trial in energy.trials)
    if mean_j is None or not items:
        return None
    components = component_energy(energy, run_file.idle)
    # The summary's mean over trials is geometric, that of a sum is not: shares are kept, the total is the summary's.
    scale = mean_j / sum(total.energy_j for total in components)
    parts = tuple(
        EnergyPart(t.component, t.kind, t.energy_j * scale, None if t.idle_j is None else t.idle_j * scale)
        for t in components
    )
    return Breakdown(view, parts, energy.missing)
