"""What `joulemark calibrate` chose for the profile `ci` on one machine."""

from __future__ import annotations

from joulemark.suite.records.base import PositiveCount, PositiveSeconds, Record, Value


class CalibratedEffort(Record):
    """Warm-up, window and rounds that detect the smallest change in a given time, for the cases they are based on."""

    machine: str
    """Which machine: 12 hex digits."""
    fingerprint: str
    """Its CPU, memory and GPUs, as in the run file."""
    made_at: str
    """ISO 8601, UTC."""
    runs: tuple[str, ...]
    """Ids of the runs whose trials it was found from."""
    cases: tuple[str, ...]
    """Ids of the cases that were measured."""
    threads: PositiveCount
    warmup_s: PositiveSeconds
    """Shortest warm-up of a trial on a CPU, seconds."""
    window_s: PositiveSeconds
    """Window of a trial on a CPU, seconds."""
    rounds: PositiveCount
    """Rounds of one analysis, of trials one after the other."""
    paired_rounds: PositiveCount | None = None
    """Rounds of one analysis where the trials of a pair take turns, after the profile's window; None: unknown."""
    time_s: PositiveSeconds
    """Time of a comparison of two sides, all analyses included, seconds."""
    detects: Value
    """The slow-down that such a comparison calls certain 4 times in 5; relative, 0.05 is 5 %."""
