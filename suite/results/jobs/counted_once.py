"""The readings of a job's nodes with every joule once.

Two files may be of one machine: containers on it that are nodes of their own, or two meters in one program. What a
component drew in a window of the first file is not counted again in those of the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from joulemark.suite.energy.whole_machine.share import headline_readings
from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.records import Case, EnergyReading
from joulemark.suite.results.jobs.members import Member

Window = tuple[float, float]

SHORTEST_S = 1e-3
"""What is left of a window and shorter than this, the update period of a processor's counter (RAPL), has no energy."""

Key = tuple[str, str, str]
"""Machine, component and scope."""


@dataclass
class CountedNode:
    """The readings that are counted of one file."""

    member: Member
    readings: list[EnergyReading] = field(default_factory=list)
    """Those with a value."""
    unread: list[tuple[Key, Window, EnergyReading]] = field(default_factory=list)
    """Those without one, and their windows on the machine's clock."""
    counted_before_s: float = 0.0
    """How much of the windows another file of this machine counts, for the component of which most is, seconds."""


def count_once(members: Sequence[Member]) -> list[CountedNode]:
    """Return the readings of each file, without what an earlier one counts. A component that no file has is unread."""
    covered: dict[Key, list[Window]] = {}
    counted = [_count(member, covered) for member in members]
    for node in counted:
        node.unread = [entry for entry in node.unread if remaining(entry[1], covered.get(entry[0], []))]
    return counted


def _count(member: Member, covered: dict[Key, list[Window]]) -> CountedNode:
    counted = CountedNode(member)
    before_s: dict[Key, float] = {}
    for case, window_s, readings in _windows(member):
        window = window_s[0] + member.clock_s, window_s[1] + member.clock_s
        for reading in headline_readings(readings):
            if not reading.attributed:
                continue
            key = member.machine, reading.component, reading.scope
            if reading.energy_j is None:
                counted.unread.append((key, window, reading))
                continue
            pieces = remaining(window, covered.get(key, []))
            before_s[key] = before_s.get(key, 0.0) + _length_s([window]) - _length_s(pieces)
            counted.readings += [reading] if pieces == [window] else _of_pieces(member, case, reading, pieces)
            covered.setdefault(key, []).append(window)
    counted.counted_before_s = max(before_s.values(), default=0.0)
    return counted


def _windows(member: Member) -> Iterator[tuple[Case, Window, Sequence[EnergyReading]]]:
    """Yield the windows of all trials: a trial that failed has used energy too."""
    for case in member.run_file.cases:
        for trial in case.trials:
            if trial.window_s is not None:
                yield case, trial.window_s, trial.energy


def _of_pieces(member: Member, case: Case, whole: EnergyReading, pieces: Sequence[Window]) -> list[EnergyReading]:
    """Return the readings of parts of a window, from the traces; a part that these do not show has no value."""
    readings = []
    for begin_s, end_s in pieces:
        window_s = begin_s - member.clock_s, end_s - member.clock_s
        made = compute_readings(member.run_file.traces, window_s, case.device, member.run_file.machine.gpus)
        readings += [
            reading
            for reading in made
            if (reading.component, reading.scope) == (whole.component, whole.scope) and reading.energy_j is not None
        ]
    return readings


def remaining(window: Window, covered: Sequence[Window]) -> list[Window]:
    """Return the parts of `window` that none of `covered` has; those shorter than `SHORTEST_S` are left out."""
    parts = [window]
    for begin, end in covered:
        parts = [
            part
            for left, right in parts
            for part in ((left, min(right, begin)), (max(left, end), right))
            if part[1] - part[0] > 0
        ]
    return [window] if parts == [window] else [part for part in parts if part[1] - part[0] >= SHORTEST_S]


def _length_s(windows: Sequence[Window]) -> float:
    return sum(end - begin for begin, end in windows)
