"""Pairs of cases: which may be compared, why others may not, and what differs around them."""

from __future__ import annotations

from pathlib import Path

import pytest
from comparisons import NO_DRIFT, case_with_rates, compare_cases, only, run_of
from run_files import case, failed_trial, machine

from joulemark.suite.errors import UsageError
from joulemark.suite.records import Settings
from joulemark.suite.stats.compare import compare
from joulemark.suite.stats.pairs import environment_differences, pair_cases
from joulemark.suite.trial.environment import build

OK = case_with_rates(100, 101)


def test_within_a_run_each_pair_counts_once() -> None:
    frameworks = (("tensorflow", "graph"), ("pytorch", "eager"))
    run = run_of(*(case_with_rates(100, 101, framework=framework, mode=mode) for framework, mode in frameworks))
    (pair,) = pair_cases(run, run, "framework").pairs
    assert (pair.a.framework, pair.b.framework) == ("pytorch", "tensorflow")


def test_modes_of_different_classes_get_a_note() -> None:
    run = run_of(OK, case_with_rates(100, 101, framework="tensorflow", mode="graph"))
    (pair,) = pair_cases(run, run, "framework").pairs
    assert pair.note is not None
    assert "pytorch eager (eager)" in pair.note
    assert "tensorflow graph (graph)" in pair.note


def test_different_workload_versions_are_not_compared() -> None:
    comparison = compare_cases(OK, case_with_rates(100, 101, workload_version="ffffffffffff"))
    assert (comparison.verdict, comparison.ratio) == ("not comparable", None)
    assert "(version 0123456789ab and ffffffffffff)" in (comparison.reason or "")


@pytest.mark.parametrize(("spec_version", "is_compared"), [("5bec", True), ("ffff", False), ("", True)])
def test_frameworks_share_the_version_of_the_spec_alone(spec_version: str, is_compared: bool) -> None:
    pytorch = case_with_rates(100, 101, spec_version="5bec")
    other = {"framework": "tensorflow", "mode": "graph", "workload_version": "ffffffffffff"}
    run = run_of(pytorch, case_with_rates(100, 101, spec_version=spec_version, **other))
    (pair,) = pair_cases(run, run, "framework").pairs
    assert pair.incomparable == (None if is_compared else "the workload changed (spec 5bec and ffff)")


def test_different_machines_are_compared_by_machine_only() -> None:
    other = machine(fingerprint="112233445566", hostname="bench-2")
    a = run_of(case_with_rates(100, 100.1, 99.9))
    b = run_of(case_with_rates(150, 150.1, 149.9), id="B", machine=other)
    comparison = only(compare(a, b, metrics=["throughput"], drift=NO_DRIFT))
    assert comparison.verdict == "not comparable"
    assert "(bench-1 and bench-2)" in (comparison.reason or "")
    assert only(compare(a, b, "machine", metrics=["throughput"], drift=NO_DRIFT)).verdict == "better"


def test_failed_case_is_not_compared() -> None:
    comparison = compare_cases(OK, case(trials=[failed_trial()]))
    assert comparison.verdict == "not comparable"
    assert "every trial failed" in (comparison.reason or "")


def test_case_without_partner_is_listed() -> None:
    extra = case_with_rates(100, 101, workload="vit")
    pairs = pair_cases(run_of(OK, extra), run_of(OK, id="B"))
    assert (pairs.only_a, pairs.only_b) == ((extra.id,), ())
    assert pairs.missing_reasons.keys() == {extra.id}


def test_nearest_case_is_named_with_the_factor_to_compare_by() -> None:
    larger = case_with_rates(100, 101, batch_size=64, id="cnn:small/training/pytorch/eager/cpu/fp32/b64")
    reason = pair_cases(run_of(OK), run_of(larger, id="B")).missing_reasons[OK.id]
    assert "batch size 64 instead of 32" in reason
    assert reason.endswith("compare by batch-size")


def test_environment_differences_do_not_prevent_a_comparison() -> None:
    a, b = run_of(OK), run_of(OK, id="B", machine=machine(packages={"numpy": "2.5.0"}))
    result = compare(a, b, metrics=["throughput"])
    assert result.environment == {"package numpy": ("2.4.6", "2.5.0")}
    assert only(result).verdict != "not comparable"


def test_what_was_left_out_of_one_run_is_no_difference() -> None:
    a = run_of(OK, machine=machine(packages={"numpy": "(left out)", "jax": "(left out) 1", "torch": "1"}))
    b = run_of(OK, id="B", machine=machine(packages={"numpy": "2.5.0", "jax": "(left out) 2", "scipy": "1"}))
    assert environment_differences(a, b) == {
        "package jax": ("(left out) 1", "(left out) 2"),
        "package scipy": (None, "1"),
        "package torch": ("1", None),
    }


def test_another_window_is_a_difference_and_does_not_prevent_a_comparison() -> None:
    settings = Settings(window_s={"cpu": 0.2}, warmup_s=0.5)
    a, b = run_of(OK), run_of(OK, id="B").model_copy(update={"settings": settings})
    result = compare(a, b, metrics=["throughput"])
    assert result.environment == {"window": (None, "cpu 0.2 s"), "warm-up": (None, "0.5 s")}
    assert only(result).verdict != "not comparable"


def test_scratch_directories_of_a_run_are_no_difference() -> None:
    a, b = (
        run.model_copy(update={"run": run.run.model_copy(update={"environment": build({}, 2, Path(scratch)).managed})})
        for run, scratch in ((run_of(OK), "/tmp/a"), (run_of(OK, id="B"), "/tmp/b"))
    )
    assert a.run.environment != b.run.environment
    assert environment_differences(a, b) == {}


def test_unknown_factor_names_the_closest() -> None:
    with pytest.raises(UsageError, match=r"'frameworks'\..*'framework'\?"):
        pair_cases(run_of(OK), run_of(OK), "frameworks")
