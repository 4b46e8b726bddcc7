"""Profiles and selections -> cases."""

from __future__ import annotations

import pytest
from plans import INSTALLED, make, with_gpus

from joulemark.suite.errors import UsageError
from joulemark.workloads.registry import workloads


def test_quick_measures_the_default_modes_on_the_cpu():
    plan = make()
    modes = {(case.framework, case.mode) for case in plan.cases}
    assert modes == {("pytorch", "eager"), ("tensorflow", "graph")}
    assert {case.device for case in plan.cases} == {"cpu"}
    assert plan.rounds == 3


def test_the_first_gpu_is_measured_by_default_and_others_by_name():
    assert {case.device for case in make(with_gpus()).cases} == {"cpu", "cuda:0"}
    assert {case.device for case in make(with_gpus(), device=["cuda:1"]).cases} == {"cuda:1"}


def test_a_named_axis_replaces_only_that_axis():
    plan = make(framework=["pytorch"], mode=["compile"], batch_size=[2, 4])
    assert {case.mode for case in plan.cases} == {"compile"}
    assert {case.batch_size for case in plan.cases} == {2, 4}
    assert {case.workload for case in plan.cases} == {case.workload for case in make().cases}


def test_batch_sizes_and_devices_that_a_workload_lacks_are_skipped():
    selection = {"workload": ["matmul", "input_pipeline"], "size": ["tiny"], "framework": ["pytorch"]}
    plan = make(with_gpus(), batch_size=[1, 16], **selection)
    skipped = {(case.workload, case.device, case.batch_size) for case in plan.cases if case not in plan.runnable()}
    assert skipped == {
        ("matmul", "cpu", 16),
        ("matmul", "cuda:0", 16),
        ("input_pipeline", "cuda:0", 1),
        ("input_pipeline", "cuda:0", 16),
    }
    assert all(case.reason_code == "unsupported" and case.reason for case in plan.cases if case not in plan.runnable())


@pytest.mark.parametrize(
    ("selection", "value"),
    [
        ({"workload": ["pca"], "precision": ["fp16"]}, "fp16"),
        ({"workload": ["input_pipeline"], "mode": ["compile", "xla"]}, "compile"),
    ],
)
def test_precisions_and_compiled_modes_that_a_workload_lacks_are_skipped(selection, value):
    plan = make(size=["tiny"], **selection)
    assert {case.framework for case in plan.cases} == {"pytorch", "tensorflow"}
    assert plan.runnable() == ()
    for case in plan.cases:
        assert (case.status, case.reason_code) == ("skipped", "unsupported")
        assert value in case.reason


def test_the_item_follows_the_phase():
    items = {case.phase: case.item for case in make(workload=["ddpm"], size=["tiny"]).cases}
    assert items == {"training": "image", "generation": "denoising step"}


def test_compulsory_bytes_follow_the_precision():
    fp32, bf16 = make(workload=["matmul"], framework=["pytorch"], precision=["fp32", "bf16"]).cases
    assert fp32.bytes_per_item == 2 * bf16.bytes_per_item


def test_a_mode_of_one_framework_excludes_the_other():
    assert {case.framework for case in make(mode=["xla"]).cases} == {"tensorflow"}


def test_a_workload_name_selects_all_its_variants():
    variants = {workload.id for workload in workloads().values() if workload.name == "activation"}
    plan = make(workload=["activation"], size=["tiny"])
    assert {case.workload_id for case in plan.cases} == variants
    assert len(variants) > 1


def test_full_has_every_workload_and_standard_one_of_each_family():
    assert {case.workload_id for case in make(profile="full").cases} == {each.id for each in workloads().values()}
    standard = make(profile="standard")
    families = {workloads()[case.workload_id].family for case in standard.cases}
    assert families == {workload.family for workload in workloads().values()}
    assert {case.id for case in make().cases} <= {case.id for case in standard.cases}
    assert "compile" in {case.mode for case in standard.cases}


def test_standard_measures_one_case_of_each_framework_with_the_default_allocator():
    default = [case for case in make(profile="standard").cases if case.allocator == "default"]
    assert {case.framework for case in default} == {"pytorch", "tensorflow"}
    assert len(default) == 2
    assert all(case.id.endswith("+allocator=default") for case in default)


def test_ids_are_unique_and_made_of_the_fields():
    cases = make(with_gpus(), profile="full").cases
    assert len({case.id for case in cases}) == len(cases)
    case = cases[0]
    assert case.id == (
        f"{case.workload}:{case.size}/{case.phase}/{case.framework}/{case.mode}/{case.device}/{case.precision}"
        f"/b{case.batch_size}"
    )


def test_a_missing_framework_is_skipped_unless_it_was_named():
    only_pytorch = {"pytorch": INSTALLED["pytorch"]}
    plan = make(only_pytorch)
    skipped = [case for case in plan.cases if case.framework == "tensorflow"]
    assert skipped
    assert all((case.status, case.reason_code) == ("skipped", "not_installed") for case in skipped)
    assert {case.framework for case in plan.runnable()} == {"pytorch"}
    with pytest.raises(UsageError, match=r"TensorFlow .*joulemark\[tensorflow\]"):
        make(only_pytorch, framework=["tensorflow"])
    with pytest.raises(UsageError, match=r"joulemark\[pytorch,tensorflow\]"):
        make({})


def test_a_missing_device_is_refused():
    with pytest.raises(UsageError, match="cuda:0"):
        make(device=["cuda:0"])


def test_values_named_twice_are_measured_once():
    selection = {"workload": ("cnn", "cnn"), "batch_size": (8, 8), "framework": ("pytorch", "pytorch")}
    ids = [case.id for case in make(**selection).cases]
    assert len(ids) == len(set(ids)) == 2
