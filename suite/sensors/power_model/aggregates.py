"""What servers and EC2 hosts draw, by load: our statistics over published results.

`studies/power_model.py` writes them: `data/aggregates.json`, the estimates, and `data/ranges.json`, how far each kind
of estimate was from machines that were left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

RAM_W_PER_GB = 0.1
"""For memory beyond, or short of, what the servers have. The interval score of servers that others with their processor
estimate is best at 0.05 to 0.1 (`studies/power_model.py`), and clearly worse at the published 0.37 to 0.39 (Green
Algorithms, Cloud Carbon Footprint)."""
RAM_RANGE = (0.2, 3.92)
"""From 0.02 W/GB, which is no better than no power at all, to the published 0.392."""


@dataclass(frozen=True)
class UnitPower:
    """What one unit of a kind of server has of all that the server draws at the wall. The unit is a hardware thread,
    or a watt of the rated power of its processors."""

    machines: int
    """How many servers this is from."""
    idle_w: float
    full_w: float
    memory_gb: float
    """The memory whose power is included."""
    threads_per_core: int


@dataclass(frozen=True)
class Hosts:
    """What one virtual CPU of EC2's hosts has of the power of their processors."""

    machines: int
    """How many hosts this is from."""
    architectures: tuple[str, ...]
    """Of their processors."""
    loads: tuple[float, ...]
    watts: tuple[float, ...]
    """Power at each of `loads`."""


@cache
def data(name: str) -> dict[str, Any]:
    """Return what one of the package's files of figures holds."""
    text = (files("joulemark.suite.sensors.power_model") / "data" / name).read_text(encoding="utf-8")
    return dict(json.loads(text))


def servers(unit: Literal["thread", "rated_w"] = "thread") -> Mapping[str, UnitPower]:
    """Return the power of a unit of servers by the architecture of their processors."""
    rows = data("aggregates.json")["servers"][unit]
    return {architecture: UnitPower(**row) for architecture, row in rows.items()}


def hosts() -> Hosts:
    """Return the power of a virtual CPU of EC2's hosts."""
    row = data("aggregates.json")["ec2"]
    return Hosts(row["machines"], tuple(row["architectures"]), tuple(row["loads"]), tuple(row["w_per_vcpu"]))


def load_shape() -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return loads, and how much of the way from idle to full power servers have gone at each."""
    return (0.0, 0.5, 1.0), (0.0, data("aggregates.json")["load_shape"]["share_at_half_load"], 1.0)


def source(kind: str) -> str:
    """Return who published the results behind `servers`, `ec2` or `load_shape`, and under which licence."""
    return str(data("aggregates.json")[kind]["source"])


def ranges() -> dict[str, tuple[float, float]]:
    """Return the low and high limits of true over estimated power, by step."""
    return {step: (row["low"], row["high"]) for step, row in data("ranges.json")["steps"].items()}


def memory_w(power: UnitPower, units: float, memory_gb: float, w_per_gb: float = RAM_W_PER_GB) -> float:
    """Return the power of the memory that `units` have beyond that in `power`, watts; negative where they have less,
    for which at most half of the idle power is taken off."""
    return max(w_per_gb * (memory_gb - power.memory_gb * units), -units * power.idle_w / 2)
