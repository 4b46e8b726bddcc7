"""Expected durations against the runs that are kept."""

from __future__ import annotations

import pytest
from places import ROOT
from plans import make

from joulemark.suite.results.run_files import read
from joulemark.suite.trial.frameworks import FRAMEWORKS
from studies.trial_starts import duration_s, plan_of, starts

RESULTS = ROOT / "docs" / "results"
ON_CPU = ("quick-2-cores", "quick-3-frameworks-2-cores", "standard-2-cores")
ON_GPU = ("h200-quick-small-fp32", "h200-base-bf16")
FACTOR = 1.2
"""By which a run may take longer or shorter than expected: its machine is no other than that of the figures."""


@pytest.fixture(scope="module")
def kept():
    return {name: read(RESULTS / f"{name}.json") for name in (*ON_CPU, *ON_GPU)}


@pytest.mark.slow
def test_each_kept_run_took_as_long_as_expected_within_a_fifth(kept):
    ratios = {name: plan_of(run_file).expected_s() / duration_s(run_file) for name, run_file in kept.items()}
    assert {name: ratio for name, ratio in ratios.items() if not 1 / FACTOR <= ratio <= FACTOR} == {}


@pytest.mark.slow
def test_trials_of_responses_took_as_long_as_expected_within_a_fifth():
    """By their trials: between its two parts, the run waited."""
    run_file = read(RESULTS / "responses-2-cores.json")
    plan = plan_of(run_file)
    took_s = sum(trial.ended_s - trial.started_s for case in run_file.cases for trial in case.ok_trials)
    expected_s = sum(plan.trial_s(case) * len(case.trials) for case in run_file.cases)
    assert 1 / FACTOR <= expected_s / took_s <= FACTOR


@pytest.mark.slow
def test_the_starts_in_the_table_of_frameworks_are_those_of_the_kept_runs(kept):
    measured = starts(kept[name] for name in ON_CPU)
    assert {framework for framework, _ in measured} == set(FRAMEWORKS)
    for (name, mode), (start_s, compile_s) in measured.items():
        framework = FRAMEWORKS[name]
        assert framework.start_s[mode] == pytest.approx(start_s, abs=0.06)
        assert framework.compile_s.get(mode, 0.0) == pytest.approx(compile_s, abs=0.06)


def test_every_mode_has_a_start_and_only_one_whose_code_is_cached_a_longer_first_one():
    for framework in FRAMEWORKS.values():
        assert set(framework.start_s) == set(framework.modes)
        cached = {mode for mode, kind in framework.modes.items() if kind == "compiled" and framework.caches_compilation}
        assert set(framework.compile_s) == cached


def test_ci_with_three_frameworks_is_expected_to_take_as_long_as_its_cases_say():
    """Not as if each first call of JAX took what torch.compile takes: 6.8 minutes with one arm."""
    plan = make(profile="ci")
    assert set(FRAMEWORKS) == {case.framework for case in plan.cases}
    assert plan.expected_s() < 300
