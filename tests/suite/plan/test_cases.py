"""Profiles and selections -> cases."""

from __future__ import annotations

from dataclasses import replace

import pytest
from plans import INSTALLED, make, with_gpus

from joulemark.suite.errors import UsageError
from joulemark.suite.plan import axes
from joulemark.suite.plan.profiles import PROFILES
from joulemark.suite.records import Settings
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.workloads.registry import workloads


def test_quick_measures_the_default_modes_on_the_cpu():
    plan = make()
    modes = {(case.framework, case.mode) for case in plan.cases}
    assert modes == {(name, framework.default_mode) for name, framework in FRAMEWORKS.items()}
    assert {case.device for case in plan.cases} == {"cpu"}
    assert plan.rounds == 3


def test_the_first_gpu_is_measured_by_default_and_others_by_name():
    assert {case.device for case in make(with_gpus()).cases} == {"cpu", "cuda:0"}
    assert {case.device for case in make(with_gpus(), device=["cuda:1"]).cases} == {"cuda:1"}


@pytest.mark.parametrize("profile", PROFILES)
def test_a_gpu_takes_the_papers_size_in_two_precisions_and_a_cpu_a_small_one(profile):
    cases = make(with_gpus(), profile=profile).cases
    selected = {(case.device, case.size, case.precision) for case in cases}
    assert selected == {("cpu", "small", "fp32"), ("cuda:0", "base", "fp32"), ("cuda:0", "base", "bf16")}
    on_cpu = {case.id for case in cases if case.device == "cpu"}
    assert on_cpu == {case.id for case in make(profile=profile).cases}


def test_a_named_size_or_precision_is_that_of_every_device():
    cases = make(with_gpus(), size=["tiny"]).cases
    assert {(case.device, case.size) for case in cases} == {("cpu", "tiny"), ("cuda:0", "tiny")}
    assert {case.precision for case in cases if case.device == "cuda:0"} == {"fp32", "bf16"}
    cases = make(with_gpus(), precision=["bf16"]).cases
    assert {(case.device, case.size) for case in cases} == {("cpu", "small"), ("cuda:0", "base")}
    assert {case.precision for case in cases} == {"bf16"}


def test_a_named_workload_is_measured_on_every_device():
    """`quick` measures it on the CPU only."""
    assert {case.device for case in make(with_gpus(), workload=["ddpm"]).cases} == {"cpu", "cuda:0"}
    assert {case.device for case in make(with_gpus()).cases if case.workload == "ddpm"} == {"cpu"}


def own_profile(**changes):
    return {"profile": "mine", "profiles": {"mine": {"base": "quick", "workloads": ["matmul"], **changes}}}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"size": "tiny"}, {("cpu", "tiny", "fp32"), ("cuda:0", "tiny", "fp32"), ("cuda:0", "tiny", "bf16")}),
        (
            {"size": {"cuda": "n2048"}},
            {("cpu", "small", "fp32"), ("cuda:0", "n2048", "fp32"), ("cuda:0", "n2048", "bf16")},
        ),
        ({"precisions": ["tf32"]}, {("cpu", "small", "tf32"), ("cuda:0", "base", "tf32")}),
        ({"precisions": {"cuda": ["fp16"]}}, {("cpu", "small", "fp32"), ("cuda:0", "base", "fp16")}),
    ],
)
def test_a_profile_of_the_users_own_gives_size_and_precisions_for_all_devices_or_by_device(changes, expected):
    cases = make(with_gpus(), **own_profile(**changes)).cases
    assert {(case.device, case.size, case.precision) for case in cases} == expected


def test_a_profile_of_the_users_own_gives_workloads_and_windows_by_device():
    plan = make(with_gpus(), **own_profile(workloads={"cuda": ["vit"]}, window_s={"cpu": 0.7}))
    workloads_by_device = {
        device: {c.workload for c in plan.cases if c.device == device} for device in ("cpu", "cuda:0")
    }
    assert workloads_by_device["cuda:0"] == {"vit"}
    assert workloads_by_device["cpu"] == {case.workload for case in make().cases}
    windows = {case.device: plan.effort(case).window_s for case in plan.cases}
    assert windows == {"cpu": 0.7, "cuda:0": PROFILES["quick"].window_s["cuda"]}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"size": {"cuda": "bsae"}}, "'bsae'.*'base'"),
        ({"precisions": {"cuda": ["bf61"]}}, "'bf61'.*'bf16'"),
        ({"workloads": {"cpu": ["matmull"]}}, "'matmull'.*'matmul'"),
    ],
)
def test_unknown_names_in_a_profile_are_refused(changes, text):
    with pytest.raises(UsageError, match=text):
        make(with_gpus(), **own_profile(**changes))


