"""Warm-up, blocks and the window. No framework in here: a step and a synchronisation are functions."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from joulemark.suite.trial.effort import Effort

Clock = Callable[[], float]

CLOCK: Clock = time.monotonic
"""CLOCK_MONOTONIC: the clock that the sampler and all trials of a machine share."""

WARMUP_FLOOR = 3
"""Steps: CUDA graphs need two warm-ups, the third call is the first fast one (pytorch issue 120309)."""

BLOCK_S = 0.02
"""Least duration of a block: 20 ms is 10^4 times the cost of reading the clock, and still gives 100 blocks in 2 s."""

BLOCK_OVERHEADS = 200
"""A block lasts at least so many empty blocks (clock and synchronisation): they are then below 0.5 %."""

STEADY_WITHIN = 0.05
"""Warm-up has ended when the medians of the last two quarters of its steps differ by less than this."""


@dataclass(frozen=True)
class Window:
    """What the timed part of a trial gave. Times are CLOCK readings, seconds."""

    start: float
    end: float
    steps_per_block: int
    block_s: tuple[float, ...]

    @property
    def steps(self) -> int:
        """Steps between `start` and `end`."""
        return self.steps_per_block * len(self.block_s)


def warm_up(
    step: Callable[[], object], synchronize: Callable[[], None], effort: Effort, clock: Clock = CLOCK
) -> list[float]:
    """Run single steps until they are steady; their durations in seconds. Ends after `warmup_most_s` in any case."""
    durations: list[float] = []
    start = clock()
    while True:
        before = clock()
        step()
        synchronize()
        now = clock()
        durations.append(now - before)
        if len(durations) < WARMUP_FLOOR or now - start < effort.warmup_s:
            continue
        if now - start >= effort.warmup_most_s or _settled(durations):
            return durations


def _settled(durations: list[float]) -> bool:
    """Whether the last two quarters agree; of few steps, whether the last two steps do."""
    quarter = max(1, len(durations) // 4)
    third, last = statistics.median(durations[-2 * quarter : -quarter]), statistics.median(durations[-quarter:])
    return abs(last / third - 1) < STEADY_WITHIN


def steps_per_block(durations: list[float], synchronize: Callable[[], None], clock: Clock = CLOCK) -> int:
    """Steps in a block, so that clock and synchronisation are lost in the noise."""
    overheads = []
    for _ in range(20):
        before = clock()
        synchronize()
        overheads.append(clock() - before)
    overhead_s = statistics.median(overheads)
    # Each of the steps was followed by a synchronisation of its own, which a step within a block is not.
    single_s = statistics.median(durations[-max(1, len(durations) // 2) :])
    step_s = max(single_s - overhead_s, single_s / 100, 1e-9)
    return max(1, round(max(BLOCK_S, BLOCK_OVERHEADS * overhead_s) / step_s))


def measure(
    step: Callable[[], object],
    synchronize: Callable[[], None],
    count: int,
    effort: Effort,
    at_border: Callable[[], None] = lambda: None,
    clock: Clock = CLOCK,
) -> Window:
    """Time blocks of `count` steps until the window is full; `at_border` is called just outside both its ends.

    The step runs on before and after the window for `effort.border_s`, so that both borders lie in steady load.
    Nothing but the step, one synchronisation and one reading of the clock happens in a block.
    """
    gc.collect()
    gc.disable()
    try:
        _run_for(step, synchronize, count, effort.border_s, clock)
        at_border()
        # One more block, so that the cost of `at_border` has left the device's queue when the window opens.
        _run_for(step, synchronize, count, 0.0, clock)
        block_s: list[float] = []
        start = before = clock()
        end_at = start + effort.window_s
        while before < end_at or len(block_s) < effort.blocks_least:
            for _ in range(count):
                step()
            synchronize()
            now = clock()
            block_s.append(now - before)
            before = now
        at_border()
        _run_for(step, synchronize, count, effort.border_s, clock)
    finally:
        gc.enable()
    return Window(start, before, count, tuple(block_s))


def step_times(
    step: Callable[[], object], synchronize: Callable[[], None], seconds: float, clock: Clock = CLOCK
) -> list[float]:
    """Durations of single steps, each with a synchronisation of its own, for `seconds`; at least one.

    A pass apart from the window: synchronising after each step costs what blocks are there to save.
    """
    durations: list[float] = []
    gc.collect()
    gc.disable()
    try:
        start = before = clock()
        while before - start < seconds or not durations:
            step()
            synchronize()
            now = clock()
            durations.append(now - before)
            before = now
    finally:
        gc.enable()
    return durations


def _run_for(
    step: Callable[[], object], synchronize: Callable[[], None], count: int, seconds: float, clock: Clock
) -> None:
    """At least one block, then blocks until `seconds` have passed."""
    end_at = clock() + seconds
    while True:
        for _ in range(count):
            step()
        synchronize()
        if clock() >= end_at:
            return


def verdict(block_s: tuple[float, ...]) -> str:
    """`steady`, `drifting` or `unknown`, by Mann-Kendall's test for a trend over the window's blocks.

    Blocks are first averaged into at most 20 groups, since neighbours are correlated; a trend counts as drift when it
    is significant at 1 % and moves the duration by more than 5 % across the window (Mann 1945; Kendall 1975).
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
