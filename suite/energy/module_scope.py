"""What the energy counter of a GPU in a module counts: the GPU, or the module with its processor. Pure.

On GH200 the counter is that of the module, although its call is the GPU's (ml-energy/zeus issue 172); other modules
and drivers differ. Where a driver reports the power of the module too, the counter is compared with both powers: it is
charged to the one that it follows. Only while the processor's power varies can the two be told from errors of gain.
"""

from __future__ import annotations

import statistics
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, NamedTuple

from joulemark.suite.energy.components import UNDETERMINED
from joulemark.suite.records import Channel, Trace

PIECE_S: Final = 2.0
"""Powers are compared as means over this time: 20 updates of the counter."""
FEWEST_PIECES: Final = 5
SAME: Final = 0.02
"""A module's power that never differs from the GPU's by more than this share has no processor in it."""
VARIES: Final = 0.2
"""The processor's power must range over this share of its mean."""
SLOPE_ERROR: Final = 0.25
"""What the counter has beyond the GPU's power follows the processor's with a slope of 1, or 0, to within this."""


class _Powers(NamedTuple):
    """Mean powers over one piece of a trace, watts."""

    counter_w: float
    gpu_w: float
    module_w: float

    @property
    def processor_w(self) -> float:
        return self.module_w - self.gpu_w


def with_counter_scopes(trace: Trace) -> Trace:
    """Return `trace` with each GPU's counter under the component that it counts, where its module's power is read too.

    That is `gpu`, `module`, or `undetermined` where the trace does not show it.
    """
    modules = {channel.scope: channel for channel in trace.channels if channel.component == "module"}
    powers = {c.scope: c for c in trace.channels if c.component == "gpu" and c.unit == "W"}
    channels = [
        channel.model_copy(update={"component": _component(trace, channel, powers[channel.scope], module)})
        if channel.component == "gpu"
        and channel.unit == "J"
        and channel.scope in powers
        and (module := modules.get(channel.scope)) is not None
        else channel
        for channel in trace.channels
    ]
    return trace.model_copy(update={"channels": tuple(channels)})


def _component(trace: Trace, counter: Channel, gpu: Channel, module: Channel) -> str:
    """Return the component whose power `counter` follows."""
    if all(value is None for value in module.values):
        return "gpu"
    pieces = _pieces(trace.t_s, counter, gpu, module)
    if pieces and all(abs(piece.processor_w) <= SAME * piece.gpu_w for piece in pieces):
        return "gpu"
    processor_w = [piece.processor_w for piece in pieces]
    if len(pieces) < FEWEST_PIECES or max(processor_w) - min(processor_w) < VARIES * statistics.fmean(processor_w):
        return UNDETERMINED
    error = max(1 - counter.gain[0], counter.gain[1] - 1)
    counter_w = statistics.fmean(piece.counter_w for piece in pieces)
    residuals = {}
    for name, slope, means_w in (
        ("gpu", 0.0, [p.gpu_w for p in pieces]),
        ("module", 1.0, [p.module_w for p in pieces]),
    ):
        residual_w = statistics.fmean(abs(p.counter_w - mean_w) for p, mean_w in zip(pieces, means_w, strict=True))
        residuals[name] = residual_w, error * (counter_w + statistics.fmean(means_w)), slope
    name = min(residuals, key=lambda name: residuals[name][0])
    residual_w, uncertainty_w, expected = residuals[name]
    apart_w = abs(residuals["gpu"][0] - residuals["module"][0])
    slope = statistics.linear_regression(processor_w, [piece.counter_w - piece.gpu_w for piece in pieces]).slope
    is_clear = apart_w > max(uncertainty for _, uncertainty, _ in residuals.values())
    return name if is_clear and residual_w <= uncertainty_w and abs(slope - expected) <= SLOPE_ERROR else UNDETERMINED


def _pieces(t_s: Sequence[float], counter: Channel, gpu: Channel, module: Channel) -> list[_Powers]:
    """Return the mean powers of each `PIECE_S` in which all three have values at both ends and within."""
    rows = [
        (t_s[i], joules, gpu_w, module_w)
        for i, (joules, gpu_w, module_w) in enumerate(zip(counter.values, gpu.values, module.values, strict=True))
        if joules is not None and gpu_w is not None and module_w is not None
    ]
    times = [row[0] for row in rows]
    pieces: list[_Powers] = []
    begin = 0
    while times and (end := bisect_left(times, times[begin] + PIECE_S)) < len(times):
        length_s = times[end] - times[begin]
        if length_s < 2 * PIECE_S:
            means = [statistics.fmean(row[n] for row in rows[begin + 1 : end + 1]) for n in (2, 3)]
            pieces.append(_Powers((rows[end][1] - rows[begin][1]) / length_s, *means))
        begin = end
    return pieces
