"""The text of comparisons says what their numbers say."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from comparisons import case_with_rates, only, run_of
from run_files import CH, energy

from joulemark.suite.records import Emissions, Pue
from joulemark.suite.stats import verdicts
from joulemark.suite.stats.compare import compare
from joulemark.suite.stats.comparison import Comparison
from joulemark.suite.stats.drift import ASSUMED_DRIFT
from joulemark.suite.stats.metrics import METRICS
from joulemark.suite.stats.variance import Variance

# 200 items in each trial, for 100 and for 106 J.
A, B = (
    run_of(case_with_rates(100.0, 100.0, 100.0, readings=[energy(joules)]), id=id)
    for id, joules in (("A", 100.0), ("B", 106.0))
)


def changed(metric: str = "energy", **changes: object) -> Comparison:
    return replace(only(compare(A, B, metrics=[metric]), metric), **changes)


@pytest.mark.parametrize(
    ("metric", "numbers", "expected"),
    [
        ("energy", (1.06, 1.04, 1.08), "joules per image grew 6 % [4, 8]"),
        ("energy", (0.94, 0.92, 0.96), "joules per image fell 6 % [4, 8]"),
        ("throughput", (0.5, 0.4, 0.62), "throughput fell 50 % [38, 60]"),
        ("throughput", (3.0, 2.5, 3.6), "throughput grew 200 % [150, 260]"),
        ("throughput", (1.01, 0.97, 1.05), "throughput changed by +1 % [-3, +5]"),
        ("throughput", (1.001, 0.97, 1.04), "throughput changed by 0 % [-3, +4]"),
        ("memory", (1.005, 1.004, 1.006), "peak memory grew 0.5 % [0.4, 0.6]"),
        ("memory", (1.0, 1.0, 1.0), "peak memory changed by 0.00 % [0.00, 0.00]"),
        ("throughput", (0.03, 1e-9, 1e29), "throughput changed by -97 % [-100, over +99900]"),
        ("throughput", (2.0, 1.5, 1e29), "throughput grew 100 % [50, over 99900]"),
        ("first-call", (1.3, None, None), "first-call time changed by +30.0 % (no interval)"),
        ("first-call", (None, None, None), ""),
    ],
)
def test_sentence(metric: str, numbers: tuple[float | None, ...], expected: str) -> None:
    ratio, low, high = numbers
    assert verdicts.sentence(changed(metric, ratio=ratio, low=low, high=high)) == expected


@pytest.mark.parametrize(
    ("numbers", "estimated", "expected"),
    [
        ((0.94, 0.92, 0.96), False, "0.94 [0.92, 0.96]"),
        ((0.94, 0.938, 0.942), True, "~0.940 [0.938, 0.942]"),
        ((0.03, 1e-9, 1e29), False, "0.03 [0.00, over 1000]"),
        ((0.94, None, None), False, "0.940"),
        ((None, None, None), False, ""),
    ],
)
def test_ratio_has_its_interval_and_kind(numbers: tuple[float | None, ...], estimated: bool, expected: str) -> None:
    ratio, low, high = numbers
    assert verdicts.ratio_text(changed(ratio=ratio, low=low, high=high, estimated=estimated)) == expected


def test_emissions_of_both_cases_are_on_one_grid() -> None:
    reference = Emissions(intensity=CH, pue=Pue(value=1.5, source="test"))
    (emissions,) = verdicts.pair_emissions(compare(A, B), reference)
    # 0.5 J an item x 1000 items x PUE 1.5 / 3.6e6 J a kWh x 39.22 g a kWh
    assert emissions.a == pytest.approx(0.5 * 1000 * 1.5 / 3.6e6 * 39.22, rel=1e-12)
    assert emissions.b / emissions.a == pytest.approx(1.06, rel=1e-12)


def test_drift_labels_group_metrics() -> None:
    measured = Variance(0.021**2, 6.0)
    lines = verdicts.drift_labels({"throughput": measured, "energy": ASSUMED_DRIFT, "first-call": ASSUMED_DRIFT})
    assert len(lines) == 2
    assert lines[0].startswith("2.1 %, from 7 ")
    assert lines[0].endswith("(throughput)")
    assert lines[1].startswith("5 % ")
    assert lines[1].endswith("(energy per item, first call)")
    assert math.sqrt(ASSUMED_DRIFT.value) == pytest.approx(0.05)  # the 5 % of the label


def test_values_have_their_unit() -> None:
    assert verdicts.value_text(METRICS["throughput"], 1234.5) == "1,230 items/s"
    assert verdicts.value_text(METRICS["energy"], 0.00123) == "1.23 mJ"
    assert verdicts.value_text(METRICS["memory"], None) == "not measured"
