"""Software Carbon Intensity of a case (ISO/IEC 21031:2024): (E x I + M) per functional unit, here 1,000 items. Pure.

M, the embodied emissions, is assumed and not measured: it never changes the operational part, and makes the score an
estimate. While the case runs, the whole computer counts as reserved.
"""

from __future__ import annotations

from dataclasses import dataclass

from joulemark.suite.carbon.accounting import combined, embodied_g
from joulemark.suite.energy.attribution import weakest
from joulemark.suite.records import Case, Embodied, Emissions, Quantity, Ranges

ITEMS = 1000
_SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True)
class Sci:
    """The score and its two parts, grams of CO2 equivalent per 1,000 items."""

    operational: Quantity
    embodied: Quantity
    score: Quantity
    assumed: tuple[float, float]
    """Factors by which the assumptions behind `embodied` may be off."""
    possible: tuple[float, float] | None
    """Lowest and highest score over all ranges (sensor, PUE, intensity, assumptions); None without a score."""


def sci(case: Case, emissions: Emissions) -> Sci | None:
    """Return the SCI of `case`, or None if embodied emissions were not requested or no trial succeeded."""
    if emissions.embodied is None or case.summary is None:
        return None
    gpus = 0 if case.device == "cpu" else len(case.charged_devices.split("+"))  # 2 on `cuda:0+cuda:1`
    low_g, used_g, high_g = _embodied_g_per_hour(emissions.embodied, gpus)
    throughput, operational = case.summary.throughput, case.summary.emissions_g_per_1000_items

    def at_rate(items_per_s: float | None) -> float | None:
        return None if items_per_s is None else used_g * ITEMS / items_per_s / _SECONDS_PER_HOUR

    embodied = Quantity(
        value=at_rate(throughput.value),
        low=at_rate(throughput.high),
        high=at_rate(throughput.low),
        unit="g",
        n=throughput.n,
        kind="model",
        reason=throughput.reason,
    )
    assumed = (low_g / used_g, high_g / used_g) if used_g else (1.0, 1.0)
    score = operational.model_copy(
        update={
            **{end: _sum(getattr(operational, end), getattr(embodied, end)) for end in ("value", "low", "high")},
            "kind": weakest(kind for kind in (operational.kind, embodied.kind) if kind is not None),
            "ranges": Ranges(),
        }
    )
    possible = None
    if operational.value is not None and embodied.value is not None:
        ranges = operational.ranges
        low, high = combined(ranges.sensor, ranges.pue, ranges.intensity)
        possible = (
            operational.value * low + embodied.value * assumed[0],
            operational.value * high + embodied.value * assumed[1],
        )
    return Sci(operational, embodied, score, assumed, possible)


def _embodied_g_per_hour(embodied: Embodied, gpus: int) -> tuple[float, float, float]:
    """Return the embodied grams of one hour of the hardware: the low, assumed and high value."""
    return (
        embodied_g(embodied.host_low_g + gpus * embodied.board_low_g, 1.0, embodied.lifespan_high_h),
        embodied_g(embodied.host_g + gpus * embodied.board_g, 1.0, embodied.lifespan_h),
        embodied_g(embodied.host_high_g + gpus * embodied.board_high_g, 1.0, embodied.lifespan_low_h),
    )


def _sum(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a + b
