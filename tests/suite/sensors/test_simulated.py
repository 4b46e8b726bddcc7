"""The estimator's own error on boards whose true energy is known."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from joulemark.suite.energy.window_energy import UPDATES_NEEDED, compute_reading
from joulemark.suite.errors import UsageError
from joulemark.suite.records import EnergyReading, Trace
from joulemark.suite.sensors import simulated, simulated_loads, trace_file
from joulemark.suite.sensors.sampler import Sampler
from joulemark.suite.sensors.simulated import BOARDS, Board
from joulemark.suite.sensors.simulated_loads import PowerProfile

POLL_S = 0.1
LOADS = {
    "constant": simulated_loads.constant(),
    "ramp": simulated_loads.ramp(),
    "telegraph": simulated_loads.telegraph(0.005, 0.5, length_s=600.0),
}


def _trials(
    board: Board,
    load: PowerProfile,
    trials: int,
    seed: int,
    window_s: tuple[float, float] = (5.0, 8.0),
    step_s: float | None = None,
    tick_off: float = 0.0,
) -> list[tuple[EnergyReading, float]]:
    """`trials` readings with the truth for each: windows of random length at random places, the sensor's phase drawn
    anew each time. The tick is taken for longer than it is by the share `tick_off`."""
    rng = np.random.default_rng(seed)
    times = np.arange(0.0, window_s[1] + 5.0, POLL_S)
    channel = simulated.channels(board)[0].model_copy(update={"tick_s": board.tick_s * (1 + tick_off)})
    found = []
    for trial in range(trials):
        offset_s, phase_s = rng.uniform(0.0, 100.0), rng.uniform(0.0, board.tick_s)
        begin_s = rng.uniform(1.5, 2.5)
        window = begin_s, begin_s + rng.uniform(*window_s)
        power_w, counter_j = simulated.shown(board, load, times + offset_s, phase_s, trial)
        values = counter_j if channel.unit == "J" else power_w
        filled = channel.model_copy(update={"values": tuple(values.tolist())})
        energy = compute_reading(
            Trace(sensor="simulated", simulated=True, t_s=tuple(times.tolist()), channels=(filled,)),
            filled,
            window,
            load_period_s=step_s,
        )
        truth_j = load.mean_w((window[0] + offset_s, window[1] + offset_s)) * (window[1] - window[0])
        found.append((energy, truth_j))
    return found


def _squares(board: Board) -> dict[str, tuple[PowerProfile, float]]:
    periods = {f"square {ratio}": ratio * board.tick_s for ratio in (0.9, 0.95, 1.0, 1.05, 1.1)}
    return {name: (simulated_loads.square(period_s), period_s) for name, period_s in periods.items()}


@pytest.mark.parametrize("name", ["rapl", "full", "hopper-average"])
def test_full_coverage_is_within_two_percent_beyond_the_gain(name: str) -> None:
    board = BOARDS[name]
    for shape, load in (LOADS | {shape: load for shape, (load, _) in _squares(board).items()}).items():
        for energy, truth_j in _trials(board, load, trials=60, seed=1):
            assert energy.energy_j is not None
            assert abs(energy.energy_j / board.true_gain / truth_j - 1) < 0.02, shape
            assert energy.low_j is not None
            assert energy.high_j is not None
            assert energy.low_j <= truth_j <= energy.high_j, shape
            assert "near the sensor's period" not in (energy.reason or "")


@pytest.mark.parametrize("name", ["hopper-instant", "a100"])
def test_the_interval_of_a_part_time_sensor_covers(name: str) -> None:
    board = BOARDS[name]
    for shape, load in LOADS.items():
        found = _trials(board, load, trials=1000, seed=2)
        covered = sum(e.low_j <= truth_j <= e.high_j for e, truth_j in found)  # type: ignore[operator]
        assert covered >= 950, shape


@pytest.mark.parametrize("name", ["hopper-instant", "a100"])
def test_a_load_near_a_part_time_sensor_s_period_is_flagged_and_covered(name: str) -> None:
    board = BOARDS[name]
    for shape, (load, period_s) in _squares(board).items():
        found = _trials(board, load, trials=200, seed=3, step_s=period_s)
        assert all("near the sensor's period" in (energy.reason or "") for energy, _ in found), shape
        covered = sum(e.low_j <= truth_j <= e.high_j for e, truth_j in found)  # type: ignore[operator]
        assert covered >= 190, shape


PACED = {
    "30 % of two cycles": simulated_loads.square(0.2, 0.3, 400.0, 80.0),
    "10 % of two cycles": simulated_loads.square(0.2, 0.1, 400.0, 80.0),
    "50 % of three cycles": simulated_loads.square(0.3, 0.5, 400.0, 80.0),
    "30 % of two thirds": simulated_loads.square(0.2 / 3, 0.3, 400.0, 80.0),
    "30 % of one cycle": simulated_loads.square(0.1, 0.3, 400.0, 80.0),
    "10 % of a half": simulated_loads.square(0.05, 0.1, 400.0, 80.0),
    "30 % of a fifth": simulated_loads.square(0.02, 0.3, 400.0, 80.0),
}
"""Steps that keep pace with a sensor of 100 ms and are at work for a part of their time."""


@pytest.mark.parametrize(("name", "off"), [("hopper-instant", 0.0), ("a100", 0.004), ("a100", -0.004)])
def test_steps_that_keep_pace_with_a_part_time_sensor_are_flagged_and_covered(name: str, off: float) -> None:
    """The sensor's true tick may differ from the probed one by as much as probing may err."""
    board = replace(BOARDS[name], true_gain=1.0, gain=(1.0, 1.0))
    for shape, load in PACED.items():
        found = _trials(board, load, trials=100, seed=8, window_s=(5.0, 5.0), step_s=load.t_s[-1], tick_off=off)
        assert all(energy.in_step for energy, _ in found), shape
        covered = sum(e.low_j <= truth_j <= e.high_j for e, truth_j in found)  # type: ignore[operator]
        assert covered >= 95, shape


