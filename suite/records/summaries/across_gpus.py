"""A case on all GPUs of a machine at once, compared with the same on each by itself."""

from __future__ import annotations

from typing import Literal

from joulemark.suite.records.base import Number, Record, Share, Value
from joulemark.suite.records.summaries.quantity import Quantity

GpuVerdict = Literal["slow", "differs", "as the others", "not judged"]
Way = Literal["alone", "together"]


class GpuSpread(Record):
    """How much the GPUs differ."""

    value: Value
    """Standard deviation between GPUs of the logarithm, without what trials vary: 0.01 is 1 %."""
    low: Value | None = None
    """Lower end of its 95 % interval; None with one round, which cannot tell GPUs from trials."""
    high: Value | None = None
    trial_deviation: Value | None = None
    """Standard deviation of a trial; None with one round."""


class GpuWay(Record):
    """One GPU, alone or together with all others."""

    throughput: Quantity
    deviation: Number | None = None
    """Its throughput over the median of all GPUs, minus 1; None if no round measured all."""
    power_w: Quantity
    """Power of this GPU, without the host's."""
    energy_per_item_j: Quantity
    throttled: tuple[str, ...] = ()
    """Why its clocks were reduced in its windows, but for its power limit, as the driver says: `thermal`, ..."""


class OneGpu(Record):
    """One GPU among all."""

    device: str
    verdict: GpuVerdict
    """From four GPUs on, `slow` is below what the spread of the others allows. Of two or three that differ by more than
    their trials do, nobody can say which is wrong: they `differ`."""
    where: tuple[Way, ...] = ()
    """Where it is slow or differs; empty otherwise."""
    alone: GpuWay
    together: GpuWay
    together_over_alone: Quantity
    """Ratio of throughputs of the same rounds."""


class AcrossGpus(Record):
    """All GPUs that ran the same case, alone and at once."""

    familywise_rate: Share
    """Chance, at most, that any healthy GPU of this case is called slow, or that equal ones are said to differ."""
    gpus: tuple[OneGpu, ...]
    spread: dict[Way, GpuSpread] = {}
    """Of throughputs; without a way that measured no round on all GPUs."""
    together_over_alone: Quantity
    """What neighbours do to throughput: the geometric mean of all GPUs, ratios of the same rounds."""
    energy_together_over_alone: Quantity
    """The same of each GPU's own joules per item."""
    host_energy_per_item_j: Quantity
    """What the host, which all share, takes while all run: its joules, counted once, per item of all GPUs."""
