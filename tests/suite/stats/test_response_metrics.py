"""Times of tokens as metrics: of responses alone."""

from __future__ import annotations

import pytest
from responses import DECODE_S, PREFILL_S, simulated_run
from run_files import run_file

from joulemark.suite.records import RunFile
from joulemark.suite.stats.compare import compare
from joulemark.suite.stats.gate import evaluate
from joulemark.suite.stats.thresholds import parse_thresholds


def slower(factor: float) -> RunFile:
    """Return the simulated run, as another one whose prefill takes `factor` times as long."""
    file = simulated_run()
    case = file.cases[0]
    trials = []
    for trial in case.trials:
        ttft = trial.token_times.ttft.model_copy(update={"p50_s": factor * PREFILL_S})
        trials.append(trial.model_copy(update={"token_times": trial.token_times.model_copy(update={"ttft": ttft})}))
    run = file.run.model_copy(update={"id": "20261102T120000Z-c3d4"})
    return file.model_copy(update={"run": run, "cases": (case.model_copy(update={"trials": tuple(trials)}),)})


def test_times_of_tokens_are_compared_by_the_medians_of_trials():
    found = {each.metric.key: each for each in compare(simulated_run(), slower(1.5)).comparisons}
    assert found["ttft"].ratio == pytest.approx(1.5)
    assert found["ttft"].values == pytest.approx((PREFILL_S, 1.5 * PREFILL_S))
    assert found["tpot"].ratio == pytest.approx(1.0)
    assert found["tpot"].values[0] == pytest.approx(DECODE_S)
    assert {"throughput", "energy"} <= found.keys()


def test_cases_of_other_phases_have_no_times_of_tokens():
    mixed = simulated_run().model_copy(update={"cases": (*simulated_run().cases, *run_file().cases)})
    other = slower(1.0).model_copy(update={"cases": (*slower(1.0).cases, *run_file().cases)})
    rows = [each.pair.b.phase for each in compare(mixed, other).comparisons if each.metric.key == "ttft"]
    assert rows == ["response"]
    assert {each.metric.phase for each in compare(run_file(), run_file(id="b")).comparisons} == {None}


def test_a_time_that_was_asked_for_and_no_case_has_is_reported():
    thresholds = parse_thresholds(("throughput", "energy"), options=("ttft:5%",))
    a, b = run_file(), run_file(id="20261102T120000Z-c3d4")
    result = compare(a, b, thresholds=thresholds, metrics=thresholds.metrics())
    gate = evaluate(result, a, b, thresholds)
    assert {each.metric for each in gate.lost} == {"ttft"}
