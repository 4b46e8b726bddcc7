"""Warm-up, blocks and the window. Knows no framework: a step and a synchronisation are functions."""

from __future__ import annotations

import contextlib
import gc
import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from joulemark.suite.trial.request import Effort

Clock = Callable[[], float]
CLOCK: Clock = time.monotonic
"""CLOCK_MONOTONIC: the clock that the sampler and all trials of a machine share."""
MIN_WARMUP_STEPS = 3
"""CUDA graphs need two warm-up calls, the third is the first fast one (pytorch issue 120309)."""
BLOCK_S = 0.02
"""Shortest block: 20 ms is 10^4 times the cost of reading the clock, and still gives 100 blocks in 2 s."""
BLOCK_OVERHEADS = 200
"""A block lasts at least as long as so many empty blocks (clock and synchronisation), which are then below 0.5 %."""
PERCENTILES = {"p50_s": 0.50, "p95_s": 0.95, "p99_s": 0.99}
STEADY_WITHIN = 0.05
"""Warm-up ends when the medians of the last two quarters of its steps differ by less than this."""


@dataclass(frozen=True)
class Window:
    """The timed stage of a trial. Times are CLOCK readings, seconds."""

    start: float
    end: float
    steps_per_block: int
    block_s: tuple[float, ...]

    @property
    def steps(self) -> int:
        """Steps between `start` and `end`."""
        return self.steps_per_block * len(self.block_s)


class Pace(Protocol):
    """How long a trial warms up and measures: this module, or the ranks of a trial together."""

    def warm_up(
        self,
        step: Callable[[], object],
        synchronize: Callable[[], None],
        effort: Effort,
        clock: Clock = CLOCK,
        after_first: Callable[[], object] = lambda: None,
    ) -> list[float]:
        """Run single steps until they are steady. Return their durations, seconds."""

    def steps_per_block(self, durations: list[float], synchronize: Callable[[], None], clock: Clock = CLOCK) -> int:
        """Return the steps in a block."""

    def measure(
        self,
        step: Callable[[], object],
        synchronize: Callable[[], None],
        count: int,
        effort: Effort,
        on_edge: Callable[[], None] = lambda: None,
        clock: Clock = CLOCK,
    ) -> Window:
        """Time blocks of `count` steps until the window is full."""


def warm_up(
    step: Callable[[], object],
    synchronize: Callable[[], None],
    effort: Effort,
    clock: Clock = CLOCK,
    after_first: Callable[[], object] = lambda: None,
) -> list[float]:
    """Run single steps until they are steady, or for `max_warmup_s`. Return their durations, seconds.

    `after_first` is called after each of the first MIN_WARMUP_STEPS, outside of what is timed.
    """
    durations: list[float] = []
    start = clock()
    while True:
        before = clock()
        step()
        synchronize()
        now = clock()
        durations.append(now - before)
        if len(durations) <= MIN_WARMUP_STEPS:
            after_first()
        if len(durations) < MIN_WARMUP_STEPS or now - start < effort.warmup_s:
            continue
        if now - start >= effort.max_warmup_s or _is_steady(durations):
            return durations


