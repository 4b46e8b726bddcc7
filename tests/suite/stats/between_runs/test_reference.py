"""Dividing by the reference, on simulated machines whose common drift is known."""

from __future__ import annotations

import math
from statistics import fmean

import numpy as np
import pytest
from comparisons import case_with_rates
from run_files import machine, run_file
from scipy import stats

from joulemark.suite.cli.support.calibration_output import calibration_document, calibration_text
from joulemark.suite.records import Floor, RunFile
from joulemark.suite.stats.between_runs.reference import fit_line, fit_references, reference_level
from joulemark.suite.stats.compare import compare
from joulemark.suite.stats.comparison import Comparison
from joulemark.suite.stats.drift import drift_variances
from joulemark.suite.stats.gate import CONFIDENCE
from joulemark.suite.stats.intervals import standard_deviation, t_quantile
from joulemark.suite.stats.proportion import Proportion
from joulemark.suite.stats.variance import Variance
from joulemark.suite.stats.verdicts import reference_lines

LABEL = "loop 1, numpy 2, 2 threads"


def test_slope_and_residual_are_those_of_least_squares() -> None:
    random = np.random.default_rng(1)
    x = random.normal(0, 0.05, 12)
    y = 0.8 * x + random.normal(0, 0.01, 12)
    expected, fit = stats.linregress(x, y), fit_line(list(x), list(y))
    assert fit is not None
    shrunk = 1 - 2 * (expected.stderr / expected.slope) ** 2
    assert fit.slope == pytest.approx(shrunk * expected.slope)
    residual = np.sum((y - expected.intercept - expected.slope * x) ** 2)
    total = np.sum((y - y.mean()) ** 2)
    left = (shrunk**2 * residual + (1 - shrunk**2) * total) / (11 - shrunk**2)
    assert (fit.residual.value, fit.residual.degrees) == (pytest.approx(left), 10)
    # The error of a prediction from a line: 1 + 1/n + (x - mean)^2 / Sxx (Draper and Smith 1998, section 3.1).
    far = float(x.mean()) + 0.1
    spread = np.sum((x - x.mean()) ** 2)
    assert fit.drift(list(x), far).value == pytest.approx(left * (1 + 1 / 12 + 0.01 / spread))


def test_case_that_does_not_follow_keeps_the_variance_of_its_runs() -> None:
    x, y = [0.01, -0.01, 0.02, -0.02, 0.0], [0.01, 0.03, -0.02, -0.03, 0.01]
    against = [-value for value in x]
    for values, sign in ((y, 1.0), (against, 1.0), (x, -1.0)):
        fit = fit_line(x, values, sign)
        assert fit is not None
        assert (fit.slope, fit.residual.degrees) == (0.0, 4)
        assert fit.residual.value == pytest.approx(standard_deviation(values) ** 2)
    assert fit_line(x[:4], y[:4]) is None
    assert fit_line([1.0] * 5, y) is None


def half_width(drift: Variance, confidence: float = 0.95) -> float:
    return math.sqrt(drift.value) * t_quantile((1 + confidence) / 2, drift.degrees)


SIMULATIONS = 2500
DRIFT_SD = 0.03


def simulated(runs: int, share: float, seed: int) -> list[tuple[float, float, Variance, Variance]]:
    """Return the log ratios with and without a reference, and their variances, of a run against `runs` earlier ones.

    `share` of the drift's variance is common to case and reference; both have errors of a tenth of it.
    """
    random = np.random.default_rng(seed)
    common, own = (
        DRIFT_SD * math.sqrt(part) * random.normal(0, 1, (SIMULATIONS, runs + 1)) for part in (share, 1 - share)
    )
    errors = DRIFT_SD / 10 * random.normal(0, 1, (2, SIMULATIONS, runs + 1))
    results = []
    for x, y in zip((common + errors[0]).tolist(), (common + own + errors[1]).tolist(), strict=True):
        fit = fit_line(x[:-1], y[:-1])
        assert fit is not None
        ratio = y[-1] - fmean(y[:-1])
        without = Variance(standard_deviation(y[:-1]) ** 2 * (1 + 1 / runs), runs - 1)
        drift = fit.drift(x[:-1], x[-1])
        results.append((ratio - fit.slope * (x[-1] - fmean(x[:-1])), ratio, drift, without))
    return results


