"""Units of work that people know, and what one of them took: an image, 1,000 tokens, a response. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from joulemark.suite.records import Case, Quantity, Summary
from joulemark.suite.trial.frameworks import FRAMEWORKS


@dataclass(frozen=True)
class KnownUnit:
    """A unit of work."""

    name: str
    phase: str
    item: str
    workloads: Sequence[str]
    """Those that it is taken from, the first that was measured; empty: any."""
    items: float | None
    """Items in it; None for the items of one sample, as in a response."""


UNITS: Final = (
    KnownUnit("training, per image", "training", "image", ("resnet50", "vit", "mobilenetv2", "cnn"), 1),
    KnownUnit("inference, per image", "inference", "image", ("resnet50", "vit", "mobilenetv2", "cnn"), 1),
    KnownUnit("generation, per 1,000 tokens", "generation", "token", ("llama", "gpt2", "transformer"), 1000),
    KnownUnit("prefill, per 1,000 tokens", "prefill", "token", ("llama", "gpt2"), 1000),
    KnownUnit("training, per 1,000 tokens", "training", "token", ("llama", "gpt2"), 1000),
    KnownUnit("response", "response", "token", (), None),
    KnownUnit("training, per sentence pair", "training", "sentence pair", ("transformer",), 1),
)


@dataclass(frozen=True)
class UnitCost:
    """What a unit took in the case that used the least energy for it."""

    unit: KnownUnit
    case: Case
    items: float

    @property
    def name(self) -> str:
        """The unit, of a response with its tokens and the batch: neither is the same in all runs."""
        response = self.case.response
        if response is None or self.unit.items is not None:
            return self.unit.name
        tokens = f"{response.prompt_tokens} + {response.new_tokens} tokens"
        return f"{self.unit.name} ({tokens}, batch {self.case.batch_size})"

    @property
    def energy_j(self) -> Quantity:
        """Joules of one unit."""
        return _times(self._summary.energy_per_item_j, self.items)

    @property
    def emissions_g(self) -> Quantity:
        """Grams of one unit."""
        return _times(self._summary.emissions_g_per_1000_items, self.items / 1000)

    @property
    def per_second(self) -> float:
        """Units a second."""
        return (self._summary.throughput.value or 0.0) / self.items

    @property
    def _summary(self) -> Summary:
        assert self.case.summary is not None
        return self.case.summary


def known_units(cases: Sequence[Case]) -> tuple[UnitCost, ...]:
    """Return what each unit took in the cases of a run; units not measured are left out.

    Only the default mode of a framework counts: of several cases that with the least joules, and without energy the
    fastest.
    """
    costs = []
    for unit in UNITS:
        candidates = [case for case in cases if _is_of(unit, case)]
        for workload in unit.workloads or dict.fromkeys(case.workload for case in candidates):
            of_workload = [case for case in candidates if case.workload == workload]
            if of_workload:
                case = min(of_workload, key=_cost)
                costs.append(UnitCost(unit, case, _items(unit, case)))
                break
    return tuple(costs)


def _is_of(unit: KnownUnit, case: Case) -> bool:
    framework = FRAMEWORKS.get(case.framework)
    default = framework is None or framework.default_mode == case.mode
    is_unit = (case.phase, case.item) == (unit.phase, unit.item)
    return is_unit and default and case.summary is not None and "+" not in case.id


def _cost(case: Case) -> tuple[bool, float]:
    assert case.summary is not None
    energy, rate = case.summary.energy_per_item_j.value, case.summary.throughput.value
    return energy is None, energy if energy is not None else 1 / (rate or 1e-300)


def _items(unit: KnownUnit, case: Case) -> float:
    """Return the items of one unit; of a response, those of a sample."""
    if unit.items is not None:
        return unit.items
    trial = next(trial for trial in case.ok_trials if trial.is_usable)  # a case with a summary has one
    return trial.items / (trial.steps * case.batch_size)


def _times(quantity: Quantity, factor: float) -> Quantity:
    """Return `factor` times a quantity with its interval."""
    scaled = {
        name: None if (value := getattr(quantity, name)) is None else value * factor
        for name in ("value", "low", "high")
    }
    return quantity.model_copy(update=scaled)
