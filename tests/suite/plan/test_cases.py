"""Profiles and selections -> cases."""

from __future__ import annotations

import pytest

from joulemark.suite.errors import UsageError
from joulemark.suite.plan import cases as plan
from joulemark.suite.records import FrameworkInfo, Settings
from joulemark.workloads.registry import workloads

BOTH = {
    "pytorch": FrameworkInfo(version="2", python="3", build="cpu"),
    "tensorflow": FrameworkInfo(version="2", python="3", build="cpu"),
}
BOARD = {name: info.model_copy(update={"devices": ("cpu", "cuda:0", "cuda:1")}) for name, info in BOTH.items()}


def make(installed=BOTH, seed=1, **settings) -> plan.Plan:
    return plan.make(Settings(**settings), installed, seed, threads=2)


def test_quick_is_what_users_run_by_default():
    made = make()
    modes = {(case.framework, case.mode) for case in made.cases}
    assert modes == {("pytorch", "eager"), ("tensorflow", "graph")}
    assert {case.device for case in made.cases} == {"cpu"}
    assert made.rounds == 3


def test_a_board_adds_its_cases_and_only_the_first_board():
    assert {case.device for case in make(BOARD).cases} == {"cpu", "cuda:0"}
    assert {case.device for case in make(BOARD, device=["cuda:1"]).cases} == {"cuda:1"}


def test_an_axis_that_is_given_replaces_that_axis_only():
    made = make(framework=["pytorch"], mode=["compile"], batch_size=[2, 4])
    assert {case.mode for case in made.cases} == {"compile"}
    assert {case.batch_size for case in made.cases} == {2, 4}
    assert {case.workload for case in made.cases} == {case.workload for case in make().cases}


def test_what_a_workload_does_not_run_in_is_skipped_with_its_reason():
    made = make(BOARD, workload=["matmul", "input_pipeline"], size=["tiny"], batch_size=[1, 16], framework=["pytorch"])
    reasons = {(c.workload, c.device, c.batch_size): c.reason for c in made.cases if c not in made.runnable()}
    assert reasons == {
        ("matmul", "cpu", 16): "a step of matmul is of one sample, not of 16",
        ("matmul", "cuda:0", 16): "a step of matmul is of one sample, not of 16",
        ("input_pipeline", "cuda:0", 1): "input_pipeline runs on cpu alone, not on cuda",
        ("input_pipeline", "cuda:0", 16): "input_pipeline runs on cpu alone, not on cuda",
    }


def test_what_is_counted_follows_the_phase():
    items = {case.phase: case.item for case in make(workload=["ddpm"], size=["tiny"]).cases}
    assert items == {"training": "image", "generation": "denoising step"}


def test_compulsory_bytes_are_of_the_precision():
    wide, narrow = make(workload=["matmul"], framework=["pytorch"], precision=["fp32", "bf16"]).cases
    assert wide.bytes_per_item == 2 * narrow.bytes_per_item


def test_a_mode_of_one_framework_leaves_the_other_out():
    assert {case.framework for case in make(mode=["xla"]).cases} == {"tensorflow"}


def test_a_name_stands_for_all_its_variants():
    variants = {workload.id for workload in workloads().values() if workload.name == "activation"}
    made = make(workload=["activation"], size=["tiny"])
    assert {case.workload_id for case in made.cases} == variants
    assert len(variants) > 1


def test_full_has_every_workload_and_standard_one_of_each_family():
    everything = {workload.id for workload in workloads().values()}
    full = {c.workload_id for c in make(profile="full").cases}
    assert full == everything
    standard = make(profile="standard")
    families = [workloads()[c.workload_id].family for c in standard.cases]
    assert set(families) == {workload.family for workload in workloads().values()}
    assert {case.id for case in make().cases} <= {case.id for case in standard.cases}
    assert "compile" in {case.mode for case in standard.cases}


def test_standard_measures_one_case_a_framework_out_of_the_box():
    default = [case for case in make(profile="standard").cases if case.allocator == "default"]
    assert {case.framework for case in default} == {"pytorch", "tensorflow"}
    assert len(default) == 2
    assert all(case.id.endswith("+allocator=default") for case in default)


def test_ids_are_unique_and_say_what_is_measured():
    cases = make(BOARD, profile="full").cases
    assert len({case.id for case in cases}) == len(cases)
    case = cases[0]
    assert case.id == (
        f"{case.workload}:{case.size}/{case.phase}/{case.framework}/{case.mode}/{case.device}/{case.precision}"
        f"/b{case.batch_size}"
    )


def test_each_round_has_every_case_in_an_order_of_its_own_that_the_seed_repeats():
    made = make()
    orders = [[case.id for case in made.order(number)] for number in range(1, 6)]
    assert all(sorted(order) == sorted(orders[0]) for order in orders)
    assert len({tuple(order) for order in orders}) > 1
    assert orders == [[case.id for case in make().order(number)] for number in range(1, 6)]
    assert orders != [[case.id for case in make(seed=2).order(number)] for number in range(1, 6)]


def test_a_framework_that_is_not_there_is_skipped_unless_it_was_named():
    half = {"pytorch": BOTH["pytorch"]}
    made = make(half)
    skipped = [case for case in made.cases if case.framework == "tensorflow"]
    assert skipped
    assert all((case.status, case.reason_code) == ("skipped", "not_installed") for case in skipped)
    assert {case.framework for case in made.runnable()} == {"pytorch"}
    with pytest.raises(UsageError, match=r"TensorFlow not installed.*joulemark\[tensorflow\]"):
        make(half, framework=["tensorflow"])
    with pytest.raises(UsageError, match="PyTorch and TensorFlow not installed"):
        make({})


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"workload": ["pca"], "precision": ["fp16"]}, "pca runs in fp32, not in fp16"),
        ({"workload": ["input_pipeline"], "mode": ["compile", "xla"]}, "nothing that a compiler could take in"),
    ],
)
def test_what_a_workload_does_not_claim_is_skipped_with_the_reason(asked, words):
    made = make(size=["tiny"], **asked)
    assert {case.framework for case in made.cases} == {"pytorch", "tensorflow"}
    assert made.runnable() == ()
    for case in made.cases:
        assert (case.status, case.reason_code) == ("skipped", "unsupported")
        assert words in case.reason


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match="cuda:0"):
        make(device=["cuda:0"])


def test_a_board_rests_with_the_program_resident_and_its_borders_outlast_its_sensor():
    cases = {case.device: case for case in make(BOARD).cases}
    made = make(BOARD)
    assert made.effort(cases["cuda:0"], rest=True).resident_idle_s > 0
    assert made.effort(cases["cuda:0"]).resident_idle_s == 0
    assert made.effort(cases["cpu"], rest=True).resident_idle_s == 0
    assert made.effort(cases["cuda:0"]).guard_s >= 1.1


def test_the_expected_time_grows_with_the_rounds():
    assert make(rounds=6).expected_s() > 1.5 * make(rounds=3).expected_s()


def test_what_is_named_twice_is_measured_once():
    ids = [case.id for case in make(workload=("cnn", "cnn"), batch_size=(8, 8), framework=("pytorch", "pytorch")).cases]
    assert len(ids) == len(set(ids)) == 2
