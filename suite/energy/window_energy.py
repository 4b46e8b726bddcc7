"""Traces and a window -> readings. Pure: no clock, no file, no sensor.

Constant power gives exactly power x time whatever the sampling, and a border between two samples is exact for a
linear ramp (`suite.energy.integration`). What cannot be read is there too, without a value and with the reason.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from joulemark.suite.energy.aliasing import is_aliased
from joulemark.suite.energy.integration import Curve, curve
from joulemark.suite.records import Channel, EnergyReading, Gpu, Trace

FROZEN_S = 1.0
"""Hardware that is on draws power: a counter that stands still for longer does not count."""
NOTHING_W = 1e-9
"""A counter that stands still, and what rounding makes of it between two equal reads."""
UPDATES_NEEDED = 48.0
"""A window of fewer updates of its sensor is below resolution: each border is uncertain by up to one update. They
are made for 50, 5 s for a tick of 100 ms; two less, so that a tick of up to 104 ms does not decide."""

HOST_PARTS = ("package", "dram")
MODEL_PARTS = ("cpu", "ram")
CHARGED = frozenset({*HOST_PARTS, *MODEL_PARTS, "gpu"})
"""Components that a case can be charged with; what else is measured contains or overlaps these."""


def compute_reading(
    trace: Trace,
    channel: Channel,
    window_s: tuple[float, float],
    attributed: bool = True,
    load_period_s: float | None = None,
) -> EnergyReading:
    """The energy of `channel` over `window_s` (seconds since the run's start); None with the reason where unknown.

    `load_period_s` is the time of one step of the load, where known: a sensor that looks away for a part of the time
    is blind to a load that keeps step with it.
    """
    seen = curve(trace, channel, window_s)
    reason = seen.coverage_gap(window_s) or _frozen(seen, window_s)
    if reason is not None:
        return _unavailable(channel.component, channel.scope, reason, attributed, trace.sensor)
    length_s = window_s[1] - window_s[0]
    energy_j = seen.energy_j(window_s)
    lost_j, doubts = _lost_j(seen, window_s)
    unseen_j = seen.unseen_error_j(window_s)
    uneven = seen.unevenness(window_s, load_period_s)
    below_j, above_j = seen.uneven_error_j(window_s, load_period_s, uneven)
    in_step = load_period_s is not None and uneven > 0 and is_aliased(load_period_s, seen.cycle_s, uneven)
    if in_step:
        doubts.append(f"a step takes {load_period_s:.3g} s, near the sensor's period: it may always see the same part")
    if seen.tick_s and length_s < UPDATES_NEEDED * seen.tick_s:
        doubts.append(f"below resolution: the window spans {length_s / seen.tick_s:.0f} updates of the sensor")
    border_j = sum(seen.border_error_j(time_s) for time_s in window_s)
    least_j = max(0.0, energy_j - border_j - max(unseen_j, below_j))
    most_j = energy_j + border_j + max(unseen_j, above_j) + lost_j
    return EnergyReading(
        component=channel.component,
        scope=channel.scope,
        kind=channel.kind,
        attributed=attributed,
        energy_j=energy_j,
        low_j=min(energy_j, least_j * channel.gain[0]),
        high_j=max(energy_j, most_j * channel.gain[1]),
        gain=channel.gain,
        tick_s=seen.tick_s,
        samples=bisect_right(trace.t_s, window_s[1]) - bisect_left(trace.t_s, window_s[0]),
        reason="; ".join(doubts) or None,
        sensor=trace.sensor,
        residual=_residual(trace, channel, window_s, energy_j),
        in_step=in_step,
    )


def _residual(trace: Trace, channel: Channel, window_s: tuple[float, float], counted_j: float) -> float | None:
    """What the power samples beside a counter integrate to, relative to it; None where there are none."""
    for other in trace.channels:
        same = (other.component, other.scope) == (channel.component, channel.scope)
        if channel.unit == "J" and other.unit == "W" and same and counted_j > 0:
            samples = curve(trace, other, window_s)
            return samples.energy_j(window_s) / counted_j - 1 if samples.coverage_gap(window_s) is None else None
    return None


def _unavailable(component: str, scope: str, reason: str, attributed: bool, sensor: str = "") -> EnergyReading:
    return EnergyReading(
        component=component,
        scope=scope,
        kind="unavailable",
        attributed=attributed,
        energy_j=None,
        reason=reason,
        sensor=sensor,
    )


def _frozen(seen: Curve, window_s: tuple[float, float]) -> str | None:
    """Why a counter that did not move does not count; None where it did. No hardware that is on draws nothing."""
    length_s = window_s[1] - window_s[0]
    if not seen.is_counter or length_s <= 0 or seen.energy_j(window_s) > NOTHING_W * length_s:
        return None
    if length_s < FROZEN_S:
        return f"the counter did not move in {length_s:.3g} s: it stands still, or the window is below its resolution"
    return f"the counter stood still for {length_s:.1f} s: it does not count"


def _lost_j(seen: Curve, window_s: tuple[float, float]) -> tuple[float, list[str]]:
    """Joules that resets of the counter in the window may have swallowed, and what to say of it."""
    resets = [time_s for time_s in seen.channel.resets_s if window_s[0] <= time_s <= window_s[1]]
    highest_w = max(seen.powers_w(window_s), default=0.0)
    lost_j = 0.0
    for reset_s in resets:
        after = min(max(bisect_left(seen.t_s, reset_s - seen.period_s / 2), 1), len(seen.t_s) - 1)
        lost_j += (seen.t_s[after] - seen.t_s[after - 1]) * highest_w
    return lost_j, [f"the counter was reset {len(resets)} times in the window"] if resets else []


def compute_readings(
    traces: Sequence[Trace],
    window_s: tuple[float, float],
    device: str,
    gpus: Sequence[Gpu] = (),
    step_s: float | None = None,
) -> tuple[EnergyReading, ...]:
    """All readings of a window for a case on `device` (`cpu`, `cuda:0`) whose steps take `step_s` seconds.

    Attributed are package and dram and, for a case on a board, that board (on several, `cuda:0+cuda:1`, those); what
    cannot be read of these is there too, without a value. Only where nothing of it is measured does the estimate of
    CPU and RAM stand in. Other boards, the platform domain and a wall meter are listed, not attributed.
    """
    traces = _in_time(traces, window_s)
    board = _board_readings(traces, window_s, device, gpus, step_s)
    measured = any(energy.energy_j is not None and energy.attributed for energy in board)
    return (*_host_readings(traces, window_s, measured, step_s), *board, *_others(traces, window_s))


def _in_time(traces: Sequence[Trace], window_s: tuple[float, float]) -> list[Trace]:
    """Of the traces of one sensor, as a resumed run has them, the one that saw the window; the first if none did."""
    best: dict[object, Trace] = {}
    for trace in traces:
        # Two wall meters are two sensors of one name.
        key = trace.sensor, tuple((one.component, one.scope, one.unit, one.source) for one in trace.channels)
        if key not in best or _overlap_s(trace, window_s) > _overlap_s(best[key], window_s):
            best[key] = trace
    return list(best.values())


def _overlap_s(trace: Trace, window_s: tuple[float, float]) -> float:
    return min(trace.t_s[-1], window_s[1]) - max(trace.t_s[0], window_s[0]) if trace.t_s else float("-inf")


def _channels(traces: Sequence[Trace], *components: str) -> list[tuple[Trace, Channel]]:
    return [(trace, channel) for trace in traces for channel in trace.channels if channel.component in components]


def _host_readings(
    traces: Sequence[Trace], window_s: tuple[float, float], board_measured: bool, step_s: float | None
) -> list[EnergyReading]:
    """Package and dram; or, where neither they nor the case's board are measured, the model's CPU and RAM."""
    measured = _parts(traces, window_s, step_s)
    have = any(energy.energy_j is not None for energy in measured) or board_measured
    models = _channels(traces, *MODEL_PARTS)
    if models and not have:
        return [compute_reading(trace, channel, window_s) for trace, channel in models]
    present = {energy.component for energy in measured}
    reasons = {
        "package": "no readable sensor of the processor",
        "dram": "no dram domain: this processor's counters leave memory out" if have and present else "not readable",
    }
    absent = [_unavailable(part, "host", reasons[part], True) for part in HOST_PARTS if part not in present]
    estimates = [compute_reading(trace, channel, window_s, attributed=False) for trace, channel in models]
    return [*measured, *absent, *estimates]


def _parts(traces: Sequence[Trace], window_s: tuple[float, float], step_s: float | None) -> list[EnergyReading]:
    """One reading of each part of the host: from its counter or, where that says nothing, its power."""
    found: dict[tuple[str, str], EnergyReading] = {}
    for trace, channel in _channels(traces, *HOST_PARTS):
        part = channel.component, channel.scope
        if part not in found or found[part].energy_j is None:
            new = compute_reading(trace, channel, window_s, load_period_s=step_s)
            found[part] = new if new.energy_j is not None else found.get(part, new)
    return list(found.values())


def _board_readings(
    traces: Sequence[Trace],
    window_s: tuple[float, float],
    device: str,
    gpus: Sequence[Gpu],
    step_s: float | None,
) -> list[EnergyReading]:
    """One reading a board, from its counter or, without one, its power; the case's own boards are attributed."""
    names = device.split("+")
    own = {gpu.uuid: gpu for gpu in gpus if gpu.device in names}
    boards: dict[str, EnergyReading] = {}
    for trace, channel in _channels(traces, "gpu"):
        mine = own.get(channel.scope)
        known = boards.get(channel.scope)
        if known is not None and known.energy_j is not None:
            continue
        new = compute_reading(trace, channel, window_s, attributed=mine is not None, load_period_s=step_s)
        if known is None or new.energy_j is not None:
            boards[channel.scope] = new if mine is None else _shared(new, mine)
    listed = list(boards.values())
    for name in names if device != "cpu" else ():
        uuid = next((gpu.uuid for gpu in own.values() if gpu.device == name), None)
        if uuid is None or uuid not in boards:
            reason = f"no board is known to be {name}" if uuid is None else "no readable sensor of this board"
            listed.append(_unavailable("gpu", uuid or name, reason, True))
    return listed


def _shared(energy: EnergyReading, gpu: Gpu) -> EnergyReading:
    """Energy of a board that is split: power exists for the whole board only."""
    if not gpu.mig:
        return energy
    reasons = [energy.reason, "the board is split (MIG): its energy is that of all who share it"]
    return energy.model_copy(update={"reason": "; ".join(reason for reason in reasons if reason)})


def _others(traces: Sequence[Trace], window_s: tuple[float, float]) -> list[EnergyReading]:
    """What is measured, but contains or overlaps what a case is charged with."""
    return [
        compute_reading(trace, channel, window_s, attributed=False)
        for trace in traces
        for channel in trace.channels
        if channel.component not in CHARGED
    ]
