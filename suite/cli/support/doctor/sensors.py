"""The checks that `joulemark doctor` makes of sensors: each is read for a while, as in a run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, replace

from joulemark.suite.cli.support.doctor.checks import Check
from joulemark.suite.energy.components import MACHINE
from joulemark.suite.energy.update_times import observed_update_period_s
from joulemark.suite.energy.whole_machine.calibrated_gain import calibration_texts
from joulemark.suite.errors import JoulemarkError, UsageError
from joulemark.suite.records import Trace
from joulemark.suite.sensors import trace_file
from joulemark.suite.sensors.base import ADDITIONAL, IPMI, MODELS, UnreadableError, check_request, split_request
from joulemark.suite.sensors.sampler import Sampler
from joulemark.suite.system.scratch import scratch_directory

SENSOR_S = 1.0
"""How long the sensors are read to learn the cost of one read."""
SLOW_SENSOR_TRIES = 12
"""How often at most, to see a counter move twice that is updated every 5 s."""


def sensor_checks(named: Sequence[str] = ()) -> list[Check]:
    """Return a check per sensor, those `named` among them, after a second of reading them in the sampler's process.

    More of them follow for counters that move more seldom. UsageError for a sensor that is none.
    """
    usable, unusable = _checked(named)
    try:
        with scratch_directory() as directory:
            path = directory / "trace"
            with Sampler.start(path, time.monotonic(), usable) as sampler:
                for _ in range(SLOW_SENSOR_TRIES):
                    time.sleep(SENSOR_S)
                    if not _has_slow_counter(traces := trace_file.load(path)):
                        break
            by_sensor = {trace.sensor: trace for trace in traces}
    except JoulemarkError as error:
        return [Check("sensor", "sampler", found=False, readable=False, reason=str(error)), *unusable]
    checks = [Check("sensor", **asdict(finding)) for finding in sampler.findings]
    return [*(_with_trace(check, by_sensor.get(check.name)) for check in checks), *unusable]


def can_measure_energy(checks: Sequence[Check]) -> bool:
    """Return whether a sensor is readable that measures rather than estimates."""
    return any(check.kind == "sensor" and check.readable and check.name not in MODELS for check in checks)


def _checked(named: Sequence[str]) -> tuple[list[str], list[Check]]:
    """Return those of the sensors `named` that can be read, and a check for each other; IPMI is always looked for."""
    usable, unusable = [], []
    for request in dict.fromkeys((*named, IPMI)):
        try:
            check_request(request)
            if split_request(request)[0] not in ADDITIONAL:
                raise UsageError(
                    f"--sensor {request}: doctor looks for it anyway. Name {', '.join(sorted(ADDITIONAL))}."
                )
            usable.append(request)
        except UnreadableError as error:
            unusable.append(Check("sensor", **asdict(error.finding(split_request(request)[0]))))
    return usable, unusable


def _with_trace(check: Check, trace: Trace | None) -> Check:
    """Return the check of a sensor with what its trace shows: the cost of a read, update periods, calibrations."""
    if trace is None:
        return check if check.readable else replace(check, read_cost_s=None)
    return replace(
        check,
        read_cost_s=trace.read_cost_s if check.readable else None,
        tick_s=_slowest_counter_s(trace) or check.tick_s,
        reason="; ".join(filter(None, (check.reason, *calibration_texts([trace])))) or None,
    )


def _slowest_counter_s(trace: Trace) -> float | None:
    """Return the longest update period of the counters of `trace`, seconds; None where it cannot be told.

    One whose period is not known does not matter if it moves more often than that.
    """
    known_s = [channel.tick_s for channel in trace.channels if channel.unit == "J" and channel.tick_s is not None]
    bounds_s = [
        observed_update_period_s(trace.t_s, channel.values)
        for channel in trace.channels
        if channel.unit == "J" and channel.tick_s is None
    ]
    slowest_s = max(known_s, default=None)
    return slowest_s if all(bound_s is not None and bound_s <= (slowest_s or 0.0) for bound_s in bounds_s) else None


def _has_slow_counter(traces: Sequence[Trace]) -> bool:
    """Return whether a counter has moved too seldom to show its update period; that of a machine may take minutes."""
    return any(
        channel.unit == "J" and channel.component != MACHINE and len(set(channel.values) - {None}) in (1, 2)
        for trace in traces
        for channel in trace.channels
        if channel.tick_s is None
    )
