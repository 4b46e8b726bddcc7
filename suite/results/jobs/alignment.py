"""Align the clocks of a job's nodes by a mark that they share.

`Meter.align` marks a call that no rank leaves before all have entered it. The intervals of any two ranks therefore have
a moment in common, and the middles of two are at most half the sum of their lengths apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from joulemark.suite.results.jobs.members import Member


@dataclass(frozen=True)
class ClockOffset:
    """How far a node's clock is ahead of that of the job's first node with a mark."""

    offset_s: float | None
    """Seconds; None without a mark: times of nodes are then compared as their clocks (NTP) have them."""
    error_s: float | None
    """The offset is that far off at most, seconds."""


def clock_offsets(members: Sequence[Member]) -> list[ClockOffset]:
    """Return the offset of each node's clock."""
    reference = next((member for member in members if member.node.mark_s is not None), None)
    return [_offset(member, reference) for member in members]


def _offset(member: Member, reference: Member | None) -> ClockOffset:
    marked, first = _mark(member), None if reference is None else _mark(reference)
    if marked is None or first is None:
        return ClockOffset(None, None)
    offset_s = (marked[0] - first[0]).total_seconds()
    return ClockOffset(offset_s, 0.0 if member is reference else marked[1] + first[1])


def _mark(member: Member) -> tuple[datetime, float] | None:
    """Return the middle of the mark by the node's clock, and half its length, seconds."""
    if member.node.mark_s is None:
        return None
    begin_s, end_s = member.node.mark_s
    return member.utc((begin_s + end_s) / 2), (end_s - begin_s) / 2
