"""How often a value changes: probed on counters whose tick is known, however slow a read is."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from joulemark.suite.energy.aliasing import PERIOD_ERROR
from joulemark.suite.sensors.update_period import LONGEST_S, keep, known, probe, probed


class Machine:
    """A clock that goes on by what reads take, and, now and then, by what other programs take."""

    def __init__(self, seed: int) -> None:
        self.now_s, self.random = 0.0, random.Random(seed)

    def clock(self) -> float:
        self.now_s += 1e-7
        return self.now_s

    def counter(self, tick_s: float, read_s: float) -> Callable[[], float]:
        """A counter that moves each `tick_s`, from a phase of its own, and takes about `read_s` to be read."""
        phase_s = self.random.uniform(0.0, tick_s)

        def read() -> float:
            self._pass(read_s / 2)
            value = (self.now_s + phase_s) // tick_s
            self._pass(read_s / 2 + 0.0006)
            return value

        return read

    def _pass(self, seconds: float) -> None:
        held_up_s = self.random.uniform(0.0, 0.03) if self.random.random() < 0.02 else 0.0
        self.now_s += seconds * self.random.uniform(0.9, 1.1) + held_up_s


@pytest.mark.parametrize(
    ("tick_s", "read_s"), [(0.1, 0.0001), (0.1, 0.0024), (0.1, 0.012), (0.02, 0.0024), (0.1003, 0.0005)]
)
def test_a_tick_is_known_to_within_what_is_said(tick_s: float, read_s: float) -> None:
    errors = []
    for seed in range(60):
        machine = Machine(seed)
        found = probe({"counter": machine.counter(tick_s, read_s)}, 0.8, pause_s=0.0, clock=machine.clock)
        errors.append(abs(found["counter"] / tick_s - 1))
    assert sum(error <= PERIOD_ERROR for error in errors) >= 57, sorted(errors)[-5:]


def test_many_slow_counters_are_probed_for_longer() -> None:
    """Eight boards, read in turn: each is looked at once in 25 ms."""
    machine = Machine(1)
    counters = {str(board): machine.counter(0.1, 0.0024) for board in range(8)}
    found = probe(counters, 0.8, pause_s=0.0, clock=machine.clock)
    assert 3.0 < machine.now_s < LONGEST_S + 0.1
    assert all(tick_s == pytest.approx(0.1, rel=PERIOD_ERROR) for tick_s in found.values())


def test_what_moves_too_seldom_to_tell_is_left_out_and_not_waited_for() -> None:
    machine = Machine(1)
    reads = {"constant": lambda: 100.0, "seldom": machine.counter(0.5, 0.001)}
    assert probe(reads, 0.8, pause_s=0.0, clock=machine.clock) == {}
    assert machine.now_s < 0.9


def test_a_tick_that_is_still_in_doubt_serves_this_run_and_is_not_kept(tmp_path: Path) -> None:
    """A read that takes twice the tick, and one that takes next to nothing."""
    machine, path = Machine(1), tmp_path / "ticks.json"
    reads = {"slow": machine.counter(0.1, 0.2), "fast": machine.counter(0.1, 0.0001)}
    found = probed(path, {"slow": reads["slow"]}, clock=machine.clock, pause_s=0.0)
    assert (list(found), machine.now_s > LONGEST_S) == (["slow"], True)
    assert not path.exists()
    found = probed(path, {"fast": reads["fast"]}, clock=machine.clock, pause_s=0.0)
    assert known(path, list(reads)) == found == {"fast": pytest.approx(0.1, rel=PERIOD_ERROR)}


def test_what_an_earlier_version_kept_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "ticks.json"
    path.write_text(json.dumps({"board": 0.093}))
    assert known(path, ["board"]) == {}
    keep(path, {"board": 0.1})
    assert known(path, ["board"]) == {"board": 0.1}