@pytest.mark.slow
@pytest.mark.parametrize("runs", [5, 12])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9])
def test_intervals_hold_and_are_no_wider_than_without(runs: int, share: float) -> None:
    results = simulated(runs, share, seed=round(100 * share) + runs)
    held = Proportion(sum(abs(ratio) <= half_width(drift) for ratio, _, drift, _ in results), SIMULATIONS)
    assert held.interval()[1] >= 0.95, held
    alarms = Proportion(sum(ratio < -half_width(drift, CONFIDENCE) for ratio, _, drift, _ in results), SIMULATIONS)
    assert alarms.interval()[0] <= 0.01, alarms
    widths = [fmean(half_width(result[i]) for result in results) for i in (2, 3)]
    assert widths[0] <= 1.06 * widths[1]
    if share == 0.9:
        assert widths[0] <= 0.8 * widths[1]


@pytest.mark.slow
def test_five_runs_show_ten_per_cent_where_drift_is_common() -> None:
    # Drift of 3 %, of which 98 % of the variance is common: docs/history.md has other drifts and shares.
    results, change = simulated(5, 0.98, 7), math.log(1.1)
    seen = sum(ratio - change < -half_width(drift, CONFIDENCE) for ratio, _, drift, _ in results) / SIMULATIONS
    without = sum(ratio - change < -half_width(drift, CONFIDENCE) for _, ratio, _, drift in results) / SIMULATIONS
    assert seen > 0.8 > 0.45 > without, (seen, without)


def run_at(number: int, reference: float, case: float, label: str | None = LABEL, **fields: object) -> RunFile:
    """Return a run whose reference and whose case are at exp(log speed) of their usual one."""
    times = [math.exp(-reference + offset) for offset in (-0.002, 0.0, 0.002)]
    loops = None if label is None else (3, 3)
    floor = tuple(
        Floor(at_s=float(i), arithmetic_s=0.01 * t, copy_s=0.02 * t, loops=loops, reference=label)
        for i, t in enumerate(times)
    )
    rates = [1e6 * math.exp(case + offset) for offset in (-0.001, 0.0, 0.001)]
    return run_file([case_with_rates(*rates)], id=f"run-{number:02d}", floor=floor, **fields)


SPEEDS = (0.0, 0.03, -0.02, 0.01, -0.04, 0.02, -0.01)
NOISE = (0.001, -0.002, 0.0, 0.002, -0.001, 0.001, -0.001)


def main_runs(**fields: object) -> list[RunFile]:
    """Return seven runs of a case that follows the reference by 0.9."""
    return [run_at(i, x, 0.9 * x + e, **fields) for i, (x, e) in enumerate(zip(SPEEDS, NOISE, strict=True))]


def compared(runs: list[RunFile], b: RunFile) -> tuple[Comparison, list[str]]:
    result = compare(
        runs[-1],
        b,
        metrics=["throughput"],
        drift=drift_variances(runs),
        references=fit_references(runs, [runs[-1], b]),
    )
    (comparison,) = result.comparisons
    return comparison, reference_lines(result)


def test_proposed_threshold_of_a_kept_run_is_without_what_the_reference_divides_out() -> None:
    runs = main_runs()
    with_one, without = calibration_document(runs, False), calibration_document(main_runs(label=None), False)
    thresholds = [document["proposed"]["stored"]["throughput"] for document in (with_one, without)]
    assert thresholds[0] < thresholds[1] / 4, thresholds  # runs vary by 2.5 %, and by 0.15 % beside their reference
    effects = with_one["metrics"]["throughput"]["reference"]["stored"]
    rounds = with_one["proposed"]["rounds"]
    (effect,) = (effect for effect in effects if effect["rounds"] == rounds)
    assert thresholds[0] == math.ceil(100 * effect["threshold"]) / 100
    # One case that does not follow it is judged by all of the drift.
    others = [case_with_rates(*(1e6 * math.exp(y + e) for e in (-0.001, 0.0, 0.001)), size="base") for y in NOISE]
    both = [run.model_copy(update={"cases": (*run.cases, other)}) for run, other in zip(runs, others, strict=True)]
    mixed = calibration_document(both, False)
    assert not all(mixed["metrics"]["throughput"]["reference"]["slopes"].values())
    (effect,) = (e for e in mixed["metrics"]["throughput"]["stored"] if e["rounds"] == mixed["proposed"]["rounds"])
    assert mixed["proposed"]["stored"]["throughput"] == math.ceil(100 * effect["threshold"]) / 100