def test_a_workload_without_the_profiles_size_takes_its_reference_size():
    matmul = workloads()["matmul"]
    for kind, named, expected in (("cpu", ("tiny", "base"), "base"), ("cuda", ("tiny", "small"), "small")):
        other = replace(matmul, sizes={name: matmul.sizes[name] for name in named})
        assert axes.sizes(Settings(), other, PROFILES["full"], kind) == [expected]
        # A size that the user names is no default: who lacks it is left out.
        assert axes.sizes(Settings(size=("n1024",)), other, PROFILES["full"], kind) == []


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
    assert {case.framework for case in plan.cases} >= {"pytorch", "tensorflow"}
    assert plan.runnable() == ()
    for case in plan.cases:
        assert (case.status, case.reason_code) == ("skipped", "unsupported")
        assert value in case.reason


def test_a_workload_with_nothing_to_compile_takes_a_mode_that_does_not():
    for profile in ("quick", "standard"):  # whose modes are the default ones, and these with the compiled ones
        cases = make(workload=["input_pipeline", "word2vec"], profile=profile, phase=["inference", "training"]).cases
        planned = [case for case in reversed(cases) if case.reason == "not attempted"]
        default = {(case.workload, case.framework): case.mode for case in planned}
        assert default["input_pipeline", "jax"] == "eager"
        assert default["word2vec", "jax"] == "jit"
        assert default["input_pipeline", "tensorflow"] == "graph"


def test_cuda_graphs_are_selected_on_a_gpu_and_skipped_on_a_cpu_that_is_asked_for_them():
    selection = {"profile": "standard", "workload": ["cnn"], "framework": ["pytorch"]}
    modes = {(case.device, case.mode) for case in make(with_gpus(), **selection).cases}
    assert modes == {
        *(("cpu", mode) for mode in ("eager", "compile")),
        *(("cuda:0", mode) for mode in ("eager", "compile", "cudagraph")),
    }
    for case in (plan := make(with_gpus(), **selection, mode=["cudagraph"])).cases:
        assert (case in plan.runnable()) == (case.device == "cuda:0")
        assert case.device != "cpu" or "cudagraph runs on a GPU only: a CUDA graph is" in case.reason


def test_the_item_follows_the_phase():
    items = {case.phase: case.item for case in make(workload=["ddpm"], size=["tiny"]).cases}
    assert items == {"training": "image", "generation": "denoising step"}


def test_compulsory_bytes_follow_the_precision():
    fp32, bf16 = make(workload=["matmul"], framework=["pytorch"], precision=["fp32", "bf16"]).cases
    assert fp32.bytes_per_item == 2 * bf16.bytes_per_item == 2 * bf16.unfused_bytes_per_item  # nothing to fuse


def test_a_mode_of_one_framework_excludes_the_other():
    assert {case.framework for case in make(mode=["xla"]).cases} == {"tensorflow"}


def test_a_workload_name_selects_all_its_variants():
    variants = {workload.id for workload in workloads().values() if workload.name == "activation"}
    plan = make(workload=["activation"], size=["tiny"])
    assert {case.workload_id for case in plan.cases} == variants
    assert len(variants) > 1


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
    with pytest.raises(UsageError, match=r"joulemark\[pytorch\].*joulemark\[tensorflow\]"):
        make({})


def test_a_broken_framework_is_skipped_unless_it_was_asked_for():
    broken = INSTALLED["tensorflow"].model_copy(update={"devices": (), "broken_reason": "ImportError: bad symbol."})
    installed = INSTALLED | {"tensorflow": broken}
    skipped = [case for case in make(installed).cases if case.framework == "tensorflow"]
    assert skipped
    assert {case.reason_code for case in skipped} == {"import_failed"}
    refusal = r"cannot be imported: ImportError: bad symbol\. Run: {}pip install --force-reinstall 'joulemark\[tens"
    with pytest.raises(UsageError, match=refusal.format("")):
        make(installed, framework=["tensorflow"])
    with pytest.raises(UsageError, match=refusal.format("/opt/tf/bin/python -m ")):
        make(installed, python={"tensorflow": "/opt/tf/bin/python"})


def test_a_device_is_skipped_in_a_framework_that_does_not_see_it():
    gpus = with_gpus()
    blind = gpus["tensorflow"].model_copy(update={"devices": ("cpu",), "blind": "no libcudnn.so.9"})
    plan = make(gpus | {"tensorflow": blind}, device=["cuda:0"])
    assert {case.framework for case in plan.runnable()} == set(FRAMEWORKS) - {"tensorflow"}
    reasons = {case.reason for case in plan.cases if case.framework == "tensorflow"}
    assert reasons == {"TensorFlow sees no device cuda:0: no libcudnn.so.9"}
    with pytest.raises(UsageError, match=r"'cuda:0'.*No GPU is seen: no libcudnn"):
        make(gpus | {"tensorflow": blind}, device=["cuda:0"], framework=["tensorflow"])


def test_a_missing_device_is_refused():
    with pytest.raises(UsageError, match="cuda:0"):
        make(device=["cuda:0"])


def test_values_named_twice_are_measured_once():
    selection = {"workload": ("cnn", "cnn"), "batch_size": (8, 8), "framework": ("pytorch", "pytorch")}
    ids = [case.id for case in make(**selection).cases]
    assert len(ids) == len(set(ids)) == 2
