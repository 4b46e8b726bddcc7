"""Sensors with a known true energy that show nonsense now and then, through the lines of a trace file."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from joulemark.suite.records import Trace
from joulemark.suite.sensors import trace_file

BEGIN_S, AFTER_S = 3.0, 3.0
"""The traces begin so far before the window, and end so far after it."""
FAULTS = ("zero", "ones", "stuck", "jump", "registers", "nan", "text")


@dataclass(frozen=True)
class Kind:
    """A sensor as far as its faults depend on it."""

    name: str
    channel: dict[str, Any]
    most_w: float
    """1.5 times its limit, or the ceiling of its component."""
    powers_w: tuple[float, float]
    read_s: float
    wrap_j: float | None = None
    ones: float = 2.0**64 - 1
    """All bits set, in joules or watts."""

    @property
    def window_s(self) -> tuple[float, float]:
        """The window whose energy is asked for, seconds."""
        return BEGIN_S, BEGIN_S + max(15.0, 60 * self.read_s)

    @property
    def is_counter(self) -> bool:
        return self.channel["unit"] == "J"


def _channel(component: str, unit: str, gain: tuple[float, float], **more: Any) -> dict[str, Any]:
    kind = "counter" if unit == "J" else "integrated"
    return {"component": component, "scope": "0", "unit": unit, "kind": kind, "gain": gain, **more}


KINDS = {
    kind.name: kind
    for kind in (
        Kind("rapl", _channel("package", "J", (0.95, 1.05), tick_s=0.001, highest_limit_w=253.0), 379.5, (15.0, 240.0),
             0.093, 262_143.3, (2.0**64 - 1) / 1e6),
        Kind("nvml", _channel("gpu", "J", (0.948, 1.058), tick_s=0.1, limit_w=700.0), 1050.0, (80.0, 690.0), 0.093,
             ones=(2.0**64 - 1) / 1e3),
        Kind("nvml power", _channel("gpu", "W", (0.948, 1.058), tick_s=0.1, coverage=0.25, limit_w=700.0), 1050.0,
             (80.0, 690.0), 0.093, ones=(2.0**32 - 1) / 1e3),
        Kind("amd", _channel("gpu", "J", (0.9, 1.1), tick_s=0.001), 5000.0, (90.0, 1300.0), 0.093),
        Kind("amd power", _channel("gpu", "W", (0.9, 1.1), tick_s=0.001), 5000.0, (90.0, 1300.0), 0.093,
             ones=2.0**16 - 1),
        Kind("meter", _channel("machine", "W", (0.98, 1.02), average_s=1.0), 20_000.0, (150.0, 2000.0), 1.0,
             ones=(2.0**32 - 1) / 10),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Load:
    """Steep steps between steady powers."""

    t_s: np.ndarray
    energy_j: np.ndarray

    @classmethod
    def drawn(cls, rng: np.random.Generator, powers_w: tuple[float, float]) -> Load:
        """Return a load whose steps last 0.5 to 5 s and go anywhere between `powers_w`."""
        t_s = np.concatenate([[-5.0], -5.0 + np.cumsum(rng.uniform(0.5, 5.0, 60))])
        return cls(t_s, np.concatenate([[0.0], np.cumsum(np.diff(t_s) * rng.uniform(*powers_w, 60))]))

    def joules(self, begin_s: Any, end_s: Any) -> Any:
        return np.interp(end_s, self.t_s, self.energy_j) - np.interp(begin_s, self.t_s, self.energy_j)


def shown(kind: Kind, load: Load, rng: np.random.Generator) -> tuple[np.ndarray, list[float]]:
    """Return the times of the reads, and what the sensor shows at them."""
    t_s = np.arange(0.0, kind.window_s[1] + AFTER_S, kind.read_s)
    t_s += rng.uniform(0, 0.002, len(t_s))
    period_s = kind.channel.get("tick_s") or kind.read_s
    phase_s = rng.uniform(0, period_s)
    updates_s = np.floor((t_s - phase_s) / period_s) * period_s + phase_s if "tick_s" in kind.channel else t_s
    if kind.is_counter:
        start_j = rng.uniform(1e4, kind.wrap_j or 1e7)
        values = start_j + load.joules(-5.0, updates_s)
        return t_s, list(values % kind.wrap_j if kind.wrap_j else values)
    average_s = kind.channel.get("average_s") or period_s * kind.channel.get("coverage", 1.0)
    return t_s, list(load.joules(updates_s - average_s, updates_s) / average_s)


def faulty(
    kind: Kind, fault: str, values: list[object], true_values: list[float], place: slice, rng: np.random.Generator
) -> None:
    """Let `values` show a fault at `place`; a jump of a counter is for good."""
    register = rng.uniform(1e3, 1e6)
    size = float(10 ** rng.uniform(1, 7)) * rng.choice([-1, 1])
    if fault == "jump" and kind.is_counter:
        true_values[place.start :] = [(true + size) % (kind.wrap_j or 1e9) for true in true_values[place.start :]]
        values[place.start :] = true_values[place.start :]
        return
    for i in range(place.start, place.stop):
        true = true_values[i]
        values[i] = {
            "zero": 0.0,
            "ones": kind.ones,
            "stuck": values[place.start - 1],
            "jump": kind.most_w * rng.uniform(1.01, 1000),
            # Another counter, or the same power in milliwatts.
            "registers": true / 2 + register if kind.is_counter else 1000 * true,
            "nan": math.nan,
            "text": "N/A",
        }[fault]


def trace(kind: Kind, t_s: Sequence[float], values: Sequence[object]) -> Trace:
    """Return the trace of these reads as it is made of a trace file's lines."""
    first = {"sensor": 0, "name": kind.name, "simulated": False, "channels": [kind.channel], "wrap_j": [kind.wrap_j]}
    reads = [{"i": 0, "t": float(t), "c": 1e-5, "v": [value]} for t, value in zip(t_s, values, strict=True)]
    return trace_file.collect([first, *reads])[0]


def counter_trace(shows: Callable[[float], float], seconds: float, read_s: float = 0.093, **channel: Any) -> Trace:
    """Return the trace of a package counter that shows `shows(t)` joules."""
    times = np.arange(0.0, seconds, read_s)
    kind = Kind("rapl", _channel("package", "J", (0.95, 1.05), **channel), 0.0, (0.0, 0.0), read_s, 262_143.32885)
    return trace(kind, times.tolist(), [shows(float(t)) for t in times])