def _is_steady(durations: list[float]) -> bool:
    """Return whether the last two quarters agree; of a few steps, whether the last two do."""
    quarter = max(1, len(durations) // 4)
    third, last = statistics.median(durations[-2 * quarter : -quarter]), statistics.median(durations[-quarter:])
    return abs(last / third - 1) < STEADY_WITHIN


def steps_per_block(durations: list[float], synchronize: Callable[[], None], clock: Clock = CLOCK) -> int:
    """Return the steps in a block that make the cost of clock and synchronisation negligible.

    `durations`: of single steps, each with a synchronisation of its own, seconds.
    """
    overheads = []
    for _ in range(20):
        before = clock()
        synchronize()
        overheads.append(clock() - before)
    overhead_s = statistics.median(overheads)
    # Steps within a block are not followed by a synchronisation each, as these were.
    single_s = statistics.median(durations[-max(1, len(durations) // 2) :])
    step_s = max(single_s - overhead_s, single_s / 100, 1e-9)
    return max(1, round(max(BLOCK_S, BLOCK_OVERHEADS * overhead_s) / step_s))


def measure(
    step: Callable[[], object],
    synchronize: Callable[[], None],
    count: int,
    effort: Effort,
    on_edge: Callable[[], None] = lambda: None,
    clock: Clock = CLOCK,
) -> Window:
    """Time blocks of `count` steps until the window is full. `on_edge` is called just outside both its ends.

    The step keeps running before and after the window for `effort.guard_s`, which puts both ends in steady load.
    A block consists of its steps, one synchronisation and one reading of the clock.
    """
    with garbage_collection_off():
        run_blocks(step, synchronize, count, effort.guard_s, clock)
        on_edge()
        # One more block: the cost of `on_edge` has left the device's queue when the window opens.
        run_blocks(step, synchronize, count, 0.0, clock)
        window = run_blocks(step, synchronize, count, effort.window_s, clock, effort.min_blocks)
        on_edge()
        run_blocks(step, synchronize, count, effort.guard_s, clock)
    return window


def turn(
    step: Callable[[], object], synchronize: Callable[[], None], count: int, seconds: float, clock: Clock = CLOCK
) -> float:
    """Return the mean time of a step over blocks of `count` steps for `seconds`, after one block that does not count.

    That one finds the caches full of another process's data.
    """
    run_blocks(step, synchronize, count, 0.0, clock)
    blocks = run_blocks(step, synchronize, count, seconds, clock)
    return (blocks.end - blocks.start) / blocks.steps


def step_times(
    step: Callable[[], object], synchronize: Callable[[], None], seconds: float, clock: Clock = CLOCK
) -> list[float]:
    """Return durations of single steps, each with its own synchronisation, for `seconds`; at least one.

    Not part of the window: synchronising after each step costs what blocks are there to save.
    """
    with garbage_collection_off():
        return list(run_blocks(step, synchronize, 1, seconds, clock).block_s)


def percentiles(durations: list[float]) -> dict[str, float] | None:
    """Return p50, p95 and p99 of single steps, seconds, and their number; None if no steps were timed."""
    if not durations:
        return None
    ordered = sorted(durations)
    # Nearest rank (Hyndman and Fan 1996, definition 1): a percentile is a duration that was observed.
    ranks = {name: ordered[math.ceil(share * len(ordered)) - 1] for name, share in PERCENTILES.items()}
    return {**ranks, "steps": len(ordered)}


@contextlib.contextmanager
def garbage_collection_off() -> Iterator[None]:
    """Collect what is garbage now, and nothing more until the end."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def run_blocks(
    step: Callable[[], object],
    synchronize: Callable[[], None],
    count: int,
    seconds: float,
    clock: Clock,
    min_blocks: int = 1,
) -> Window:
    """Run blocks of `count` steps until `seconds` have passed, and at least `min_blocks` of them."""
    block_s: list[float] = []
    start = before = clock()
    while before - start < seconds or len(block_s) < min_blocks:
        for _ in range(count):
            step()
        synchronize()
        now = clock()
        block_s.append(now - before)
        before = now
    return Window(start, before, count, tuple(block_s))


def steadiness(block_s: tuple[float, ...]) -> str:
    """Return `steady`, `drifting` or `unknown`, by the Mann-Kendall test for a trend over the blocks of a window.

    Neighbouring blocks are correlated and are first averaged into at most 20 groups. A trend counts as drift if it is
    significant at 1 % and changes the duration by more than 5 % across the window (Mann 1945; Kendall 1975).
    """
    groups = min(20, len(block_s))
    if groups < 8:
        return "unknown"
    means = [
        statistics.fmean(block_s[i * len(block_s) // groups : (i + 1) * len(block_s) // groups]) for i in range(groups)
    ]
    score = sum((b > a) - (b < a) for i, a in enumerate(means) for b in means[i + 1 :])
    deviation = (groups * (groups - 1) * (2 * groups + 5) / 18) ** 0.5
    z = (abs(score) - 1) / deviation if score else 0.0
    half = groups // 2
    change = abs(statistics.median(means[-half:]) / statistics.median(means[:half]) - 1)
    return "drifting" if z > 2.576 and change > 0.05 else "steady"
