"""The gate on counts: exact where a threshold asks for it, on machines whose times tell nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from comparisons import NO_DRIFT, case_with_rates, case_with_work
from run_files import failed_trial, machine, run_file, work

from joulemark.suite.cli.support.compare.text import findings
from joulemark.suite.errors import NotComparableError, UsageError
from joulemark.suite.records import Case, FrameworkInfo, RunFile
from joulemark.suite.stats.compare import compare
from joulemark.suite.stats.gate import Gate, Unjudged, evaluate
from joulemark.suite.stats.pairs import pair_cases
from joulemark.suite.stats.thresholds import JUDGED_COUNTS, parse_thresholds
from joulemark.suite.stats.work_counts.comparison import compare_counts

ONLY_WORK = ("throughput:off", "energy:off", "operators:0")


def gate(a: RunFile, b: RunFile, *options: str) -> Gate:
    thresholds = parse_thresholds(("throughput", *JUDGED_COUNTS), options=options)
    result = compare(a, b, thresholds=thresholds, metrics=thresholds.metrics(), drift=NO_DRIFT)
    counts = compare_counts(pair_cases(a, b).pairs, thresholds)
    return evaluate(replace(result, counts=counts), a, b, thresholds)


def counting(count: float | str, *others: float | str) -> Case:
    return case_with_work(*(work(operators=each) for each in (count, *others)))


def runs(a: Case, b: Case) -> tuple[RunFile, RunFile]:
    return run_file([a], id="A"), run_file([b], id="B")


def test_more_work_is_a_regression_although_no_time_tells() -> None:
    a, b = (case_with_work(*[work(operators=n, peak_bytes=2e8 + 1e5 * n)] * 2) for n in (412, 440))
    verdict = gate(*runs(a, b))
    assert (verdict.outcome, verdict.exit_code, verdict.regressed) == ("regression", 1, ())
    assert findings(verdict) == [
        "Regressed: cnn:small/training/pytorch/eager/cpu/fp32/b32: more work a step: operators 412 -> 440, "
        "peak of allocations 241 -> 244 MB (threshold 1 %)."
    ]


@pytest.mark.parametrize("count", [412, 400])
def test_as_much_work_or_less_has_held(count: float) -> None:
    verdict = gate(*runs(counting(412), counting(count)), *ONLY_WORK)
    assert (verdict.exit_code, len(verdict.held_work), verdict.lost) == (0, 1, ())


def test_a_step_that_is_faster_may_do_more_work_unless_a_threshold_forbids_it() -> None:
    a, b = (
        case_with_work(*[work(operators=n)] * 3, rates=[rate, rate + 1, rate + 2]) for n, rate in ((73, 100), (83, 200))
    )
    verdict = gate(*runs(a, b))
    assert (verdict.exit_code, [count.verdict for count in verdict.held_work]) == (0, ["more"])
    assert gate(*runs(a, b), "operators:0").exit_code == 1
    assert gate(*runs(counting(412), counting(440)), "work:off").held_work == ()


def with_version(run_file: RunFile, version: str) -> RunFile:
    frameworks = {"pytorch": FrameworkInfo(version=version, python="3.11.7", build="cpu")}
    return run_file.model_copy(update={"machine": machine(frameworks=frameworks)})


def test_what_is_judged_by_default_raises_no_alarm_where_something_else_may_differ() -> None:
    """Another version of the framework, trials that disagree, a GPU whose libraries choose kernels by timing."""
    a, b = runs(counting(412, 412), counting(440, 440))
    verdict = gate(with_version(a, "2.12.0"), with_version(b, "2.13.0"))
    assert (verdict.exit_code, verdict.lost) == (0, ())
    assert "versions of pytorch differ (2.12.0 and 2.13.0)" in verdict.not_judged[0].reason
    disagreeing = gate(*runs(counting(412, 412), counting(440, 441)))
    assert (disagreeing.exit_code, disagreeing.lost) == (0, ())
    assert disagreeing.not_judged[0].reason == "B: its trials disagree: 440 to 441"
    varying = gate(*runs(counting(412, 412), counting("two calls differ: 2 and 4", 412)))
    assert (varying.exit_code, varying.lost) == (0, ())
    on_gpu = (case_with_work(work(kernels=n), id="cnn", device="cuda:0") for n in (50, 60))
    assert gate(*runs(*on_gpu)).more_work == ()
    assert gate(*runs(case_with_work(work(kernels=50)), case_with_work(work(kernels=60)))).exit_code == 1


def test_a_baseline_without_counts_passes_and_counts_that_b_has_no_longer_are_lost() -> None:
    without = case_with_rates(100.0, 101.0)
    assert gate(*runs(without, counting(440, 440))).exit_code == 0
    assert gate(*runs(without, without)).not_judged == ()
    verdict = gate(*runs(counting(412, 412), without))
    assert verdict.exit_code == 4
    assert verdict.lost == (Unjudged(without.id, "operators", "B: it was not counted"),)


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


def test_without_a_metric_counts_are_judged_alone() -> None:
    assert gate(*runs(counting(412), counting(440)), "throughput:off").exit_code == 1


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
    work = parse_thresholds(JUDGED_COUNTS, {"cnn*": {"work": "off"}}, "joulemark.toml", ["graphs:off"])
    limits = {count: work.limit(count, "vit") for count in ("operators", "peak-bytes", "graphs", "instructions")}
    assert limits == {"operators": 0, "peak-bytes": 0.01, "graphs": None, "instructions": None}
    assert work.limit("operators", "cnn") is None
    with pytest.raises(UsageError, match=r"instructions vary by themselves: give a threshold above 0, such as 1%"):
        parse_thresholds((), options=["instructions:0"])
    with pytest.raises(UsageError, match="'operators'"):
        parse_thresholds((), options=["operator:0"])
