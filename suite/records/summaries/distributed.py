"""Cases of several ranks: what each rank did in a trial, and how a case compares with its baselines."""

from __future__ import annotations

from typing import Literal

from joulemark.suite.records.base import Count, Number, PositiveSeconds, Record, Size, Value, Window
from joulemark.suite.records.summaries.quantity import Quantity

Scaling = Literal["weak", "strong"]
"""Whether the batch of each rank is fixed, or the batch of all together."""


class RankWindow(Record):
    """What one rank did in a trial."""

    rank: Count
    device: str
    window_s: Window
    """The rank's own window, seconds since `run.started_at`; that of the trial is what all have in common."""
    steps: Size
    """Steps in its own window."""
    items: Size
    own_s: PositiveSeconds | None = None
    """Median time of a step without communication, seconds, while all other ranks take such steps too."""


class Difference(Record):
    """A difference between two cases of the same rounds; below 0 where the second is less."""

    value: Number | None
    """Mean over rounds, in `unit`; None, with a reason, where it is not known."""
    low: Number | None = None
    """Lower end of the 95 % interval between rounds; None at n = 1."""
    high: Number | None = None
    unit: str
    n: Count
    reason: str | None = None


class Efficiency(Record):
    """How a case of N ranks compares with one that is not distributed, and with its other baselines.

    Each is a ratio of throughputs over N times that of the baseline, of the same rounds: with weak scaling the rate of
    N / (N x rate of 1), with strong scaling the time of 1 / (N x time of N).
    """

    value: Value | None
    """Against the case that is not distributed, geometric mean over rounds; None, with a reason, without it."""
    low: Value | None = None
    """Lower end of the 95 % interval between rounds; None at n = 1."""
    high: Value | None = None
    n: Count
    reason: str | None = None
    of_one_rank: Quantity
    """Against one rank of the same strategy, which has its cost and nobody to communicate with."""
    of_ranks_apart: Quantity
    """Against N ranks at the same time that do not communicate: what contention costs is left out."""
    exposed_communication_s: Difference
    """What a step of all ranks takes longer than that of ranks that do not communicate, seconds: the communication that
    computation does not hide, and the strategy's own work."""
    exposed_share: Difference
    """The same as a share of the step."""
    energy_ratio: Quantity
    """Joules per item over those of the case that is not distributed."""


class BoardPower(Record):
    """The mean power of a GPU of a case over the windows of its trials."""

    device: str
    uuid: str
    power_w: Quantity


class Distributed(Record):
    """The results of a case of several ranks."""

    node_energy_per_item_j: Quantity
    """Gross IT energy of the whole node, idle GPUs too, joules per item; `summary` has that of the GPUs in use."""
    boards: tuple[BoardPower, ...] = ()
    """The GPUs in use; empty on the CPU."""
    slowest_rank: Count | None = None
    """The rank whose own time is longest in every trial, by more than the threshold of its notice; None: none is."""
