"""How much of what the machine can do a case achieves, and what limits it (Williams, Waterman and Patterson 2009,
https://doi.org/10.1145/1498765.1498785). Pure.

Attainable is min(peak, arithmetic intensity x bandwidth). Peak and bandwidth are what the probes of the same run
measured: the best of all frameworks on that device, precision and number of threads. No sensor counts the bytes that a
case moves to and from memory, so its intensity is an interval: at least that of operators that are not fused, at most
that of the compulsory bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal

from joulemark.suite import units
from joulemark.suite.notices import Code
from joulemark.suite.records import Case, Notice, Probe

Limit = Literal["memory", "arithmetic", "undetermined"]


@dataclass(frozen=True)
class Roof:
    """The measured peak of a device."""

    flops_per_s: float
    bytes_per_s: float

    @property
    def ridge_flops_per_byte(self) -> float:
        """Intensity from which on arithmetic is the limit."""
        return self.flops_per_s / self.bytes_per_s

    def attainable_flops_per_s(self, flops_per_byte: float) -> float:
        return min(self.flops_per_s, flops_per_byte * self.bytes_per_s)


@dataclass(frozen=True)
class Share:
    """A case under its roof."""

    roof: Roof
    least_flops_per_byte: float | None
    """Arithmetic intensity with unfused bytes; None where they are not known."""
    most_flops_per_byte: float
    """Arithmetic intensity with compulsory bytes."""
    achieved_flops_per_s: float
    low: float | None
    """Lower end of the share's interval between trials; None at n = 1."""
    high: float | None

    @property
    def attainable_flops_per_s(self) -> float:
        """What the roof allows at the highest intensity."""
        return self.roof.attainable_flops_per_s(self.most_flops_per_byte)

    @property
    def share(self) -> float:
        """Achieved over attainable."""
        return self.achieved_flops_per_s / self.attainable_flops_per_s

    @property
    def limit(self) -> Limit:
        """What limits the case, if its whole interval of intensity lies on one side of the ridge."""
        if self.least_flops_per_byte is None:
            return "undetermined"
        if self.most_flops_per_byte < self.roof.ridge_flops_per_byte:
            return "memory"
        return "arithmetic" if self.least_flops_per_byte > self.roof.ridge_flops_per_byte else "undetermined"


def roof(case: Case, probes: Iterable[Probe]) -> Roof | None:
    """Return the best that was probed for the case's device, precision and threads, or None without such a probe."""
    place = attrgetter("device", "precision", "threads")
    matching = [probe for probe in probes if place(probe) == place(case)]
    flops = max((probe.flops_per_s for probe in matching if probe.flops_per_s), default=None)
    bandwidth = max((probe.bytes_per_s for probe in matching if probe.bytes_per_s), default=None)
    return Roof(flops, bandwidth) if flops and bandwidth else None


def share(case: Case, probes: Iterable[Probe]) -> Share | None:
    """Return the case's share of what is attainable, or None without a summary, FLOPs and bytes, or a roof."""
    limit = roof(case, probes)
    rate = case.summary.throughput if case.summary else None
    if limit is None or rate is None or not rate.value or not case.flops_per_item or not case.bytes_per_item:
        return None
    intensity = case.flops_per_item / case.bytes_per_item
    attainable = limit.attainable_flops_per_s(intensity)
    return Share(
        roof=limit,
        least_flops_per_byte=case.flops_per_item / case.unfused_bytes_per_item if case.unfused_bytes_per_item else None,
        most_flops_per_byte=intensity,
        achieved_flops_per_s=rate.value * case.flops_per_item,
        low=rate.low * case.flops_per_item / attainable if rate.low else None,
        high=rate.high * case.flops_per_item / attainable if rate.high else None,
    )


def limits(shares: Iterable[Share]) -> str:
    """Return how many cases are limited by what: "memory limits 1 of 14 cases, arithmetic 3; 10 undetermined"."""
    kinds = [of_case.limit for of_case in shares]
    text = f"memory limits {kinds.count('memory')} of {units.counted(len(kinds), 'case')}"
    text += f", arithmetic {kinds.count('arithmetic')}"
    unknown = kinds.count("undetermined")
    return f"{text}; {unknown} undetermined" if unknown else text


def above_the_roof(cases: Sequence[Case], probes: Sequence[Probe]) -> dict[str, Notice]:
    """Return notices by case id for cases whose whole interval lies above 1: for a matrix product an error."""
    notices = {}
    for case in cases:
        achieved = share(case, probes)
        if achieved is not None and achieved.low is not None and achieved.low > 1:
            code = Code.BEYOND_PEAK if case.workload == "matmul" else Code.BEYOND_ROOF
            notices[case.id] = Notice.of(code, achieved.share, 1.0)
    return notices
