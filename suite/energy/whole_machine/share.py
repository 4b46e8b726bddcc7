"""How much of the whole node's energy the sensors of its parts showed: `63 % of the node's 1,240 W (redfish)`. Pure.

Where a sensor measures the whole machine, its reading is listed beside those of processor, memory and GPUs, and never
added to them. Their share of it says how much the sum leaves out: power supplies, fans, disks, network, the board.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from joulemark.suite.energy.attribution import attributed_readings
from joulemark.suite.energy.components import MACHINE, component_named
from joulemark.suite.records import EnergyReading, RunFile
from joulemark.suite.units import significant

MEASURED: Final = frozenset({"counter", "integrated"})
LEAST: Final = 1e-3
"""Of the node's energy: the interval of a window with hardly a sample may begin at nothing."""
Window = tuple[float, Sequence[EnergyReading]]
"""Its length, seconds, and its readings."""


@dataclass(frozen=True)
class NodeShare:
    """The parts that were measured against the whole node, over the same windows."""

    sensor: str
    """The sensor of the whole node."""
    power_w: float
    """Mean power of the node, watts."""
    share: float
    """Energy of its measured parts over that of the node; 0 where no part was measured."""
    low: float
    """Lower end by the intervals of all sensors."""
    high: float
    parts: tuple[str, ...]
    """The components that were measured."""

    @property
    def contradicts(self) -> bool:
        """Whether the parts are more than the whole, beyond what all sensors may be wrong by."""
        return self.low > 1

    def document(self) -> dict[str, Any]:
        """Return the share as plain data, with its text."""
        return {**asdict(self), "parts": list(self.parts), "text": self.text()}

    def text(self) -> str:
        """Return the share in words: `63% [60%, 66%] of the node's 1,240 W (plug) was measured as package`."""
        node = f"the node's {significant(self.power_w)} W ({self.sensor})"
        if not self.parts:
            return f"no part of {node} was measured"
        names = " and ".join(filter(None, [", ".join(self.parts[:-1]), self.parts[-1]]))
        return f"{self.share:.0%} [{self.low:.0%}, {self.high:.0%}] of {node} was measured as {names}"


def node_share(windows: Iterable[Window]) -> NodeShare | None:
    """Return the share over all of `windows` in which the whole node was measured; None if it was in none.

    Of several sensors of the whole node, the one with the narrowest interval in the first of them counts.
    """
    measured = [(length_s, readings) for length_s, readings in windows if length_s > 0]
    wholes = [whole for _, readings in measured if (whole := whole_of(readings)) is not None]
    if not wholes:
        return None
    sensor = wholes[0].sensor
    total_s, node, parts = 0.0, [], []
    for length_s, readings in measured:
        if (whole := whole_of([r for r in readings if r.sensor == sensor])) is not None:
            total_s += length_s
            node.append(whole)
            parts += parts_of(readings)
    node_j, node_low_j, node_high_j = _sums_j(node)
    seen_j, seen_low_j, seen_high_j = _sums_j(parts)
    return NodeShare(
        sensor=sensor,
        power_w=node_j / total_s,
        share=seen_j / node_j,
        low=seen_low_j / node_high_j,
        high=seen_high_j / max(node_low_j, LEAST * node_j),
        parts=tuple(dict.fromkeys(part.component for part in parts)),
    )


def share_of_run(run_file: RunFile) -> NodeShare | None:
    """Return the share over the windows of all trials of a run; None where the whole node was not measured in any."""
    return node_share(
        (trial.window_length_s, trial.energy)
        for case in run_file.cases
        for trial in case.trials
        if trial.window_s is not None
    )


def whole_of(readings: Sequence[EnergyReading]) -> EnergyReading | None:
    """Return the reading of the whole machine with the narrowest interval; None where there is none."""
    known = [r for r in readings if r.component == MACHINE and r.energy_j and r.high_j is not None]
    return min(known, key=_relative_width, default=None)


def parts_of(readings: Sequence[EnergyReading]) -> list[EnergyReading]:
    """Return the measured readings of parts of the machine, attributed or not: none contains another."""
    return [
        r for r in readings if component_named(r.component).charged and r.energy_j is not None and r.kind in MEASURED
    ]


def headline_readings(readings: Sequence[EnergyReading]) -> Sequence[EnergyReading]:
    """Return the readings whose sum is the energy of a window: those attributed, if any of them is measured.

    Where the whole machine is all that was measured, its reading stands in for estimates, or for nothing.
    """
    if any(reading.kind in MEASURED for reading in attributed_readings(readings)):
        return readings
    whole = whole_of(readings)
    return readings if whole is None else [whole.model_copy(update={"attributed": True})]


def narrower(first: EnergyReading, second: EnergyReading) -> EnergyReading:
    """Return the one of two readings that has a value or, if both have, the narrower interval."""
    if first.energy_j is None or second.energy_j is None:
        return second if first.energy_j is None else first
    widths_j = [math.inf if r.high_j is None else r.high_j - (r.low_j or 0.0) for r in (first, second)]
    return second if widths_j[1] < widths_j[0] else first


def _relative_width(reading: EnergyReading) -> float:
    energy_j, low_j, high_j = _sums_j([reading])
    return (high_j - low_j) / energy_j


def _sums_j(readings: Sequence[EnergyReading]) -> tuple[float, float, float]:
    """Return the sums of energy, lower and upper ends, joules; a reading without limits is taken as exact."""
    energies_j = [reading.energy_j or 0.0 for reading in readings]
    ends = [(r.low_j, r.high_j) for r in readings]
    lows_j = [e if low is None else low for e, (low, _) in zip(energies_j, ends, strict=True)]
    highs_j = [e if high is None else high for e, (_, high) in zip(energies_j, ends, strict=True)]
    return math.fsum(energies_j), math.fsum(lows_j), math.fsum(highs_j)
