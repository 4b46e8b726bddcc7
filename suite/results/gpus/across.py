"""The same case on all GPUs of a run, alone and at once: spread, what neighbours cost, slow ones. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from joulemark.suite.energy.attribution import weakest
from joulemark.suite.energy.integration import Window
from joulemark.suite.energy.sensor_checks import gpu_states, throttle_reasons
from joulemark.suite.records import (
    AcrossGpus,
    Case,
    EnergyReading,
    Gpu,
    GpuSpread,
    GpuWay,
    OneGpu,
    Quantity,
    RankWindow,
    Trace,
    Trial,
    Way,
)
from joulemark.suite.results.quantities import ONE_TRIAL, unknown
from joulemark.suite.stats.gpus.comparison import FAMILYWISE, GpuComparison, GpuLogs, Ratio, compare_gpus
from joulemark.suite.stats.intervals import geometric_mean

_SHARED: Final = (
    "workload", "variant", "workload_version", "size", "phase", "framework", "mode", "precision", "batch_size",
    "threads", "allocator", "arm",
)  # fmt: skip
"""Fields that the cases have in common: all but the device and the ranks."""
NO_ROUND: Final = "no round measured both"
NO_TRIAL: Final = "no trial is ok"
NOT_AT_ONCE: Final = "in no round did all others work during nine tenths of its window"
OVERLAP: Final = 0.9
"""Share of a GPU's window in which all others must be in theirs: else its neighbours had not begun, or had ended."""


@dataclass(frozen=True)
class _Sample:
    """What one GPU did in one trial."""

    round: int
    window_s: Window
    rate: float
    """Items per second."""
    gpu_energy: EnergyReading | None
    """Of this GPU; None if it has no value."""
    energy_window_s: Window

    @property
    def power_w(self) -> float | None:
        begin_s, end_s = self.energy_window_s
        return self.gpu_energy.energy_j / (end_s - begin_s) if self.gpu_energy and self.gpu_energy.energy_j else None

    @property
    def energy_per_item_j(self) -> float | None:
        return self.power_w / self.rate if self.power_w is not None else None


def with_gpus_compared(cases: Sequence[Case], gpus: Sequence[Gpu], traces: Sequence[Trace]) -> list[Case]:
    """Return the cases; those on all GPUs at once with the comparison of these."""
    return [
        case.model_copy(update={"across_gpus": _compared(case, alone, gpus, traces)})
        if (alone := _alone(case, cases))
        else case
        for case in cases
    ]


def _alone(case: Case, cases: Sequence[Case]) -> dict[str, Case]:
    """Return the cases on each GPU by itself, by device; empty unless `case` is on all of them at once."""
    if case.strategy is not None or (case.ranks or 0) < 2 or case.device == "cpu":
        return {}
    devices = case.charged_devices.split("+")
    same = (each for each in cases if all(getattr(each, name) == getattr(case, name) for name in _SHARED))
    alone = {each.device: each for each in same if each.ranks is None and each.device in devices}
    return {device: alone[device] for device in devices} if set(devices) <= set(alone) else {}


def _compared(case: Case, alone: Mapping[str, Case], gpus: Sequence[Gpu], traces: Sequence[Trace]) -> AcrossGpus:
    uuids = {gpu.device: gpu.uuid for gpu in gpus if gpu.device is not None}
    samples: dict[str, dict[Way, list[_Sample]]] = {
        device: {
            "alone": [_sample(trial, trial.items, trial.window_s, uuids.get(device)) for trial in _usable(of_device)],
            "together": [
                _sample(trial, rank.items, rank.window_s, uuids.get(device))
                for trial in _usable(case)
                for rank in trial.ranks
                if rank.device == device and rank.items and _overlap(trial, rank) >= OVERLAP
            ],
        }
        for device, of_device in alone.items()
    }
    rates = compare_gpus([_logs(device, ways, "rate") for device, ways in samples.items()])
    energies = compare_gpus([_logs(device, ways, "energy_per_item_j") for device, ways in samples.items()])
    every = (each for ways in samples.values() for way in ways.values() for each in way)
    kinds = [each.gpu_energy.kind for each in every if each.gpu_energy]
    return AcrossGpus(
        familywise_rate=FAMILYWISE,
        gpus=tuple(_one(rates, device, case, ways, traces, uuids) for device, ways in samples.items()),
        spread={
            way: GpuSpread(value=each.value, low=each.low, high=each.high, trial_deviation=each.trial_deviation)
            for way, each in rates.spreads.items()
        },
        together_over_alone=_ratio(rates.together_over_alone),
        energy_together_over_alone=_ratio(energies.together_over_alone).model_copy(update={"kind": weakest(kinds)}),
        host_energy_per_item_j=_host_energy(case),
    )


