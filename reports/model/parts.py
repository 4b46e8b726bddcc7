"""Where the energy of a case went: by component, at rest and above it, and what the facility adds."""

from __future__ import annotations

from dataclasses import dataclass

from joulemark.reports.model.cases import CaseView
from joulemark.suite.energy.attribution import charges, mean_idle_power, measured, part, window_length_s
from joulemark.suite.records import Kind, RunFile


@dataclass(frozen=True)
class Part:
    """One component of one case."""

    component: str
    kind: Kind
    energy_per_item_j: float
    """Gross joules an item."""
    rest_per_item_j: float | None
    """The part of it that the component would have drawn at rest; None where its idle power is not known."""


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
    found = charges(view.trials)
    items = sum(charge.trial.items for charge in found.charged)
    if total is None or not items:
        return None
    rest = mean_idle_power(run_file.idle)
    energy_j: dict[str, float] = {}
    rest_j: dict[str, float | None] = {}
    kinds: dict[str, Kind] = {}
    for charge in found.charged:
        length_s = window_length_s(charge.trial)
        for reading in measured(charge.trial):
            name = reading.component
            energy_j[name] = energy_j.get(name, 0.0) + (reading.energy_j or 0.0)
            idle, before = rest.get(part(reading)), rest_j.get(name, 0.0)
            rest_j[name] = before + idle.power_w * length_s if idle and before is not None else None
            kinds[name] = reading.kind
    # The summary's mean over trials is geometric, a sum's is not: shares are kept, the total is the summary's.
    scale = total / sum(energy_j.values())
    parts = tuple(
        Part(name, kinds[name], joules * scale, _rest(rest_j[name], joules, scale)) for name, joules in energy_j.items()
    )
    return Breakdown(view, parts, found.missing)


def _rest(rest_j: float | None, energy_j: float, scale: float) -> float | None:
    """Energy at rest, never more than the whole: a load that draws less than idle has no part above it."""
    return None if rest_j is None else min(rest_j, energy_j) * scale
