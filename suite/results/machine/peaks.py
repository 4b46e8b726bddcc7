"""The peaks of a machine: arithmetic and bandwidth as probed, and power idle and at most. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from joulemark.suite.energy.attribution import case_energy, reading_key, weakest
from joulemark.suite.energy.idle import mean_idle_power
from joulemark.suite.records import Case, Kind, Probe, RunFile


@dataclass(frozen=True)
class Peak:
    """The best that the probes of any framework found on a device."""

    device: str
    precision: str
    threads: int
    flops_per_s: float | None
    bytes_per_s: float | None


@dataclass(frozen=True)
class Power:
    """Mean power of what a case on one device is charged with, watts."""

    device: str
    idle_w: float | None
    """None where it was not measured."""
    most_w: float
    """Of the case that used most, over its windows."""
    case: Case
    kind: Kind
    lower_bound: bool
    """Whether a component was not measured."""


def peaks(probes: Iterable[Probe]) -> tuple[Peak, ...]:
    """Return one peak for each device, precision and number of threads, in the order of the probes."""
    by_place: dict[tuple[str, str, int], list[Probe]] = {}
    for probe in probes:
        by_place.setdefault((probe.device, probe.precision, probe.threads), []).append(probe)
    return tuple(
        Peak(
            *place,
            max((probe.flops_per_s for probe in found if probe.flops_per_s), default=None),
            max((probe.bytes_per_s for probe in found if probe.bytes_per_s), default=None),
        )
        for place, found in by_place.items()
    )


def powers(run_file: RunFile) -> tuple[Power, ...]:
    """Return idle and most power of each device that a case ran on; devices without energy are left out."""
    found: dict[str, Power] = {}
    for case in run_file.cases:
        watts = case.summary.power_w if case.summary else None
        if watts is None or watts.value is None:
            continue
        known = found.get(case.device)
        if known is None or watts.value > known.most_w:
            idle_w, idle_kind = idle_power(run_file, case)
            kind = weakest([watts.kind or "unavailable", *([idle_kind] if idle_kind else [])])
            found[case.device] = Power(case.device, idle_w, watts.value, case, kind, watts.lower_bound)
    return tuple(found.values())


def idle_power(run_file: RunFile, case: Case) -> tuple[float | None, Kind | None]:
    """Return the idle power of the components that `case` is charged with, watts, and its kind; (None, None) if it is
    not known."""
    energy = case_energy(case.ok_trials)
    if not energy.trials:
        return None, None
    power = mean_idle_power(run_file.idle)
    keys = [reading_key(reading) for reading in energy.trials[0].readings]
    if any(key not in power for key in keys):
        return None, None
    return sum(power[key].power_w for key in keys), weakest(power[key].kind for key in keys)


def idle_limits_w(run_file: RunFile, case: Case) -> tuple[float, float] | None:
    """Return the least and the most that `idle_power` may be by its sensors, watts; None if that is not known."""
    energy, power = case_energy(case.ok_trials), mean_idle_power(run_file.idle)
    keys = [reading_key(reading) for reading in energy.trials[0].readings] if energy.trials else []
    limits = [found.limits_w for key in keys if (found := power.get(key)) is not None and found.limits_w is not None]
    if not keys or len(limits) < len(keys):
        return None
    return sum(low for low, _ in limits), sum(high for _, high in limits)
