"""Ratios as `suite.stats.compare` judges them, and their geometric mean."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from joulemark.suite.results.table import matching_digits
from joulemark.suite.stats.comparison import Comparison, verdict
from joulemark.suite.stats.intervals import standard_deviation
from joulemark.suite.stats.metrics import METRICS, Metric
from joulemark.suite.stats.paired_samples import error_range
from joulemark.suite.stats.variance import Effect, Variance

RatioVerdict = Literal["more", "less", "same", "inconclusive", "no interval", "not comparable"]

DIGITS: Final = 4
"""Significant digits of a ratio at most: nobody acts on a difference of a ten-thousandth."""
_INVERSE: Final[Mapping[RatioVerdict, RatioVerdict]] = {"more": "less", "less": "more"}


@dataclass(frozen=True)
class Ratio:
    """One value over another."""

    value: float | None
    """None where the two may not be compared, with the reason."""
    low: float | None = None
    """Ends of the adjusted 95 % interval; None where there is none."""
    high: float | None = None
    verdict: RatioVerdict = "not comparable"
    """`more` or `less` if the interval lies on one side of 1, `same` if it lies within `threshold` of 1, else
    `inconclusive`."""
    reason: str = ""
    estimated: bool = False
    """Whether it contains modelled energy."""
    threshold: float = 0.0
    variance: Variance | None = field(default=None, repr=False)
    """Of its logarithm, from its own trials, as in `suite.stats.compare.Comparison`; None for too few trials."""
    error_range: tuple[float, float] = (1.0, 1.0)
    """Factors on the ends by which two sensors may differ; (1, 1) for one sensor."""
    log_by_round: Mapping[int, float] = field(default_factory=dict, repr=False)
    """Its logarithm by round, within one run."""

    @property
    def inverse(self) -> Ratio:
        """The second value over the first."""
        if self.value is None:
            return self
        return replace(
            self,
            value=1 / self.value,
            low=None if self.high is None else 1 / self.high,
            high=None if self.low is None else 1 / self.low,
            verdict=_INVERSE.get(self.verdict, self.verdict),
            error_range=(1 / self.error_range[1], 1 / self.error_range[0]),
            log_by_round={number: -log for number, log in self.log_by_round.items()},
        )


def ratio_text(ratio: Ratio) -> str:
    """Return `1.02 [0.95, 1.10]`; the value alone if it has no interval, the reason if it has no value."""
    if ratio.value is None:
        return ratio.reason
    text, low, high = matching_digits(ratio.value, ratio.low, ratio.high, DIGITS)
    return text + (f" [{low}, {high}]" if low else "")


def ratio_of(comparison: Comparison) -> Ratio:
    """Return the ratio that `comparison` judges, B over A."""
    if comparison.ratio is None:
        # The names of the two stand beside the reason, and A and B are names of runs on the page.
        reason = (comparison.reason or "").removesuffix(" in A").removesuffix(" in B")
        return Ratio(None, reason=reason)
    ratio = Ratio(comparison.ratio, reason=comparison.reason or "", estimated=comparison.estimated)
    if comparison.low is None or comparison.high is None:
        return replace(ratio, verdict="no interval")
    return replace(
        ratio,
        low=comparison.low,
        high=comparison.high,
        verdict=_verdict(comparison.low, comparison.high, comparison.threshold, comparison.metric),
        threshold=comparison.threshold,
        variance=comparison.error,
        error_range=error_range(comparison.pair) if comparison.metric.energy else (1.0, 1.0),
        log_by_round=comparison.log_ratio_by_round,
    )


def mean_ratio(ratios: Sequence[Ratio], metric: str, one_run: bool) -> Ratio:
    """Return the geometric mean of ratios of `metric`; its interval holds for this selection of tasks.

    Within `one_run` the rounds are the independent units: in one of them a busy machine moves many pairs the same way.
    Ratios between two runs share the runs' drift: their errors do not cancel.
    """
    known = [ratio for ratio in ratios if ratio.value is not None]
    if len(known) < 2:
        reasons = "; ".join(dict.fromkeys(ratio.reason for ratio in ratios))
        return known[0] if known else Ratio(None, reason=reasons or "nothing to compare")
    n, estimated = len(known), any(ratio.estimated for ratio in known)
    centre = math.fsum(math.log(ratio.value) for ratio in known if ratio.value is not None) / n
    by_round = _mean_log_by_round(known) if one_run else {}
    variance = _variance_over_rounds(by_round) if one_run else _fully_correlated_variance(known)
    if variance is None:
        return Ratio(math.exp(centre), verdict="no interval", reason="n=1, no interval", estimated=estimated)
    sensor_error = [math.fsum(math.log(ratio.error_range[end]) for ratio in known) / n for end in (0, 1)]
    ends = zip(Effect(centre, variance).interval(0.05), sensor_error, strict=True)
    low, high = (math.exp(end + error) for end, error in ends)
    threshold = known[0].threshold
    ratio_verdict = _verdict(low, high, threshold, METRICS[metric])
    return Ratio(math.exp(centre), low, high, ratio_verdict, "", estimated, threshold, variance, log_by_round=by_round)


def _mean_log_by_round(ratios: Sequence[Ratio]) -> dict[int, float]:
    """Return the mean of the logarithms in each round that has all ratios."""
    rounds = set.intersection(*(set(ratio.log_by_round) for ratio in ratios))
    return {
        number: math.fsum(ratio.log_by_round[number] for ratio in ratios) / len(ratios) for number in sorted(rounds)
    }


def _variance_over_rounds(log_by_round: Mapping[int, float]) -> Variance | None:
    """Return the variance of the mean over rounds; None for less than two."""
    n = len(log_by_round)
    if n < 2:
        return None
    return Variance(standard_deviation(list(log_by_round.values())) ** 2 / n, n - 1.0)


def _fully_correlated_variance(ratios: Sequence[Ratio]) -> Variance | None:
    """Return the variance of the mean logarithm if all errors are fully correlated; None if one is unknown."""
    variances = [ratio.variance for ratio in ratios if ratio.variance is not None]
    if len(variances) < len(ratios):
        return None
    mean_error = math.fsum(math.sqrt(variance.value) for variance in variances) / len(variances)
    return Variance(mean_error**2, min(variance.degrees for variance in variances))


def _verdict(low: float, high: float, threshold: float, metric: Metric) -> RatioVerdict:
    """Return whether the ratio is more or less than 1, and not whether that is better."""
    judged = verdict(math.log(low), math.log(high), threshold, metric)
    if judged in {"better", "worse"}:
        return "more" if (judged == "better") == (metric.better == "higher") else "less"
    return "same" if judged == "same" else "inconclusive"
