"""How much of what the machine can do a case reached (Williams, Waterman and Patterson 2009,
https://doi.org/10.1145/1498765.1498785). Pure.

Attainable is min(peak, FLOPs a byte x bandwidth), with peak and bandwidth as the probes of the same run saw them: the
best of all frameworks on that device, precision and number of threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from joulemark.suite.notices import Code
from joulemark.suite.records import Case, Notice, Probe


@dataclass(frozen=True)
class Roof:
    """What a device was seen to reach."""

    flops_per_s: float
    bytes_per_s: float

    def attainable_flops_per_s(self, flops_per_byte: float) -> float:
        """FLOP/s that the roof leaves at this arithmetic intensity."""
        return min(self.flops_per_s, flops_per_byte * self.bytes_per_s)


@dataclass(frozen=True)
class Share:
    """A case under its roof."""

    flops_per_byte: float
    """Arithmetic intensity by the spec's FLOPs and compulsory bytes."""
    achieved_flops_per_s: float
    attainable_flops_per_s: float
    low: float | None
    """Lower end of the share's interval between trials; None at n = 1."""
    high: float | None

    @property
    def share(self) -> float:
        """Achieved over attainable."""
        return self.achieved_flops_per_s / self.attainable_flops_per_s


def roof(case: Case, probes: Iterable[Probe]) -> Roof | None:
    """The best that the probes saw for the case's device, precision and threads; None where they saw nothing."""
    like = [
        probe
        for probe in probes
        if (probe.device, probe.precision, probe.threads) == (case.device, case.precision, case.threads)
    ]
    flops = max((probe.flops_per_s for probe in like if probe.flops_per_s), default=None)
    bandwidth = max((probe.bytes_per_s for probe in like if probe.bytes_per_s), default=None)
    return Roof(flops, bandwidth) if flops and bandwidth else None


def share(case: Case, probes: Iterable[Probe]) -> Share | None:
    """The case's share of what is attainable; None without a summary, a formula or a roof."""
    found = roof(case, probes)
    rate = case.summary.throughput if case.summary else None
    if found is None or rate is None or not rate.value or not case.flops_per_item or not case.bytes_per_item:
        return None
    intensity = case.flops_per_item / case.bytes_per_item
    attainable = found.attainable_flops_per_s(intensity)
    return Share(
        flops_per_byte=intensity,
        achieved_flops_per_s=rate.value * case.flops_per_item,
        attainable_flops_per_s=attainable,
        low=rate.low * case.flops_per_item / attainable if rate.low else None,
        high=rate.high * case.flops_per_item / attainable if rate.high else None,
    )


def beyond_the_roof(cases: Sequence[Case], probes: Sequence[Probe]) -> dict[str, Notice]:
    """Notices by case id, for cases whose whole interval lies above 1: an error for a matrix product."""
    found = {}
    for case in cases:
        reached = share(case, probes)
        if reached is not None and reached.low is not None and reached.low > 1:
            code = Code.BEYOND_PEAK if case.workload == "matmul" else Code.BEYOND_ROOF
            found[case.id] = Notice.of(code, reached.share, 1.0)
    return found
