"""Simulated boards: sensors whose true energy is known, so that the whole chain can be tried and its errors measured.

`--sensor simulated:a100/square` is board `a100` under load `square`. What it shows is always labelled simulated.
The boards follow Yang, Adamek, Armour, "Accurate and Convenient Energy Measurements for GPUs", SC24 (arXiv 2312.02741).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from joulemark.suite.errors import unknown
from joulemark.suite.records import BoardState, Channel
from joulemark.suite.sensors.base import Finding, Opened, Options
from joulemark.suite.sensors.simulated_loads import Array, PowerProfile, constant, ramp, square, telegraph


@dataclass(frozen=True)
class Board:
    """A sensor's behaviour."""

    name: str
    tick_s: float
    """Time between two updates, seconds."""
    seen_s: float
    """The length of the boxcar behind each update, seconds: shorter than the tick where the sensor looks away."""
    counter: bool
    power: bool
    true_gain: float = 1.0
    """Reported over true energy."""
    gain: tuple[float, float] = (1.0, 1.0)
    """True over reported energy, as far as its maker says: what readings are made with."""
    limit_w: float | None = None
    """Its power limit, watts; None where it does not say."""
    noise_w: float = 0.0
    """Standard deviation of one power value, watts."""
    resets_s: tuple[float, ...] = ()
    """When the counter starts anew, seconds since the board's start."""


BOARDS: Mapping[str, Board] = MappingProxyType(
    {
        board.name: board
        for board in (
            Board("rapl", tick_s=0.001, seen_s=0.001, counter=True, power=False, gain=(0.95, 1.05)),
            Board("full", tick_s=0.1, seen_s=0.1, counter=True, power=True, true_gain=0.957, gain=(0.95, 1.06)),
            Board("hopper-average", tick_s=0.1, seen_s=1.0, counter=False, power=True, gain=(0.95, 1.06)),
            Board("hopper-instant", 0.1, seen_s=0.025, counter=False, power=True, gain=(0.95, 1.06), limit_w=700.0),
            Board("a100", 0.1, 0.025, counter=True, power=True, true_gain=0.945, gain=(0.95, 1.06), limit_w=400.0),
        )
    }
)


LOADS: Mapping[str, Callable[[Board], PowerProfile]] = MappingProxyType(
    {
        "constant": lambda _: constant(),
        "ramp": lambda _: ramp(),
        "square": lambda board: square(board.tick_s),
        "telegraph": lambda _: telegraph(),
    }
)
"""Loads by name; the square keeps step with the board, which is the worst that can happen to it."""


def shown(board: Board, load: PowerProfile, t_s: Array, phase_s: float = 0.0, seed: int = 0) -> tuple[Array, Array]:
    """What the board shows at times `t_s`: power (W) and counter (J), each of the shape of `t_s`.

    Updates are at `phase_s` + k tick. Each power value is the mean over the boxcar that ends with its update; the
    counter adds each value times the tick, so that of a sensor that looks away it is no better than its samples.
    """
    import numpy as np

    k = np.floor((np.asarray(t_s) - phase_s) / board.tick_s).astype(np.int64)
    first = int(k.min())
    updates_s = phase_s + board.tick_s * np.arange(first, int(k.max()) + 1)
    power = (load.energy_j(updates_s) - load.energy_j(updates_s - board.seen_s)) / board.seen_s * board.true_gain
    if board.noise_w:
        power = power + np.random.default_rng([seed, first & 0x7FFFFFFF]).normal(0.0, board.noise_w, power.shape)
    counter = load.energy_j(updates_s) * board.true_gain
    if board.seen_s < board.tick_s:
        counter = np.cumsum(power) * board.tick_s
    for reset_s in board.resets_s:
        after = updates_s >= reset_s
        counter = np.where(after, counter - np.interp(reset_s, updates_s, counter), counter)
    return power[k - first], counter[k - first]


def channels(board: Board, load: str = "") -> tuple[Channel, ...]:
    """What the board reads. It stands for the processor's package, so that a case on the CPU is charged with it."""
    common: dict[str, Any] = {
        "component": "package",
        "scope": f"simulated {board.name}",
        "tick_s": board.tick_s,
        "coverage": min(1.0, board.seen_s / board.tick_s),
        "limit_w": board.limit_w,
        "gain": board.gain,
        "source": f"simulated board {board.name} under load {load}",
    }
    found = []
    if board.counter:
        found.append(Channel(unit="J", kind="counter", **common))
    if board.power:
        found.append(Channel(unit="W", kind="integrated", average_s=board.seen_s, **common))
    return tuple(found)


class Simulated:
    """A board under a load that begins when it is opened."""

    name = "simulated"
    simulated = True
    period_s = 0.1
    stamp_s: float | None = None

    def __init__(self, board: Board, load: PowerProfile) -> None:
        self._board = board
        self._load = load
        self._begin_s = time.monotonic()
        self._last_s = 0.0
        self._counter_j = 0.0
        self.channels = channels(board, load.name)
        self.wrap_j: tuple[float | None, ...] = (None,) * len(self.channels)

    def read(self) -> list[float | None]:
        now_s = time.monotonic() - self._begin_s
        # Two times, so that a counter which is a sum over updates goes on from the last read.
        (_, power), (before, after) = shown(self._board, self._load, [self._last_s, now_s])
        self._counter_j += max(0.0, float(after - before))
        self._last_s = now_s
        values = {"J": self._counter_j, "W": float(power)}
        return [values[channel.unit] for channel in self.channels]

    def states(self) -> tuple[BoardState, ...]:
        return ()

    def close(self) -> None:
        """Holds nothing."""


def parse(argument: str) -> tuple[Board, str]:
    """`a100/square` -> its board and the name of its load, `constant` unless named. UsageError for an unknown one."""
    name, _, load = argument.partition("/")
    if name not in BOARDS:
        raise unknown("simulated board", name, BOARDS)
    if (load or "constant") not in LOADS:
        raise unknown("simulated load", load, LOADS)
    return BOARDS[name], load or "constant"


def check(argument: str) -> None:
    """UsageError where `argument` names no board or load."""
    parse(argument)


def find(options: Options) -> Opened:
    """Start the board."""
    board, load = parse(options.argument)
    sensor = Simulated(board, LOADS[load](board))
    reason = f"simulated board {board.name} under load {load}"
    return Opened(sensor, (Finding("simulated", found=True, readable=True, reason=reason, tick_s=board.tick_s),))
