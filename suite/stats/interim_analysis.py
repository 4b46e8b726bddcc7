"""Looking at an A/B run while it goes on: which pairs need more rounds. Pure.

The intervals are repeated confidence intervals: whatever look a pair stops at, they hold together (C. Jennison and
B. W. Turnbull, "Interim analyses: the repeated confidence interval approach", Journal of the Royal Statistical Society
B 51, 1989). `suite.stats.sequential` has the levels, `suite.stats.compare` uses them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from joulemark.suite.records import RunFile
from joulemark.suite.stats.compare import Comparison, ComparisonResult

DECIDING: Final = ("throughput", "energy")
"""More rounds of a trial buy these; memory hardly varies, and a first call is cold once a run."""


def first_rounds(run_file: RunFile, rounds: int) -> RunFile:
    """The run as it was after its first `rounds` rounds."""
    cases = tuple(
        case.model_copy(update={"trials": tuple(trial for trial in case.trials if trial.round <= rounds)})
        for case in run_file.cases
    )
    return run_file.model_copy(update={"cases": cases})


def undecided(found: ComparisonResult) -> frozenset[str]:
    """Ids of the cases of pairs that are not decided in a metric that a verdict is asked of."""
    return case_ids(one for one in found.comparisons if one.metric.key in DECIDING and one.verdict == "inconclusive")


def case_ids(found: Iterable[Comparison]) -> frozenset[str]:
    """Ids of the cases on both sides."""
    return frozenset(case.id for one in found for case in (one.pair.a, one.pair.b))
