"""Gains from windows with a meter beside other sensors: recovered from machines whose gains are known."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from run_files import case, energy, run_file, trial

from joulemark.suite.records import Channel, EnergyReading, Kind, RunFile, Trace
from joulemark.suite.stats.meter_gain import Comparison, gain_calibrations, machine_w_per_w

GAIN = {"meter": (0.98, 1.02), "package": (0.95, 1.05), "dram": (0.8, 1.2), "cpu": (0.3, 5.0), "node": (0.9, 1.1)}


def reading(sensor: str, component: str, power_w: float, gain: tuple[float, float], kind: Kind) -> EnergyReading:
    """Return the energy of a window of 2 s."""
    scope = {"machine": sensor}.get(component, f"{component}-0")
    fields = {"sensor": sensor, "scope": scope, "gain": gain, "attributed": component != "machine"}
    limits = {"low_j": 2 * power_w * gain[0], "high_j": 2 * power_w * gain[1]}
    return energy(2 * power_w, component, kind).model_copy(update={**fields, **limits})


def machine(powers: Sequence[dict[str, float]]) -> RunFile:
    """Return a run of windows in which the sensors reported `powers`, watts: `meter` and others."""
    kinds: dict[str, tuple[str, str, Kind]] = {
        "meter": ("plug", "machine", "integrated"),
        "node": ("ipmi", "machine", "integrated"),
        "package": ("rapl", "package", "counter"),
        "dram": ("rapl", "dram", "counter"),
        "cpu": ("codecarbon", "cpu", "model"),
    }
    trials = [
        trial(
            i + 1, readings=[reading(*kinds[name][:2], watts, GAIN[name], kinds[name][2]) for name, watts in p.items()]
        )
        for i, p in enumerate(powers)
    ]
    traces = tuple(
        Trace(
            sensor=sensor,
            channels=(
                Channel(
                    component=component,
                    scope={"machine": sensor}.get(component, f"{component}-0"),
                    unit="W" if kind != "counter" else "J",
                    kind=kind,
                    gain=GAIN[name],
                    source=f"{name} call; gain",
                    identity="AABB" if name == "meter" else "",
                ),
            ),
        )
        for name, (sensor, component, kind) in kinds.items()
    )
    return run_file([case(trials=trials)], traces=traces)


def calibrated(powers: Sequence[dict[str, float]]):
    return gain_calibrations([machine(powers)], "plug", "0123456789ab", "2026-11-30T04:00:00+00:00")


def test_a_sensor_of_the_same_extent_gets_a_gain_of_its_own() -> None:
    """The controller shows 0.9 of what the meter does, scattered by 1 %: t(0.975, 9) = 2.262 times s sqrt(1 + 1/10)."""
    random = np.random.default_rng(3)
    ratios = 1 / (0.9 * (1 + 0.01 * random.standard_normal(10)))
    (record,), reasons = calibrated([{"meter": 200 * r, "node": 200.0} for r in ratios])
    half = 2.262157 * float(np.std(ratios, ddof=1)) * math.sqrt(1.1)
    assert record.gain == pytest.approx(((ratios.mean() - half) * 0.98, (ratios.mean() + half) * 1.02), rel=1e-5)
    assert (record.same_extent, record.meter_identity, record.windows) == (True, "AABB", 10)
    assert (record.meter, record.call, record.load_w) == ("plug (meter call)", "node call", (200.0, 200.0))
    assert reasons == []


def test_a_part_gets_an_upper_limit_and_the_rise_of_the_machine() -> None:
    """Of a machine of 60 W beside its processor, whose supply loses a tenth: 1 W of the package is 1.111 W."""
    loads = [20.0, 40.0, 60.0, 80.0, 100.0]
    powers = [{"meter": (60 + x + 0.1 * x) / 0.9, "package": x, "dram": 0.1 * x} for x in loads]
    records, _ = calibrated(powers)
    package, dram = (next(r for r in records if r.component == name) for name in ("package", "dram"))
    slope = 1.1 / 0.9 - 0.1  # without what dram reported
    assert package.machine_w_per_w == pytest.approx((slope * 0.98, slope * 1.02), rel=1e-6)
    assert package.gain == (0.95, pytest.approx(slope * 1.02))
    assert package.load_w == (20.0, 100.0)
    assert not package.same_extent
    assert dram.gain[0] == 0.8
    assert dram.gain[1] > 1.2  # the rest of the machine would hide more than its own error


def test_the_limit_of_a_part_covers_its_true_gain() -> None:
    """Random machines: gain, supply, fans that rise with the load, noise of the meter."""
    random = np.random.default_rng(7)
    covered = 0
    for _ in range(200):
        gain, supply, fans = random.uniform(0.9, 1.3), random.uniform(0.85, 0.96), random.uniform(0, 0.1)
        loads = random.uniform(20, 200, 8)
        true = gain * loads
        meter = (50 + true * (1 + fans)) / supply * (1 + 0.005 * random.standard_normal(8))
        (record,), _ = calibrated([{"meter": m, "package": x} for m, x in zip(meter, loads, strict=True)])
        covered += gain <= record.gain[1]
    assert covered >= 195


def test_a_sensor_that_reports_too_much_is_found_out() -> None:
    """It reports 1.5 W for each; the machine rises by less than one watt for it, whatever the supply loses."""
    loads = [20.0, 60.0, 100.0, 140.0]
    (record,), _ = calibrated([{"meter": (50 + x) / 0.95, "package": 1.5 * x} for x in loads])
    assert record.gain[1] == pytest.approx(1.02 / 0.95 / 1.5)
    assert record.gain[0] == record.gain[1] < GAIN["package"][0]


def test_a_model_is_bounded_by_the_window_that_allows_most() -> None:
    """Its error changes with the load: 10 W modelled of at most 112.2 W, 50 W of at most 153 W."""
    loads = [(10.0, 110.0), (50.0, 150.0), (30.0, 130.0), (40.0, 140.0)]
    (record,), _ = calibrated([{"meter": m, "cpu": x} for x, m in loads])
    assert record.gain == (0.3, pytest.approx(110 * 1.02 / 10))


def test_steady_load_shows_no_rise_and_few_windows_nothing() -> None:
    pairs = [Comparison("r", 100.0 + i, 200.0 + i, 204.0, 0.0, 0.0) for i in range(6)]
    assert machine_w_per_w(pairs, (0.98, 1.02)) is None
    records, reasons = calibrated([{"meter": 100.0, "package": 50.0}] * 3)
    assert records == []
    assert reasons == ["rapl package package-0: 3 windows with both, and it takes 4"]
