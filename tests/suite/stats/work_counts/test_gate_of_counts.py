"""The gate on counts: exact where a threshold asks for it, on machines whose times tell nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from comparisons import NO_DRIFT, case_with_work
from run_files import failed_trial, machine, run_file, work

from joulemark.suite.cli.support.comparison_text import findings
from joulemark.suite.errors import NotComparableError, UsageError
from joulemark.suite.records import Case, RunFile
from joulemark.suite.stats.compare import compare
from joulemark.suite.stats.gate import Gate, Unjudged, evaluate
from joulemark.suite.stats.pairs import pair_cases
from joulemark.suite.stats.thresholds import parse_thresholds
from joulemark.suite.stats.work_counts.comparison import compare_counts

ONLY_WORK = ("throughput:off", "energy:off", "operators:0")


def gate(a: RunFile, b: RunFile, *options: str) -> Gate:
    thresholds = parse_thresholds(("throughput",), options=options)
    result = compare(a, b, thresholds=thresholds, metrics=thresholds.metrics(), drift=NO_DRIFT)
    counts = compare_counts(pair_cases(a, b).pairs, thresholds)
    return evaluate(replace(result, counts=counts), a, b, thresholds)


def counting(count: float | str, *others: float | str) -> Case:
    return case_with_work(*(work(operators=each) for each in (count, *others)))


def runs(a: Case, b: Case) -> tuple[RunFile, RunFile]:
    return run_file([a], id="A"), run_file([b], id="B")


def test_more_work_is_a_regression_although_no_time_tells() -> None:
    verdict = gate(*runs(counting(412, 412), counting(440, 440)), "operators:0")
    assert (verdict.outcome, verdict.exit_code, verdict.regressed) == ("regression", 1, ())
    assert findings(verdict) == [
        "Regressed: cnn:small/training/pytorch/eager/cpu/fp32/b32: operators grew from 412 to 440 a step; "
        "the threshold is 0 %."
    ]


@pytest.mark.parametrize("count", [412, 400])
def test_as_much_work_or_less_has_held(count: float) -> None:
    verdict = gate(*runs(counting(412), counting(count)), *ONLY_WORK)
    assert (verdict.exit_code, len(verdict.held_work), verdict.lost) == (0, 1, ())


def test_without_a_threshold_no_count_is_judged() -> None:
    verdict = gate(*runs(counting(412, 412), counting(440, 440)))
    assert (verdict.more_work, verdict.held_work, verdict.exit_code) == ((), (), 0)


def test_a_count_that_cannot_be_judged_is_a_loss() -> None:
    verdict = gate(*runs(counting(412, 412), counting(440, 441)), "operators:0")
    assert verdict.exit_code == 4
    (lost,) = verdict.lost
    assert (lost.metric, lost.reason) == ("operators", "B: its trials disagree: 440 to 441")


def test_work_alone_is_judged_on_any_machine() -> None:
    a, b = runs(counting(412), counting(440))
    elsewhere = b.model_copy(update={"machine": machine(fingerprint="ffeeddccbbaa", hostname="runner-7")})
    assert gate(a, elsewhere, *ONLY_WORK).exit_code == 1
    with pytest.raises(NotComparableError, match="two machines"):
        gate(a, elsewhere)


def test_a_failed_case_is_lost_once() -> None:
    a, b = runs(counting(412), counting(412).model_copy(update={"trials": (failed_trial(),), "status": "failed"}))
    verdict = gate(a, b, "operators:0", "throughput:5%")
    assert verdict.lost == (Unjudged(b.cases[0].id, None, "failed: no usable trial"),)


def test_thresholds_of_counts() -> None:
    thresholds = parse_thresholds((), {"cnn*": {"graph_nodes": "1%"}}, "joulemark.toml", ["operators:0"])
    assert thresholds.limit("operators", "x") == 0
    assert (thresholds.limit("graph-nodes", "cnn:small/x"), thresholds.limit("graph-nodes", "x")) == (0.01, None)
    assert (thresholds.metrics(), thresholds.judges_counts()) == ((), True)
    assert not parse_thresholds((), options=["operators:off"]).judges_counts()
    with pytest.raises(UsageError, match=r"instructions vary by themselves: give a threshold above 0, such as 1%"):
        parse_thresholds((), options=["instructions:0"])
    with pytest.raises(UsageError, match="'operators'"):
        parse_thresholds((), options=["operator:0"])
