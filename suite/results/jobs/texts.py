"""The amounts of a job as text, the same for the terminal and the page. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from joulemark.suite import units
from joulemark.suite.energy.attribution import EnergySum, energy_sum
from joulemark.suite.energy.energy_source import energy_source
from joulemark.suite.records import EnergyReading, Kind
from joulemark.suite.results.jobs.compared import Standing
from joulemark.suite.results.jobs.total import JobTotal, NodeTotal
from joulemark.suite.results.table import AT_LEAST, ESTIMATED, NOT_MEASURED, matching_digits

RANGE_TITLE: Final = f"{ESTIMATED} (may be off by)"
"""What the brackets of `energy_text` hold."""


def energy_text(energy: EnergySum, lower_bound: bool, separator: str = " ") -> str:
    """Return joules with their marks; of an estimate also its range: `~21 J (7 to 77)`."""
    if energy.energy_j is None:
        return NOT_MEASURED
    bound = f"{AT_LEAST} " if lower_bound else ""
    if energy.kind != "model":
        return bound + units.quantity(energy.energy_j, "J")
    factor, prefix = units.prefix(energy.energy_j)
    if energy.low_j is None or energy.high_j is None:
        return f"{bound}{ESTIMATED}{units.quantity(energy.energy_j, 'J', 2)}"
    text, low, high = matching_digits(energy.energy_j / factor, energy.low_j / factor, energy.high_j / factor)
    return f"{bound}{ESTIMATED}{text} {prefix}J{separator}({low} to {high})"


def component_texts(total: JobTotal | NodeTotal, components: Sequence[str]) -> list[str]:
    """Return the joules of each of `components` with their marks; empty for one that the node does not have."""
    texts = []
    for component in components:
        found = [reading for reading in total.energy.readings if reading.component == component]
        lacks = component in total.unread
        bound = f"{AT_LEAST} " if lacks and found else ""
        texts.append(bound + sum_text(found) if found else NOT_MEASURED if lacks else "")
    return texts


def sum_text(readings: Sequence[EnergyReading]) -> str:
    """Return the joules of `readings` with their mark, without a range."""
    energy = energy_sum(readings)
    return _marked(energy.energy_j, "J", energy.kind)


def emissions_text(total: JobTotal | NodeTotal) -> str:
    """Return the grams of CO2-equivalent of a node or a job, with their marks."""
    grams = total.emissions_g
    bound = f"{AT_LEAST} " if total.missing and grams is not None else ""
    return bound + _marked(grams, "g", total.energy.kind)


def source_text(total: JobTotal) -> str:
    """Return where the energy of the job comes from: `estimated (load and TDP)`."""
    traces = (trace for node in total.nodes for trace in node.member.run_file.traces)
    return energy_source(total.energy.readings, {trace.sensor for trace in traces if trace.simulated})


def is_estimated(total: JobTotal) -> bool:
    """Return whether the energy of any node comes from a model."""
    return total.energy.kind == "model"


def standing_texts(standing: Standing) -> tuple[str, str, str]:
    """Return speed and items per joule over the median of the nodes, and as what the node is an outlier."""
    ratios = ("-" if ratio is None else units.significant(ratio) for ratio in (standing.speed, standing.efficiency))
    speed, efficiency = ratios
    return speed, efficiency, ", ".join(standing.outlier)


STANDING_TITLES: Final = ("Speed over\nmedian", "Items per joule\nover median", "Outlier")
"""What the texts of `standing_texts` are."""


def _marked(value: float | None, unit: str, kind: Kind) -> str:
    if value is None:
        return NOT_MEASURED
    return f"{ESTIMATED}{units.quantity(value, unit, 2)}" if kind == "model" else units.quantity(value, unit)
