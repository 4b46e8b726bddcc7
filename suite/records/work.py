"""What one step does, in numbers without noise: the same on a busy machine as on an idle one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from joulemark.suite.records.base import Amount, Record


@dataclass(frozen=True)
class CountKind:
    """Something that is counted in one step."""

    key: str
    """Its name in run files. On the command line `-` stands for `_`."""
    title: str
    """In small letters, as in the middle of a sentence."""
    unit: str = ""
    """Empty for a number of things."""
    exact: bool = True
    """Whether repeating the step gives the same number. Threads that wait spin for more or fewer instructions, and
    kernels take more or less time."""
    portable: bool = True
    """Whether any machine gives the same number: not where libraries choose kernels and layouts by the processor."""
    tuned: bool = False
    """Whether libraries on a GPU may choose it by timing."""
    threshold: float | None = 0.0
    """Relative growth that the gate accepts by default; None if it judges this count only where it is named."""

    @property
    def option(self) -> str:
        """Its name on the command line."""
        return self.key.replace("_", "-")


COUNTS: Final[Mapping[str, CountKind]] = MappingProxyType(
    {
        kind.key: kind
        for kind in (
            CountKind("operators", "operators"),
            CountKind("graph_nodes", "graph nodes"),
            CountKind("kernels", "kernels", portable=False, tuned=True),
            CountKind("graphs", "graphs"),
            CountKind("graph_breaks", "graph breaks"),
            CountKind("traces", "traces"),
            CountKind("flops", "FLOPs", "FLOP"),
            CountKind("allocated_bytes", "allocations", "B", portable=False, tuned=True, threshold=0.01),
            CountKind("peak_bytes", "peak of allocations", "B", portable=False, tuned=True, threshold=0.01),
            CountKind("device_copies", "copies between devices"),
            CountKind("instructions", "instructions", exact=False, portable=False, threshold=None),
            CountKind("cycles", "cycles", exact=False, portable=False, threshold=None),
            CountKind("kernel_s", "time of kernels", "s", exact=False, portable=False, threshold=None),
        )
    }
)
"""Counts by key, in the order in which they are shown. docs/counts.md says which framework has which."""


class WorkCount(Record):
    """One count, of one step."""

    value: Amount | None
    """None, with a reason, if it could not be counted."""
    unit: str = ""
    """`B`, `s` or `FLOP`; empty for a number of things."""
    reason: str | None = None
    """Why there is no value; None if there is one."""


class Work(Record):
    """What one step does, counted after all that is measured, on a program built for it."""

    counts: dict[str, WorkCount] = {}
    """By the keys of COUNTS; a count that the framework or the mode does not have is not among them."""
    reason: str | None = None
    """Why it is not complete; None if it is."""