def test_slow_machine_says_so_and_is_divided_out() -> None:
    runs, b = main_runs(), run_at(9, -0.08, -0.9 * 0.08)
    comparison, lines = compared(runs, b)
    assert comparison.ratio == pytest.approx(1.0, abs=0.005)
    assert comparison.verdict == "same"
    assert "the machine is 6.8 % slower in B; divided out:" in lines[0]
    assert "0.94 as measured" in lines[1]
    slower, _ = compared(runs, run_at(9, -0.08, -0.9 * 0.08 - 0.1))
    assert slower.regressed
    # The same runs without a reference cannot tell.
    without, none = compared(main_runs(label=None), run_at(9, -0.08, -0.9 * 0.08, label=None))
    assert (without.verdict, without.reference, none) == ("inconclusive", None, [])


def test_missing_and_other_references_change_nothing() -> None:
    runs, b = main_runs(), run_at(9, -0.08, -0.072)
    bare = compare(runs[-1], b, metrics=["throughput"], drift=drift_variances(runs)).comparisons
    for other in (run_at(9, -0.08, -0.072, label=None), run_at(9, -0.08, -0.072, label="loop 1, numpy 3")):
        comparison, lines = compared(runs, other)
        assert (comparison.ratio, comparison.low, comparison.high) == (bare[0].ratio, bare[0].low, bare[0].high)
        assert lines == []
    few, lines = compared(runs[-4:], b)
    assert few.reference is None
    assert "not divided out" in lines[0]
    elsewhere, _ = compared(runs, run_at(9, -0.08, -0.072, machine=machine(hostname="bench-2")))
    assert elsewhere.reference is None


def test_mixed_labels_are_no_reference() -> None:
    mixed = run_at(0, 0.0, 0.0).floor[0].model_copy(update={"reference": "loop 1, numpy 3"})
    run = run_at(0, 0.0, 0.0)
    assert reference_level(run.model_copy(update={"floor": (*run.floor, mixed)})) is None


def test_baseline_of_several_runs_is_divided_by_the_mean_of_its_references() -> None:
    runs, b = main_runs(), run_at(9, -0.08, -0.072)
    references = fit_references(runs, [*runs, b])
    result = compare(runs[-1], b, metrics=["throughput"], earlier=runs[:-1], references=references)
    (comparison,) = result.comparisons
    assert comparison.reference is not None
    assert comparison.reference.log_ratio == pytest.approx(-0.08 - fmean(SPEEDS))
    assert result.reference_speed == pytest.approx(math.exp(-0.08 - fmean(SPEEDS)))


def test_calibration_shows_what_the_reference_explains() -> None:
    document = calibration_document(main_runs(), allow_estimates=False)
    reference = document["metrics"]["throughput"]["reference"]
    assert reference["variation"] == pytest.approx(standard_deviation(SPEEDS))
    (slope,) = reference["slopes"].values()
    assert slope == pytest.approx(0.9, abs=0.05)
    assert reference["run_variation_left"] < 0.15 * document["metrics"]["throughput"]["run_variation_used"]
    assert reference["stored"][0]["fires_at"] < document["metrics"]["throughput"]["stored"][0]["fires_at"]
    document["effort"] = {"time_s": 600.0, "reason": "no window was chosen"}
    text = "\n".join(part for part in calibration_text(document) if isinstance(part, str))
    assert "1 of 1 cases follow it. Divided out, 0." in text