def _usable(case: Case) -> list[Trial]:
    return [trial for trial in case.trials if trial.is_usable]


def _overlap(trial: Trial, rank: RankWindow) -> float:
    """Return the share of a GPU's own window that lies in the window of all."""
    begin_s, end_s = rank.window_s
    return trial.window_length_s / (end_s - begin_s)


def _sample(trial: Trial, items: int, window_s: Window | None, uuid: str | None) -> _Sample:
    assert window_s is not None
    assert trial.window_s is not None
    of_gpu = (each for each in trial.energy if each.component == "gpu" and each.scope == uuid and each.energy_j)
    rate = items / (window_s[1] - window_s[0])
    return _Sample(trial.round, window_s, rate, next(of_gpu, None), trial.window_s)


def _logs(device: str, ways: Mapping[Way, Sequence[_Sample]], name: str) -> GpuLogs:
    """Return the logarithms of what `name` is, by round."""
    alone, together = (
        {each.round: math.log(value) for each in ways[way] if (value := getattr(each, name))}
        for way in ("alone", "together")
    )
    return GpuLogs(device, alone, together)


def _one(
    rates: GpuComparison,
    device: str,
    on_all: Case,
    ways: Mapping[Way, Sequence[_Sample]],
    traces: Sequence[Trace],
    uuids: Mapping[str, str],
) -> OneGpu:
    verdict = next(each for each in rates.verdicts if each.gpu == device)
    usable = [trial for trial in _usable(on_all) if any(rank.device == device for rank in trial.ranks)]
    lacking: dict[Way, str] = {"alone": NO_TRIAL, "together": NOT_AT_ONCE if usable else NO_TRIAL}

    def way(name: Way) -> GpuWay:
        samples = ways[name]
        states = gpu_states([each.window_s for each in samples], traces, uuids.get(device, ""))
        return GpuWay(
            throughput=_mean([each.rate for each in samples], f"{on_all.item}s/s", lacking[name]),
            deviation=verdict.deviations.get(name),
            power_w=_energy_mean(samples, "power_w", "W", lacking[name]),
            energy_per_item_j=_energy_mean(samples, "energy_per_item_j", "J", lacking[name]),
            throttled=throttle_reasons([state for of_window in states for state in of_window]),
        )

    return OneGpu(
        device=device,
        verdict=verdict.verdict,
        where=verdict.where,
        alone=way("alone"),
        together=way("together"),
        together_over_alone=_ratio(verdict.together_over_alone),
    )


def _mean(values: Sequence[float], unit: str, lacking: str = NO_TRIAL) -> Quantity:
    """Return the mean of `values`; without any the reason is `lacking`."""
    if not values:
        return Quantity(value=None, unit=unit, n=0, reason=lacking)
    mean = geometric_mean(values)
    reason = ONE_TRIAL if mean.n == 1 else None
    return Quantity(value=mean.value, low=mean.low, high=mean.high, unit=unit, n=mean.n, reason=reason)


def _energy_mean(samples: Sequence[_Sample], name: str, unit: str, lacking: str) -> Quantity:
    values = [value for each in samples if (value := getattr(each, name)) is not None]
    if not values:
        return unknown(unit, "no readable sensor of this GPU" if samples else lacking)
    kind = weakest(each.gpu_energy.kind for each in samples if each.gpu_energy)
    return _mean(values, unit).model_copy(update={"kind": kind})


def _ratio(ratio: Ratio | None) -> Quantity:
    if ratio is None:
        return Quantity(value=None, unit="", n=0, reason=NO_ROUND)
    reason = ONE_TRIAL if ratio.n == 1 else None
    return Quantity(value=ratio.value, low=ratio.low, high=ratio.high, unit="", n=ratio.n, reason=reason)


def _host_energy(case: Case) -> Quantity:
    """Return the joules of the host per item of all GPUs at once."""
    values, kinds = [], []
    for trial in _usable(case):
        host = [each for each in trial.energy if each.attributed and each.component != "gpu" and each.energy_j]
        if host:
            values.append(sum(each.energy_j or 0.0 for each in host) / trial.items)
            kinds += [each.kind for each in host]
    if not values:
        return unknown("J", "no readable sensor of the host")
    return _mean(values, "J").model_copy(update={"kind": weakest(kinds)})