@pytest.mark.parametrize("step_s", [0.011, 0.0123, 0.037, 0.137])
def test_steps_that_sweep_through_a_part_time_sensor_s_period_are_not_flagged(step_s: float) -> None:
    board = replace(BOARDS["a100"], true_gain=1.0, gain=(1.0, 1.0))
    found = _trials(board, simulated_loads.square(step_s), trials=50, seed=9, window_s=(5.0, 5.0), step_s=step_s)
    for energy, truth_j in found:
        assert not energy.in_step
        assert energy.low_j is not None
        assert energy.high_j is not None
        assert 0.85 * truth_j < energy.low_j <= truth_j <= energy.high_j < 1.15 * truth_j


def test_the_interval_is_no_wider_than_it_must_be() -> None:
    """Beyond the gain term: under constant power half an update at each border, a fifth of the value at worst."""
    board = BOARDS["a100"]
    for energy, truth_j in _trials(board, LOADS["constant"], trials=20, seed=4):
        assert energy.high_j is not None
        assert energy.high_j / truth_j < board.gain[1] * board.true_gain * 1.025


def test_a_wrong_gain_is_caught() -> None:
    """The coverage above can fail: a board that is off by more than it says is outside its interval."""
    board = Board("liar", tick_s=0.1, seen_s=0.1, counter=True, power=False, true_gain=0.7, gain=(0.95, 1.05))
    found = _trials(board, LOADS["constant"], trials=20, seed=5)
    assert not any(e.low_j <= truth_j <= e.high_j for e, truth_j in found)  # type: ignore[operator]


@pytest.mark.parametrize("name", [name for name, board in BOARDS.items() if board.tick_s >= 0.1])
def test_below_resolution_is_flagged_every_time(name: str) -> None:
    board = BOARDS[name]
    short = (0.2, board.tick_s * UPDATES_NEEDED * 0.999)
    for load in LOADS.values():
        for energy, _ in _trials(board, load, trials=50, seed=6, window_s=short):
            assert "below resolution" in (energy.reason or "")


def test_noise_averages_out_and_resets_are_undone() -> None:
    board = Board("noisy", 0.1, 0.1, counter=True, power=True, noise_w=30.0, resets_s=(4.0,))
    times = np.arange(0.0, 12.0, POLL_S)
    power_w, counter_j = simulated.shown(board, simulated_loads.constant(), times, 0.03, 7)
    values, resets = trace_file.accumulated(list(times), list(counter_j), None)
    assert len(resets) == 1
    assert values[-1] == pytest.approx(simulated_loads.HIGH_W * 11.9, rel=0.02)
    assert np.mean(power_w) == pytest.approx(simulated_loads.HIGH_W, rel=0.05)
    assert np.std(power_w) == pytest.approx(30.0, rel=0.3)


@pytest.mark.parametrize("request_", ["simulated:a100/telegraph", "simulated:rapl", "simulated:hopper-average/ramp"])
def test_a_simulated_board_runs_in_the_sampler_and_says_so(tmp_path: Path, request_: str) -> None:
    origin_s = time.monotonic()
    with Sampler.start(tmp_path / "t", origin_s, sensors=[request_]) as sampler:
        ready_s = time.monotonic() - origin_s
        time.sleep(1.5)
    assert sampler.sensors == ("simulated",)
    (trace,) = trace_file.load(tmp_path / "t")
    assert trace.simulated
    energy = compute_reading(trace, trace.channels[0], (ready_s + 0.3, ready_s + 1.2))
    assert energy.energy_j is not None
    assert 0.8 * simulated_loads.LOW_W * 0.9 < energy.energy_j < 1.2 * simulated_loads.HIGH_W * 0.9


def test_unknown_boards_and_loads_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a100"):
        Sampler.start(tmp_path / "t", 0.0, sensors=["simulated:a10"])
    with pytest.raises(UsageError, match="telegraph"):
        Sampler.start(tmp_path / "t", 0.0, sensors=["simulated:a100/telegramm"])
