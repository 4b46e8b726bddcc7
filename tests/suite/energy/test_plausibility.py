"""What a sensor's hardware cannot have shown: left out, said, and never joules."""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable

import numpy as np
import pytest
from faulty_sensors import AFTER_S, FAULTS, KINDS, Kind, Load, counter_trace, faulty, shown, trace
from places import DOCS

from joulemark.suite.energy.plausibility import most_w, plausible
from joulemark.suite.energy.window_energy import compute_reading
from joulemark.suite.records import Channel, EnergyReading, Trace
from joulemark.suite.results.run_files import read

TRACES = 60
"""For each kind of sensor and fault."""
START_J = 150_000.0
POWER_W = 80.0


def _true_j(t_s: float) -> float:
    return START_J + POWER_W * t_s


def _reading(made: Trace, window_s: tuple[float, float] = (4.0, 10.5)) -> EnergyReading:
    return compute_reading(made, made.channels[0], window_s)


COUNTERS: dict[str, Callable[[float], float]] = {
    "falls back for a moment, again and again": lambda t: _true_j(t) - (20.0 if 1.7 < t % 2 < 1.85 else 0.0),
    "is near zero for a moment": lambda t: 200.0 if 6 <= t < 6.15 else _true_j(t),
    "is zero for a moment": lambda t: 0.0 if 6 <= t < 6.15 else _true_j(t),
    "jumps ahead for good": lambda t: _true_j(t) + (50_000.0 if t >= 6 else 0.0),
    "jumps back for good": lambda t: _true_j(t) - (50_000.0 if t >= 6 else 0.0),
    "shows all ones for a moment": lambda t: (2.0**64 - 1) / 1e6 if 6 <= t < 6.15 else _true_j(t),
    "shows all ones of 32 bits for a moment": lambda t: (2.0**32 - 1) * 61e-6 if 6 <= t < 6.15 else _true_j(t),
    "begins with nonsense": lambda t: 7.0 if t < 0.2 else _true_j(t),
    "ends with nonsense": lambda t: 7.0 if t > 11.8 else _true_j(t),
    "shows another counter now and then": lambda t: 90_000.0 + 20 * t if t % 1.5 < 0.1 else _true_j(t),
    "is negative for a moment": lambda t: -1.0 if 6 <= t < 6.15 else _true_j(t),
    "stands still for a second": lambda t: _true_j(6.0) if 6 <= t < 7 else _true_j(t),
    "jumps ahead for half a second": lambda t: _true_j(t) + (9000.0 if 6 <= t < 6.5 else 0.0),
    "jumps ahead by little for a moment": lambda t: _true_j(t) + (60.0 if 6 <= t < 6.1 else 0.0),
    "restarts": lambda t: _true_j(t) if t < 6 else POWER_W * (t - 6),
}


@pytest.mark.parametrize("fault", COUNTERS)
def test_counter_that_cannot_be_right_gives_the_true_energy(fault: str) -> None:
    reading = _reading(counter_trace(COUNTERS[fault], 12.0, tick_s=0.001))
    assert reading.energy_j == pytest.approx(520.0, rel=0.005)
    assert reading.low_j is not None
    assert reading.high_j is not None
    assert reading.low_j <= 520.0 <= reading.high_j
    in_window = fault not in ("begins with nonsense", "ends with nonsense", "stands still for a second")
    assert bool(reading.reason) == in_window, reading.reason


def test_what_was_left_out_is_counted_and_named() -> None:
    reading = _reading(counter_trace(COUNTERS["is zero for a moment"], 12.0, tick_s=0.001, highest_limit_w=125.0))
    assert reading.implausible in (1, 2)
    assert f"{reading.implausible} of {reading.samples} samples left out" in (reading.reason or "")
    assert "188 W (1.5 times its limit of 125 W)" in (reading.reason or "")


def test_gap_whose_sides_disagree_has_no_value() -> None:
    """A restart while power steps: nobody knows when it did."""
    reading = _reading(
        counter_trace(lambda t: START_J + 20 * t if t < 6 else 1000.0 * (t - 6), 12.0, read_s=1.0, tick_s=0.001)
    )
    assert reading.energy_j is None
    assert "differs" in (reading.reason or "")


def test_power_above_the_limit_has_no_value() -> None:
    """A board that is limited to 80 W shows 593 W at rest."""
    channel = Channel(component="gpu", scope="0", unit="W", kind="integrated", limit_w=80.0)
    times = [0.1 * i for i in range(100)]
    made = Trace(sensor="nvml", t_s=tuple(times), channels=(plausible(channel, times, [593.0] * 100),))
    reading = compute_reading(made, made.channels[0], (1.0, 9.0))
    assert (reading.energy_j, reading.implausible) == (None, reading.samples)
    assert "120 W (1.5 times its limit of 80 W)" in (reading.reason or "")


@pytest.mark.parametrize("row", [429496728.1, 65535.0, -3.0, 0.0, math.nan, math.inf])
def test_absurd_row_of_a_meter_is_left_out(row: float) -> None:
    made = trace(KINDS["meter"], [float(t) for t in range(20)], [row if t == 9 else 140.0 for t in range(20)])
    reading = compute_reading(made, made.channels[0], (4.0, 12.0))
    assert reading.energy_j == pytest.approx(8 * 140.0)
    assert reading.implausible == 1


