"""Comparisons of run files made by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

from run_files import case, run_file, trial

from joulemark.suite.records import Case, EnergyReading, RunFile, Work
from joulemark.suite.stats.compare import compare
from joulemark.suite.stats.comparison import Comparison, ComparisonResult
from joulemark.suite.stats.variance import Variance

NO_DRIFT = Variance(0.0, math.inf)


def case_with_rates(*rates: float, readings: Sequence[EnergyReading] | None = None, **fields: object) -> Case:
    """Return a case with one trial for each of `rates`, items per second."""
    trials = [trial(i, rate, start_s=10.0 * i, readings=readings) for i, rate in enumerate(rates, 1)]
    return case(trials=trials, **fields)


def run_of(*cases: Case, id: str = "A", **fields: object) -> RunFile:
    return run_file(list(cases), id=id, **fields)


def only(result: ComparisonResult, metric: str = "throughput") -> Comparison:
    """Return the one comparison of `metric`."""
    (comparison,) = [comparison for comparison in result.comparisons if comparison.metric.key == metric]
    return comparison


def compare_cases(a: Case, b: Case, metric: str = "throughput", **options: object) -> Comparison:
    """Compare two cases of two runs in one metric."""
    return only(compare(run_of(a), run_of(b, id="B"), metrics=[metric], **options), metric)


def case_with_work(*works: Work, rates: Sequence[float] = (), **fields: object) -> Case:
    """Return a case with a trial for each of `works`, at `rates` items per second."""
    trials = [
        trial(i, rate, start_s=10.0 * i).model_copy(update={"work": work})
        for i, (work, rate) in enumerate(zip(works, rates or [100.0 + i for i in range(len(works))], strict=True), 1)
    ]
    return case(trials=trials, **fields)
