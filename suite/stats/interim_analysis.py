"""Interim analyses of an A/B run: which pairs need more rounds. Pure.

The intervals are repeated confidence intervals: they hold together, whichever analysis a pair stops at (C. Jennison and
B. W. Turnbull, "Interim analyses: the repeated confidence interval approach", Journal of the Royal Statistical Society
B 51, 1989). `suite.stats.sequential` computes their levels, `suite.stats.compare` uses them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from joulemark.suite.records import RunFile
from joulemark.suite.stats.comparison import Comparison, ComparisonResult

DECISIVE_METRICS: Final = ("throughput", "energy")
"""Metrics that more rounds make more precise; memory hardly varies, and only one first call in a run is cold."""


def first_rounds(run_file: RunFile, rounds: int) -> RunFile:
    """Return the run as it was after its first `rounds` rounds."""
    cases = tuple(
        case.model_copy(update={"trials": tuple(trial for trial in case.trials if trial.round <= rounds)})
        for case in run_file.cases
    )
    return run_file.model_copy(update={"cases": cases})


def undecided(result: ComparisonResult) -> frozenset[str]:
    """Return the ids of the cases of pairs that are inconclusive in a decisive metric."""
    return case_ids(
        comparison
        for comparison in result.comparisons
        if comparison.metric.key in DECISIVE_METRICS and comparison.verdict == "inconclusive"
    )


def case_ids(comparisons: Iterable[Comparison]) -> frozenset[str]:
    """Return the ids of the cases in both arms."""
    return frozenset(case.id for comparison in comparisons for case in (comparison.pair.a, comparison.pair.b))
