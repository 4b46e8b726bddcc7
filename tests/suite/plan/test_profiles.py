"""What the built-in profiles select."""

from __future__ import annotations

import pytest
from plans import make, with_gpus

from joulemark.suite import machine
from joulemark.suite.errors import UsageError
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.workloads.registry import workloads

TWO = ["pytorch", "tensorflow"]


@pytest.mark.parametrize("multiplies_bf16", [False, True])
def test_longer_profiles_contain_shorter_ones_and_full_has_every_workload(multiplies_bf16):
    plans = [make(with_gpus(), profile=name, multiplies_bf16=multiplies_bf16) for name in ("quick", "standard", "full")]
    quick, standard, full = ({case.id for case in plan.cases if "allocator" not in case.id} for plan in plans)
    assert quick <= standard <= full
    assert {case.workload_id for case in plans[-1].cases} == {each.id for each in workloads().values()}


@pytest.mark.parametrize("profile", ["quick", "standard", "full"])
def test_a_gpu_decodes_a_language_model_of_1b_in_each_framework(profile):
    cases = make(with_gpus(), profile=profile).cases
    decoded = {
        (case.framework, case.precision, case.parameters.total, case.status)
        for case in cases
        if (case.workload, case.phase, case.device) == ("llama", "generation", "cuda:0")
    }
    planned = {(name, precision, 1_235_814_400, "skipped") for name in FRAMEWORKS for precision in ("fp32", "bf16")}
    assert decoded == planned
    if profile != "full":
        assert {case.phase for case in cases if case.workload == "llama"} == {"generation"}
        assert "llama" not in {case.workload for case in cases if case.device == "cpu"}


def test_a_phase_of_a_workload_is_that_of_one_kind_of_device_and_gives_way_to_named_ones():
    def phases(**settings):
        cases = make(with_gpus(), framework=["pytorch"], **settings).cases
        return {(case.device, case.phase) for case in cases if case.workload == "transformer"}

    assert phases() == {("cpu", "training"), ("cpu", "generation"), ("cuda:0", "training")}
    assert phases(phase=["generation"]) == {("cpu", "generation"), ("cuda:0", "generation")}
    own = {"profile": "mine", "profiles": {"mine": {"base": "quick", "workloads": ["transformer/generation"]}}}
    assert phases(**own) == {("cpu", "generation"), ("cuda:0", "generation")}
    both = {"mine": {"base": "quick", "workloads": ["transformer/generation", "transformer"]}}
    assert phases(profile="mine", profiles=both) == {
        (device, phase) for device in ("cpu", "cuda:0") for phase in ("training", "generation")
    }


def test_an_unknown_phase_of_a_workload_in_a_profile_is_refused():
    own = {"mine": {"base": "quick", "workloads": ["llama/generatoin"]}}
    with pytest.raises(UsageError, match=r"phase of llama in profile mine .*Did you mean 'generation'\?"):
        make(profile="mine", profiles=own)


def test_standard_takes_an_hour_for_two_frameworks_on_a_cpu_and_decodes_in_bf16_where_the_cores_multiply_it():
    plain, plan = (make(profile="standard", framework=TWO, multiplies_bf16=each) for each in (False, True))
    assert plan.expected_s() <= 3600
    assert {case.precision for case in plain.cases} == {"fp32"}
    half = [case for case in plan.cases if case.precision == "bf16"]
    assert {"training", "generation"} <= {case.phase for case in half}
    assert {case.mode for case in half} == {"eager", "compile", "graph", "xla"}
    own = {"profile": "mine", "profiles": {"mine": {"base": "standard", "precisions": ["fp32"]}}}
    for changes in ({"precision": ["fp32"]}, own):
        cases = make(multiplies_bf16=True, **{"profile": "standard", **changes}).cases
        assert {case.precision for case in cases} == {"fp32"}


def test_standard_measures_one_case_of_each_framework_with_the_default_allocator():
    default = [case for case in make(profile="standard").cases if case.allocator == "default"]
    assert sorted(case.framework for case in default) == sorted(FRAMEWORKS)
    assert all(case.id.endswith("+allocator=default") for case in default)


def test_whether_the_cores_multiply_bf16_is_read_from_their_flags():
    multiplying = {"avx512_bf16", "amx_bf16", "bf16"}
    assert machine.multiplies_bf16() == (not multiplying.isdisjoint(machine.describe().cpu.flags))
