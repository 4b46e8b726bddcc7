"""Where the energy of a case went: by component, at rest and above it, and what the facility adds."""

from __future__ import annotations

from dataclasses import dataclass

from joulemark.reports.model.cases import CaseView
from joulemark.suite.energy.attribution import case_energy
from joulemark.suite.energy.idle import component_energy
from joulemark.suite.records import Kind, RunFile


@dataclass(frozen=True)
class Part:
    """One component of one case."""

    component: str
    kind: Kind
    energy_per_item_j: float
    """Gross joules an item."""
    idle_per_item_j: float | None
    """What the component would have used idle in the same time; None where its idle power is not known."""


@dataclass(frozen=True)
class Breakdown:
    """The parts of a case's energy, the largest kind of component first."""

    view: CaseView
    parts: tuple[Part, ...]
    missing: tuple[str, ...]
    """Components that were not measured, with the reasons."""

    @property
    def energy_per_item_j(self) -> float:
        """Sum of the parts."""
        return sum(part.energy_per_item_j for part in self.parts)


def breakdown(view: CaseView, run_file: RunFile) -> Breakdown | None:
    """The parts of `view`'s energy, scaled to its mean of the summary; None where it has no energy."""
    total = view.quantity("energy_per_item_j").value
    energy = case_energy(view.trials)
    items = sum(trial.trial.items for trial in energy.trials)
    if total is None or not items:
        return None
    components = component_energy(energy, run_file.idle)
    # The summary's mean over trials is geometric, a sum's is not: shares are kept, the total is the summary's.
    scale = total / sum(one.energy_j for one in components)
    parts = tuple(
        Part(one.component, one.kind, one.energy_j * scale, None if one.idle_j is None else one.idle_j * scale)
        for one in components
    )
    return Breakdown(view, parts, energy.missing)