def test_a_limit_that_was_raised_counts() -> None:
    channel = Channel(component="gpu", scope="0", unit="W", kind="integrated", limit_w=300.0, highest_limit_w=700.0)
    assert most_w(channel) == 1050.0
    assert plausible(channel, [0.0, 0.1], [600.0, 769.0]).implausible_s == ()


def test_nothing_of_a_real_gpu_is_left_out() -> None:
    """Its instant power reaches 769 W under a limit of 700 W."""
    with gzip.open(DOCS / "results" / "h200-nvml-10hz.csv.gz", "rt") as lines:
        t_s, energy_mj, *powers_mw = np.loadtxt(lines, delimiter=",", skiprows=1, unpack=True)
    for unit, values in (("J", energy_mj), *(("W", power_mw) for power_mw in powers_mw)):
        kind = "counter" if unit == "J" else "integrated"
        channel = Channel.model_validate(
            {"component": "gpu", "scope": "0", "unit": unit, "kind": kind, "limit_w": 700.0}
        )
        checked = plausible(channel, t_s.tolist(), (values / 1000).tolist())
        assert (checked.implausible_s, checked.resets_s) == ((), ())


@pytest.mark.parametrize("name", ["h200-quick-small-fp32", "h200-base-bf16", "quick-2-cores", "standard-2-cores"])
def test_nothing_of_a_real_run_is_left_out(name: str) -> None:
    for made in read(DOCS / "results" / f"{name}.json").traces:
        for channel in made.channels:
            checked = plausible(channel, made.t_s, channel.values)
            assert (checked.implausible_s, checked.resets_s) == ((), ())


def _outcome(kind: Kind, faults: list[tuple[str, int]], seed: int) -> tuple[float, EnergyReading, float]:
    """Return the true energy, the reading, and for how long the sensor showed nonsense.

    `faults` are kinds of faults, each with how many samples it corrupts.
    """
    rng = np.random.default_rng([seed, *kind.name.encode()])
    load = Load.drawn(rng, kind.powers_w)
    t_s, true_values = shown(kind, load, rng)
    values: list[object] = list(true_values)
    corrupted_s = 0.0
    for fault, count in faults:
        begin = int(rng.integers(2, len(values) - count - 2))
        faulty(kind, fault, values, true_values, slice(begin, begin + count), rng)
        corrupted_s += float(t_s[begin + count] - t_s[begin - 1])
    made = trace(kind, t_s.tolist(), values)
    reading = compute_reading(made, made.channels[0], kind.window_s)
    return float(load.joules(*kind.window_s)), reading, corrupted_s


def _is_covered(true_j: float, reading: EnergyReading) -> bool:
    return reading.low_j is not None and reading.high_j is not None and reading.low_j <= true_j <= reading.high_j


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_clean_traces_with_steep_steps_lose_nothing(kind: Kind) -> None:
    for seed in range(3 * TRACES):
        true_j, reading, _ = _outcome(kind, [], seed)
        assert reading.energy_j is not None, reading.reason
        assert reading.implausible == 0
        assert _is_covered(true_j, reading) or abs(reading.energy_j - true_j) < 0.02 * true_j


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_isolated_faults_are_survived(kind: Kind) -> None:
    outcomes = [_outcome(kind, [(fault, 1)], seed) for fault in FAULTS for seed in range(TRACES)]
    _check(kind, outcomes, most_null=0.05)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_faults_in_a_twentieth_of_all_samples_are_survived(kind: Kind) -> None:
    outcomes = []
    for seed in range(7 * TRACES):
        rng = np.random.default_rng([seed, 1])
        samples = int((kind.window_s[1] + AFTER_S) / kind.read_s * 0.05)
        faults = [(str(rng.choice(FAULTS)), int(rng.integers(1, 4))) for _ in range(samples)]
        total = np.cumsum([count for _, count in faults])
        outcomes.append(_outcome(kind, [f for f, n in zip(faults, total, strict=True) if n <= max(samples, 1)], seed))
    _check(kind, outcomes, most_null=1.0)


def _check(kind: Kind, outcomes: list[tuple[float, EnergyReading, float]], most_null: float) -> None:
    known = [(true_j, r, s) for true_j, r, s in outcomes if r.energy_j is not None]
    print(
        kind.name,
        f"{len(known)}/{len(outcomes)} known, covered",
        np.mean([_is_covered(t, r) for t, r, _ in known]),
        "worst error over bound",
        max(abs(r.energy_j - t) / (0.02 * t + kind.most_w * s) for t, r, s in known),
    )
    assert len(outcomes) - len(known) <= most_null * len(outcomes)
    assert np.mean([_is_covered(true_j, reading) for true_j, reading, _ in known]) >= 0.95
    for true_j, reading, corrupted_s in known:
        assert reading.energy_j is not None
        assert abs(reading.energy_j - true_j) <= 0.02 * true_j + kind.most_w * corrupted_s
