"""Traces and a window -> readings. Pure: no clock, no file, no sensor.

Constant power gives exactly power x time however it was sampled, and a window's end between two samples is exact for a
linear ramp (`suite.energy.integration`). Components that cannot be read are there too, without a value and with the
reason.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from joulemark.suite.energy.aliasing import is_aliased
from joulemark.suite.energy.components import HOST_MEASURED, HOST_MODELLED, MACHINE, UNDETERMINED, component_named
from joulemark.suite.energy.integration import Curve, Window
from joulemark.suite.energy.reading_errors import (
    aliasing_error_j,
    border_errors_j,
    gap_error_j,
    interruptions,
    left_out_s,
    sample_periods_s,
    sampling_unevenness,
    shows_moments,
    unknown_reason,
    unobserved_error_j,
)
from joulemark.suite.energy.whole_machine.calibrated_gain import gain_at
from joulemark.suite.energy.whole_machine.share import narrower
from joulemark.suite.records import Channel, EnergyReading, Gpu, Trace

SPLIT = "the GPU is split (MIG): its energy is that of all who share it"
NOT_KNOWN = "not summed: nothing shows whether it counts the GPU or its module, as the processor's power did not vary"
UPDATES_NEEDED = 48.0
"""A window of fewer updates of its sensor is below resolution: each end is uncertain by half an update, or by less
where the times of updates are known. Windows are made for 50, 5 s for an update period of 100 ms; two less, so that one
of up to 104 ms does not decide."""


def compute_readings(
    traces: Sequence[Trace],
    window_s: Window,
    device: str,
    gpus: Sequence[Gpu] = (),
    step_s: float | None = None,
) -> tuple[EnergyReading, ...]:
    """Return all readings of a window for a case on `device` (`cpu`, `cuda:0`) whose steps take `step_s` seconds.

    Attributed are package and DRAM and, for a case on a GPU, that GPU (on several, `cuda:0+cuda:1`, those), without a
    value if they cannot be read. Only where none of them is measured is the estimate of CPU and RAM attributed instead.
    Other GPUs, the platform domain and a wall meter are listed, not attributed.
    """
    traces = _one_per_sensor(traces, window_s)
    on_gpus = _gpu_readings(traces, window_s, device, gpus, step_s)
    gpu_measured = any(reading.energy_j is not None and reading.attributed for reading in on_gpus)
    return (*_host_readings(traces, window_s, gpu_measured, step_s), *on_gpus, *_other_readings(traces, window_s))


def compute_reading(
    trace: Trace,
    channel: Channel,
    window_s: Window,
    attributed: bool = True,
    load_period_s: float | None = None,
) -> EnergyReading:
    """Return the energy of `channel` over `window_s`; without a value, and with the reason, where it is unknown.

    `load_period_s` is the duration of one step of the load, where known: a sensor that observes only a part of the time
    may alias with it.
    """
    curve = Curve.around(trace, channel, window_s)
    samples = bisect_right(trace.t_s, window_s[1]) - bisect_left(trace.t_s, window_s[0])
    caveats = interruptions(curve, window_s, samples)
    reason = unknown_reason(curve, window_s, samples)
    if reason is not None:
        reason = "; ".join([*caveats, reason])
        unavailable = _unavailable(channel.component, channel.scope, reason, attributed, trace.sensor)
        return unavailable.model_copy(update={"implausible": len(left_out_s(curve, window_s)), "samples": samples})
    length_s = window_s[1] - window_s[0]
    energy_j = curve.energy_j(window_s)
    unobserved_j = unobserved_error_j(curve, window_s)
    uneven = sampling_unevenness(curve, window_s, load_period_s)
    below_j, above_j = aliasing_error_j(curve, window_s, load_period_s, uneven)
    aliased = uneven > 0 and any(is_aliased(load_period_s or 0.0, each, uneven) for each in sample_periods_s(curve))
    if aliased:
        caveats.append(f"a step takes {load_period_s:.3g} s, near the sensor's period: it may always see the same part")
    if curve.update_period_s and length_s < UPDATES_NEEDED * 2 * curve.time_error_s:
        updates = length_s / curve.update_period_s
        caveats.append(f"below resolution: the window spans {updates:.0f} updates of the sensor")
    elif shows_moments(curve) and samples < UPDATES_NEEDED:
        caveats.append(f"below resolution: {samples} samples in the window")
    gain, calibration = gain_at(channel, energy_j / length_s if length_s > 0 else 0.0)
    sampling_j, repeated_j = border_errors_j(curve, window_s)
    border_j = sampling_j + repeated_j + gap_error_j(curve, window_s)
    least_j = max(0.0, energy_j - border_j - max(unobserved_j, below_j))
    most_j = energy_j + border_j + max(unobserved_j, above_j)
    return EnergyReading(
        component=channel.component,
        scope=channel.scope,
        kind=channel.kind,
        attributed=attributed,
        energy_j=energy_j,
        low_j=min(energy_j, least_j * gain[0]),
        high_j=max(energy_j, most_j * gain[1]),
        gain=gain,
        calibration=calibration,
        repeated_error_j=repeated_j,
        publication_lag_s=channel.publication_lag.lag_s if channel.publication_lag is not None else None,
        tick_s=curve.update_period_s,
        time_error_s=curve.time_error_s,
        samples=samples,
        implausible=len(left_out_s(curve, window_s)),
        reason="; ".join(caveats) or None,
        sensor=trace.sensor,
        residual=_residual(trace, channel, window_s, energy_j),
        in_step=aliased,
        evidence=channel.evidence,
    )


def _residual(trace: Trace, channel: Channel, window_s: Window, counted_j: float) -> float | None:
    """Return what the power samples beside a counter integrate to, relative to it; None without any."""
    if channel.unit != "J" or counted_j <= 0:
        return None
    for sampled in trace.channels:
        same = (sampled.component, sampled.scope) == (channel.component, channel.scope)
        if same and sampled.unit == "W":
            curve = Curve.around(trace, sampled, window_s)
            return curve.energy_j(window_s) / counted_j - 1 if curve.coverage_gap(window_s) is None else None
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


def _one_per_sensor(traces: Sequence[Trace], window_s: Window) -> list[Trace]:
    """Return, for each sensor, the trace that overlaps the window most; a resumed run has several."""
    best: dict[object, Trace] = {}
    for trace in traces:
        # Two wall meters are two sensors with the same name. What other sources say may change with a version.
        channels = tuple((c.component, c.scope, c.unit, c.source * (c.component == MACHINE)) for c in trace.channels)
        key = trace.sensor, channels
        if key not in best or _overlap_s(trace, window_s) > _overlap_s(best[key], window_s):
            best[key] = trace
    return list(best.values())


def _overlap_s(trace: Trace, window_s: Window) -> float:
    return min(trace.t_s[-1], window_s[1]) - max(trace.t_s[0], window_s[0]) if trace.t_s else float("-inf")


def _channels(traces: Sequence[Trace], *components: str) -> list[tuple[Trace, Channel]]:
    return [(trace, channel) for trace in traces for channel in trace.channels if channel.component in components]


def _host_readings(
    traces: Sequence[Trace], window_s: Window, gpu_measured: bool, step_s: float | None
) -> list[EnergyReading]:
    """Return package and DRAM; or the model's CPU and RAM, where neither they nor the case's GPU are measured."""
    sensed = _sensed_host_readings(traces, window_s, step_s)
    any_measured = gpu_measured or any(reading.energy_j is not None for reading in sensed)
    models = _channels(traces, *HOST_MODELLED)
    if models and not any_measured:
        return [compute_reading(trace, channel, window_s) for trace, channel in models]
    present = {reading.component for reading in sensed}
    reasons = {
        "package": "no readable sensor of the processor",
        "dram": "no dram domain: this processor's counters leave memory out"
        if any_measured and present
        else "not readable",
    }
    absent = [_unavailable(name, "host", reasons[name], True) for name in HOST_MEASURED if name not in present]
    estimates = [compute_reading(trace, channel, window_s, attributed=False) for trace, channel in models]
    return [*sensed, *absent, *estimates]


def _sensed_host_readings(traces: Sequence[Trace], window_s: Window, step_s: float | None) -> list[EnergyReading]:
    """Return one reading for each component of the host: from its counter or, where that has no value, its power."""
    by_scope: dict[tuple[str, str], EnergyReading] = {}
    for trace, channel in _channels(traces, *HOST_MEASURED):
        key = channel.component, channel.scope
        if key not in by_scope or by_scope[key].energy_j is None:
            reading = compute_reading(trace, channel, window_s, load_period_s=step_s)
            by_scope[key] = reading if reading.energy_j is not None else by_scope.get(key, reading)
    return list(by_scope.values())


def _gpu_readings(
    traces: Sequence[Trace],
    window_s: Window,
    device: str,
    gpus: Sequence[Gpu],
    step_s: float | None,
) -> list[EnergyReading]:
    """Return one reading for each GPU, from its counter or else its power; those of the case are attributed."""
    devices = device.split("+")
    used = {gpu.uuid: gpu for gpu in gpus if gpu.device in devices}
    by_uuid: dict[str, EnergyReading] = {}
    for trace, channel in _channels(traces, "gpu"):
        uuid = channel.scope
        if uuid in by_uuid and by_uuid[uuid].energy_j is not None:
            continue
        reading = compute_reading(trace, channel, window_s, attributed=uuid in used, load_period_s=step_s)
        if uuid not in by_uuid or reading.energy_j is not None:
            by_uuid[uuid] = _with_caveat(reading, SPLIT) if uuid in used and used[uuid].mig else reading
    missing = []
    for name in devices if device != "cpu" else ():
        uuid_of_device = next((gpu.uuid for gpu in used.values() if gpu.device == name), None)
        if uuid_of_device is None:
            missing.append(_unavailable("gpu", name, f"no GPU is known to be {name}", True))
        elif uuid_of_device not in by_uuid:
            missing.append(_unavailable("gpu", uuid_of_device, "no readable sensor of this GPU", True))
    return [*by_uuid.values(), *missing]


def _with_caveat(reading: EnergyReading, caveat: str) -> EnergyReading:
    """Return `reading` with one more caveat."""
    return reading.model_copy(update={"reason": "; ".join(filter(None, (reading.reason, caveat)))})


def _other_readings(traces: Sequence[Trace], window_s: Window) -> list[EnergyReading]:
    """Return the readings of components that contain or overlap those a case is charged with.

    One for each where a sensor has both its counter and its power; wall meters are listed each. Of a whole machine
    it is the narrower: its counter may move by watt-hours.
    """
    by_component: dict[object, EnergyReading] = {}
    for trace in traces:
        for channel in trace.channels:
            if component_named(channel.component).charged:
                continue
            key = id(trace), channel.component, channel.scope
            if key in by_component and by_component[key].energy_j is not None and channel.component != MACHINE:
                continue
            reading = compute_reading(trace, channel, window_s, attributed=False)
            reading = _with_caveat(reading, NOT_KNOWN) if channel.component == UNDETERMINED else reading
            by_component[key] = narrower(by_component.get(key, reading), reading)
    return list(by_component.values())
