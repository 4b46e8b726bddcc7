"""What the ranks of a trial agree on outside of their window: when to begin, and how often to repeat a step.

Steps that communicate block until all ranks take them, so that all must take as many. Nothing here runs inside a
window.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from typing import Final

from joulemark.suite.trial import timing
from joulemark.suite.trial.request import Effort
from joulemark.suite.trial.timing import Clock, Window

FORK: Final = multiprocessing.get_context("fork")
"""Ranks are forks of the trial, which has imported the framework and started nothing."""
ENDS_WITHIN_S: Final = 1.0
"""How long a rank that fails looks for one that has died: the kernel tears down a killed process in far less."""


class Group:
    """All ranks of a trial. Made before they are started; each then has its own `rank`.

    Where some are on other nodes, those here know by themselves only how they fail: `connect` has barriers and numbers
    reach all.
    """

    def __init__(self, size: int, timeout_s: float | None = None, first: int = 0, local: int | None = None) -> None:
        """`size` ranks, `local` of them on this node, from number `first` on.

        `timeout_s`: how long a rank waits for the others; None: until the trial ends.
        """
        self.size, self.rank, self.first = size, first, first
        self.local = size if local is None else local
        self._meet: Callable[[], object] | None = None
        self._agree: Callable[[float], float] | None = None
        self._barrier = FORK.Barrier(self.local, timeout=timeout_s)
        self._number = FORK.Value("d", 0.0, lock=False)
        self._failed = FORK.Value("b", 0)
        self._reported = FORK.Event()
        self._pids = FORK.Array("i", self.local, lock=False)

    def enter(self, rank: int) -> None:
        """Be `rank`, in a process of its own."""
        self.rank = rank
        self._pids[self.local_rank] = os.getpid()

    @property
    def local_rank(self) -> int:
        """Number of this rank on its node."""
        return self.rank - self.first

    @property
    def spans(self) -> bool:
        """Whether some ranks are on other nodes."""
        return self.local < self.size

    def connect(self, meet: Callable[[], object], agree: Callable[[float], float]) -> None:
        """Wait for the others by `meet`, and have the number of rank 0 by `agree`, which reach other nodes too."""
        self._meet, self._agree = meet, agree

    def leave(self) -> None:
        """Have finished, or failed by itself: the process may end."""
        self._pids[self.local_rank] = 0

    def ended(self) -> int | None:
        """Return a rank on this node whose process ends before it has finished; None where none does soon.

        A process that is killed closes its connections first, so that the others may notice before it has ended.
        """
        latest = time.monotonic() + ENDS_WITHIN_S
        while True:
            dead = next((rank for rank, pid in enumerate(self._pids, self.first) if pid and not _runs(pid)), None)
            if dead is not None or time.monotonic() > latest:
                return dead
            time.sleep(0.02)

    def barrier(self) -> None:
        """Wait for all ranks. Raises BrokenBarrierError, or what `connect` was given, if one of them has failed."""
        if self._meet is not None:
            self._meet()
        else:
            self._barrier.wait()

    def agree(self, number: float) -> float:
        """Return the number of rank 0."""
        if self._agree is not None:
            return self._agree(number)
        if self.rank == 0:
            self._number.value = number
        self.barrier()
        agreed = float(self._number.value)
        self.barrier()  # or rank 0 might set the next one before all have read this
        return agreed

    def is_first_failure(self) -> bool:
        """Note that this rank has failed, and let no other wait for it. Return whether it is the first."""
        with self._failed.get_lock():
            first = not self._failed.value
            self._failed.value = 1
        self._barrier.abort()
        return first

    def has_reported(self) -> None:
        """Tell the ranks that `await_report` that the first failure is known."""
        self._reported.set()

    def await_report(self) -> None:
        """Wait until the first rank that failed has told why: the launcher ends all ranks as soon as one has ended."""
        self._reported.wait(2 * ENDS_WITHIN_S)


def _runs(pid: int) -> bool:
    """Return whether a process runs: one that has ended is a zombie until the launcher looks."""
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class PaceApart:
    """Warm-up and window of a rank that trains for itself: as `timing` has them, after a barrier."""

    warm_up = staticmethod(timing.warm_up)
    steps_per_block = staticmethod(timing.steps_per_block)

    def __init__(self, group: Group) -> None:
        self._group = group

    def measure(
        self,
        step: Callable[[], object],
        synchronize: Callable[[], None],
        count: int,
        effort: Effort,
        on_edge: Callable[[], None] = lambda: None,
        clock: Clock = timing.CLOCK,
    ) -> Window:
        """Time blocks of `count` steps until the window is full, from when all ranks are ready."""
        self._group.barrier()
        return timing.measure(step, synchronize, count, effort, on_edge, clock)


class PaceTogether:
    """Warm-up and window of a rank that communicates: as `timing` has them, with as many steps in every rank."""

    def __init__(self, group: Group) -> None:
        self._group = group

    def warm_up(
        self,
        step: Callable[[], object],
        synchronize: Callable[[], None],
        effort: Effort,
        clock: Clock = timing.CLOCK,
        after_first: Callable[[], object] = lambda: None,
    ) -> list[float]:
        """Run single steps until those of rank 0 are steady, as `timing.warm_up` does."""
        return timing.warm_up(step, synchronize, effort, lambda: self._group.agree(clock()), after_first)

    def steps_per_block(
        self, durations: list[float], synchronize: Callable[[], None], clock: Clock = timing.CLOCK
    ) -> int:
        """Return the steps in a block that rank 0 needs."""
        return int(self._group.agree(timing.steps_per_block(durations, synchronize, clock)))

    def measure(
        self,
        step: Callable[[], object],
        synchronize: Callable[[], None],
        count: int,
        effort: Effort,
        on_edge: Callable[[], None] = lambda: None,
        clock: Clock = timing.CLOCK,
    ) -> Window:
        """Time blocks of `count` steps after a barrier: as many as fill the window in rank 0, by its first blocks."""
        first = timing.run_blocks(step, synchronize, count, 0.0, clock, min_blocks=3)
        block_s = max(self._group.agree(statistics.median(first.block_s)), 1e-6)
        guard = math.ceil(effort.guard_s / block_s)
        blocks = max(effort.min_blocks, math.ceil(effort.window_s / block_s))
        self._group.barrier()
        with timing.garbage_collection_off():
            timing.run_blocks(step, synchronize, count, 0.0, clock, guard)
            on_edge()
            timing.run_blocks(step, synchronize, count, 0.0, clock)
            window = timing.run_blocks(step, synchronize, count, 0.0, clock, blocks)
            on_edge()
            timing.run_blocks(step, synchronize, count, 0.0, clock, guard)
        return window
