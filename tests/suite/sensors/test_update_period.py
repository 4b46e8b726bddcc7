"""Update periods of counters whose period is known, however slow a read is. The clock is simulated."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from joulemark.suite.energy.aliasing import PERIOD_ERROR
from joulemark.suite.sensors.update_period import LONGEST_S, load, load_or_measure, measure, save


class Machine:
    """A clock advanced by reads and, now and then, by other programs."""

    def __init__(self, seed: int) -> None:
        self.now_s, self.random = 0.0, random.Random(seed)

    def clock(self) -> float:
        self.now_s += 1e-7
        return self.now_s

    def counter(self, period_s: float, read_s: float) -> Callable[[], float]:
        """Return a counter that moves each `period_s`, with a random phase, and takes about `read_s` to read."""
        phase_s = self.random.uniform(0.0, period_s)

        def read() -> float:
            self._pass(read_s / 2)
            value = (self.now_s + phase_s) // period_s
            self._pass(read_s / 2 + 0.0006)
            return value

        return read

    def _pass(self, seconds: float) -> None:
        held_up_s = self.random.uniform(0.0, 0.03) if self.random.random() < 0.02 else 0.0
        self.now_s += seconds * self.random.uniform(0.9, 1.1) + held_up_s


@pytest.mark.parametrize(
    ("period_s", "read_s"), [(0.1, 0.0001), (0.1, 0.0024), (0.1, 0.012), (0.02, 0.0024), (0.1003, 0.0005)]
)
def test_period_is_known_to_within_the_stated_error(period_s: float, read_s: float) -> None:
    errors = []
    for seed in range(60):
        machine = Machine(seed)
        periods_s = measure({"counter": machine.counter(period_s, read_s)}, 0.8, pause_s=0.0, clock=machine.clock)
        errors.append(abs(periods_s["counter"] / period_s - 1))
    assert sum(error <= PERIOD_ERROR for error in errors) >= 57, sorted(errors)[-5:]


def test_many_slow_counters_are_watched_for_longer() -> None:
    """Eight GPUs read in turn: each is sampled once in 25 ms."""
    machine = Machine(1)
    counters = {str(gpu): machine.counter(0.1, 0.0024) for gpu in range(8)}
    periods_s = measure(counters, 0.8, pause_s=0.0, clock=machine.clock)
    assert 3.0 < machine.now_s < LONGEST_S + 0.1
    assert all(period_s == pytest.approx(0.1, rel=PERIOD_ERROR) for period_s in periods_s.values())


def test_value_that_changes_too_seldom_is_left_out_and_not_waited_for() -> None:
    machine = Machine(1)
    reads = {"constant": lambda: 100.0, "seldom": machine.counter(0.5, 0.001)}
    assert measure(reads, 0.8, pause_s=0.0, clock=machine.clock) == {}
    assert machine.now_s < 0.9


def test_uncertain_period_is_used_but_not_kept(tmp_path: Path) -> None:
    """A read that takes twice the period, and one that takes next to nothing."""
    machine, path = Machine(1), tmp_path / "ticks.json"
    reads = {"slow": machine.counter(0.1, 0.2), "fast": machine.counter(0.1, 0.0001)}
    periods_s = load_or_measure(path, {"slow": reads["slow"]}, clock=machine.clock, pause_s=0.0)
    assert (list(periods_s), machine.now_s > LONGEST_S) == (["slow"], True)
    assert not path.exists()
    periods_s = load_or_measure(path, {"fast": reads["fast"]}, clock=machine.clock, pause_s=0.0)
    assert load(path) == periods_s == {"fast": pytest.approx(0.1, rel=PERIOD_ERROR)}


def test_entry_of_an_earlier_version_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "ticks.json"
    path.write_text(json.dumps({"gpu": 0.093}))
    assert load(path) == {}
    save(path, {"gpu": 0.1})
    assert load(path) == {"gpu": 0.1}
