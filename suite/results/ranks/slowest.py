"""Find the rank that makes all others wait, by the time that each needs for its own work. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Final

from joulemark.suite.notices import Code
from joulemark.suite.records import Case, Notice
from joulemark.suite.stats.intervals import geometric_mean

SLOWER: Final = 1.10
"""A rank is named if its own time is over that of the others by more than this factor, in every trial: on two busy
virtual cores, healthy ranks differ by less in at least one of three."""


@dataclass(frozen=True)
class SlowestRank:
    """The rank that makes the others wait."""

    rank: int
    factor: float
    """Its own time over the median of the others', geometric mean over trials."""

    @property
    def notice(self) -> Notice:
        """What it does to the case."""
        return Notice.of(Code.RANK_SLOWER, f"rank {self.rank} takes {self.factor:.2f} times as long", SLOWER)


def slowest_rank(case: Case) -> SlowestRank | None:
    """Return the rank whose own time is beyond that of all others in every trial of the case; None if there is none.

    None too for ranks that do not communicate: nobody waits.
    """
    if case.strategy is None:
        return None
    factors: dict[int, list[float]] = {}
    trials = [trial for trial in case.trials if trial.is_usable and len(trial.ranks) > 1]
    for trial in trials:
        own = {rank.rank: rank.own_s for rank in trial.ranks if rank.own_s is not None}
        for rank, own_s in own.items():
            others = [other_s for other, other_s in own.items() if other != rank]
            if others:
                factors.setdefault(rank, []).append(own_s / median(others))
    slow = {rank: each for rank, each in factors.items() if len(each) == len(trials) and min(each) > SLOWER}
    if not slow:
        return None
    rank = max(slow, key=lambda each: min(slow[each]))
    return SlowestRank(rank, geometric_mean(slow[rank]).value)
