"""What holds the cases of a run back, from its notices and the roofline: one cause a case, the nearest first. Pure.

A GPU that throttles or waits for its CPU is not limited by what the roofline says of its arithmetic and memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from joulemark.suite.notices import Code
from joulemark.suite.records import Case, Probe
from joulemark.suite.results.roofline import share

_BY_NOTICE: Final[Mapping[Code, str]] = {
    Code.BOARD_THROTTLED: "throttled",
    Code.CGROUP_THROTTLED: "throttled by the container's quota",
    Code.LAUNCH_BOUND: "launch-bound",
    Code.GPU_IDLE: "waiting, cause unknown",
    Code.BOARD_POWER_CAPPED: "power-capped",
}
_BY_LIMIT: Final = {"memory": "memory-bound", "arithmetic": "compute-bound"}
UNKNOWN: Final = "cause not known"


def held_back_by(case: Case, probes: Iterable[Probe]) -> str:
    """Return what holds `case` back; `UNKNOWN` if neither a notice nor the roofline tells."""
    codes = {notice.code for notice in case.notices} | {n.code for trial in case.trials for n in trial.notices}
    for code, cause in _BY_NOTICE.items():
        if code in codes:
            return cause
    under_roof = share(case, probes)
    return UNKNOWN if under_roof is None else _BY_LIMIT.get(under_roof.limit, UNKNOWN)


def causes(cases: Iterable[Case], probes: Iterable[Probe]) -> Counter[str]:
    """Return in how many of the measured cases each cause holds them back."""
    probed = tuple(probes)
    return Counter(held_back_by(case, probed) for case in cases if case.summary is not None)
