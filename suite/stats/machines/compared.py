"""Compare a run with a reference machine, case by case. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from joulemark.suite.records import RunFile
from joulemark.suite.stats.compare import compare
from joulemark.suite.stats.comparison import Comparison, ComparisonResult
from joulemark.suite.stats.intervals import CONFIDENCE
from joulemark.suite.stats.machines.pairs import pair_with_reference
from joulemark.suite.stats.thresholds import Thresholds

PER_ITEM: Final = ("throughput", "energy")
"""Metrics that two machines are compared by: memory and first calls are of the software and its cache."""


def compare_with_reference(
    reference: RunFile,
    run: RunFile,
    thresholds: Thresholds | Mapping[str, float] | None = None,
    metrics: Sequence[str] = PER_ITEM,
    allow_estimates: bool = False,
    confidence: float = CONFIDENCE,
) -> ComparisonResult:
    """Return the ratios of `run` over `reference`, with intervals that hold the drift of both machines.

    A case that one of them measured in a single trial has no interval: the trials of the other say nothing of it.
    """
    matches = pair_with_reference(reference, run)
    result = compare(
        reference,
        run,
        "machine",
        thresholds,
        metrics,
        allow_estimates=allow_estimates,
        confidence=confidence,
        matches=matches,
    )
    comparisons = tuple(map(_without_lone_trials, result.comparisons))
    return replace(result, comparisons=comparisons, only_a=())  # what else the reference has is no concern of the run


def _without_lone_trials(comparison: Comparison) -> Comparison:
    if comparison.ratio is None or min(comparison.n) > 1:
        return comparison
    side = "the reference" if comparison.n[0] == 1 else "this run"
    reason = f"n=1 in {side}, no interval"
    return replace(comparison, low=None, high=None, verdict="inconclusive", reason=reason, error=None)
