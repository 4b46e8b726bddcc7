"""Comparisons in words: the sentences say what the numbers say."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from run_files import CH, case, energy, run_file, trial

from joulemark.suite.records import Emissions, Pue
from joulemark.suite.stats import verdicts
from joulemark.suite.stats.compare import compare
from joulemark.suite.stats.comparison import Comparison
from joulemark.suite.stats.drift import ASSUMED_DRIFT
from joulemark.suite.stats.metrics import METRICS
from joulemark.suite.stats.variance import Variance


def some(metric: str = "energy", **more: object) -> Comparison:
    """A comparison of two runs of one case; of joules 100 and 106 a window, at 200 items each."""
    a, b = (
        run_file([case(trials=[trial(i, 100.0, readings=[energy(joules)]) for i in (1, 2, 3)])], id=id)
        for id, joules in (("A", 100.0), ("B", 106.0))
    )
    (found,) = compare(a, b, metrics=[metric]).comparisons
    return replace(found, **more)


@pytest.mark.parametrize(
    ("metric", "numbers", "said"),
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
        ("first-call", (1.3, None, None), "the time of the first call changed by +30.0 % (no interval)"),
        ("first-call", (None, None, None), ""),
    ],
)
def test_sentences(metric: str, numbers: tuple[float | None, ...], said: str) -> None:
    ratio, low, high = numbers
    assert verdicts.sentence(some(metric, ratio=ratio, low=low, high=high)) == said


def test_ratios_carry_their_interval_and_their_kind() -> None:
    assert verdicts.ratio_text(some(ratio=0.94, low=0.92, high=0.96, estimated=False)) == "0.94 [0.92, 0.96]"
    assert verdicts.ratio_text(some(ratio=0.94, low=0.938, high=0.942, estimated=True)) == "~0.940 [0.938, 0.942]"
    assert verdicts.ratio_text(some(ratio=0.03, low=1e-9, high=1e29, estimated=False)) == "0.03 [0.00, over 1000]"
    assert verdicts.ratio_text(some(ratio=0.94, low=None, high=None)) == "0.940"
    assert verdicts.ratio_text(some(ratio=None)) == ""


def test_grams_are_those_of_one_grid_for_both() -> None:
    a, b = (
        run_file([case(trials=[trial(i, 100.0, readings=[energy(joules)]) for i in (1, 2, 3)])], id=id)
        for id, joules in (("A", 100.0), ("B", 106.0))
    )
    reference = Emissions(intensity=CH, pue=Pue(value=1.5, source="test"))
    (grams,) = verdicts.pair_emissions(compare(a, b), reference)
    # 0.5 J an item x 1000 items x PUE 1.5 / 3.6e6 J a kWh x 39.22 g a kWh
    assert grams.a == pytest.approx(0.5 * 1000 * 1.5 / 3.6e6 * 39.22, rel=1e-12)
    assert grams.b / grams.a == pytest.approx(1.06, rel=1e-12)


def test_which_drift_stood_in_is_said() -> None:
    measured = Variance(0.021**2, 6.0)
    lines = verdicts.drift_labels({"throughput": measured, "energy": ASSUMED_DRIFT, "first-call": ASSUMED_DRIFT})
    assert lines[0] == "2.1 %, from 7 kept runs of this machine (throughput)"
    assert lines[1].startswith("5 % assumed")
    assert lines[1].endswith("(energy per item, first call)")
    assert math.sqrt(ASSUMED_DRIFT.value) == pytest.approx(0.05)  # what the sentence says


def test_values_have_their_unit() -> None:
    assert verdicts.value_text(METRICS["throughput"], 1234.5) == "1,230 items/s"
    assert verdicts.value_text(METRICS["energy"], 0.00123) == "1.23 mJ"
    assert verdicts.value_text(METRICS["memory"], None) == "not measured"
