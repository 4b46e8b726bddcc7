"""The plan of an A/B run: partners, ids, turns, and which cases are skipped."""

from __future__ import annotations

import pytest
from plans import INSTALLED, with_gpus
from plans import make as make_one

from joulemark.suite.errors import UsageError
from joulemark.suite.plan.ab import ArmSpec, make_ab_plan
from joulemark.suite.plan.plan import Plan
from joulemark.suite.records import ArmRecord, Settings

ONLY_PYTORCH = {"pytorch": INSTALLED["pytorch"]}


def arm(name: str, settings: Settings, frameworks=INSTALLED, versions=None) -> ArmSpec:
    record = ArmRecord(interpreter=f"/env/{name}/python", python="3.12", suite_version="1", frameworks=frameworks)
    return ArmSpec(record, {}, settings.arms[name].threads or 2, versions)


def make(a=None, b=None, frameworks_b=INSTALLED, versions_b=None, **settings) -> Plan:
    chosen = Settings.model_validate({"arms": {"a": a or {}, "b": b or {}}, **settings})
    arms = {"a": arm("a", chosen), "b": arm("b", chosen, frameworks_b, versions_b)}
    return make_ab_plan(chosen, arms, order_seed=1, base_threads=2)


def in_pairs(cases):
    """Return a plan's cases, or a round's, two by two."""
    return zip(cases[::2], cases[1::2], strict=True)


def test_ids_name_the_arm_and_what_differs_from_the_run() -> None:
    plan = make({"threads": 1}, {"threads": 2, "allocator": "default"}, workload=["matmul"], framework=["pytorch"])
    assert [case.id.partition("+")[2] for case in plan.cases] == ["arm=a+threads=1", "allocator=default+arm=b"]
    assert [(case.arm, case.threads, case.allocator) for case in plan.cases] == [
        ("a", 1, "retain"),
        ("b", 2, "default"),
    ]
    assert len({case.id for case in plan.cases}) == len(plan.cases)


@pytest.mark.parametrize(
    ("axis", "a", "b"),
    [("mode", "eager", "compile"), ("batch_size", 2, 8), ("precision", "fp32", "bf16"), ("threads", 1, 2)],
)
def test_partners_differ_only_in_the_axis(axis: str, a: object, b: object) -> None:
    plan = make({axis: a}, {axis: b}, workload=["cnn"], framework=["pytorch"])
    assert len(plan.runnable()) == 4, "two phases, two arms"
    for case_a, case_b in in_pairs(plan.cases):
        assert (getattr(case_a, axis), getattr(case_b, axis)) == (a, b)
        equal = {"workload", "phase", "framework", "device", "mode", "precision", "batch_size", "threads"} - {axis}
        assert all(getattr(case_a, name) == getattr(case_b, name) for name in equal)
        assert plan.pair_of[case_a.id] == plan.pair_of[case_b.id]


def test_partners_follow_each_other_and_each_is_first_in_one_round_of_two() -> None:
    plan = make({"threads": 1}, {"threads": 2}, workload=["cnn", "matmul"])
    first_arms: dict[str, list[str]] = {}
    for number in range(1, 9):
        order = plan.round_order(number)
        assert sorted(case.id for case in order) == sorted(case.id for case in plan.runnable())
        for first, second in in_pairs(order):
            assert plan.pair_of[first.id] == plan.pair_of[second.id], "something came between two partners"
            first_arms.setdefault(plan.pair_of[first.id], []).append(first.arm)
    assert all(arms.count("a") == 4 for arms in first_arms.values())
    assert all(set(pair) == {"a", "b"} for arms in first_arms.values() for pair in in_pairs(arms))
    assert len({tuple(arms) for arms in first_arms.values()}) > 1, "all pairs begin with the same arm"


def test_two_environments_pair_every_mode_with_itself() -> None:
    plan = make({"python": "/env/a/python"}, {}, profile="standard", workload=["cnn"])
    for case_a, case_b in in_pairs(plan.cases):
        assert (case_a.mode, case_a.allocator, case_a.framework) == (case_b.mode, case_b.allocator, case_b.framework)
    assert {case.mode for case in plan.cases} == {"eager", "compile", "graph", "xla", "jit"}
    assert "default" in {case.allocator for case in plan.cases}, "the out-of-the-box case has a partner too"


def test_the_allocator_as_the_factor_leaves_out_the_out_of_the_box_case() -> None:
    plan = make({"allocator": "retain"}, {"allocator": "default"}, profile="standard", workload=["cnn"])
    assert len({case.id for case in plan.cases}) == len(plan.cases)
    for case_a, case_b in in_pairs(plan.cases):
        assert (case_a.allocator, case_b.allocator) == ("retain", "default")


def test_a_case_without_a_partner_is_skipped() -> None:
    plan = make({"mode": "eager"}, {"mode": "compile"}, workload=["matmul"])
    skipped = [case for case in plan.cases if case not in plan.runnable()]
    assert [(case.framework, case.arm) for case in skipped] == [("tensorflow", "a"), ("jax", "a")]
    assert {case.reason_code for case in skipped} == {"no_partner"}
    assert "arm b" in skipped[0].reason
    assert {case.framework for case in plan.runnable()} == {"pytorch"}


def test_a_framework_that_one_arm_lacks_is_skipped_in_both() -> None:
    plan = make(frameworks_b=ONLY_PYTORCH, workload=["matmul"])
    assert {case.framework for case in plan.runnable()} == {"pytorch"}
    skipped = {case.arm: case for case in plan.cases if case.framework == "tensorflow"}
    assert {name: case.reason_code for name, case in skipped.items()} == {"a": "no_partner", "b": "not_installed"}
    assert skipped["b"].reason in skipped["a"].reason
    with pytest.raises(UsageError, match=r"arm b \(/env/b/python\): TensorFlow"):
        make(frameworks_b=ONLY_PYTORCH, framework=["tensorflow"])


def test_a_workload_has_the_version_of_its_arm() -> None:
    versions = {"matmul": {"pytorch": "ffffffffffff"}}
    plan = make(versions_b=versions, workload=["matmul"], framework=["pytorch"])
    case_a, case_b = plan.cases
    assert case_b.workload_version == "ffffffffffff" != case_a.workload_version
    without_cnn = make(versions_b=versions, workload=["cnn", "matmul"], framework=["pytorch"])
    assert {case.workload for case in without_cnn.runnable()} == {"matmul"}
    skipped = next(case for case in without_cnn.cases if case.workload == "cnn" and case.arm == "b")
    assert skipped.reason_code == "unsupported"
    assert "/env/b/python" in skipped.reason
    assert skipped.reason.endswith(" cnn")


def test_no_case_in_both_arms_is_refused() -> None:
    with pytest.raises(UsageError, match=r"arm b .*/env/b/python .*matmul"):
        make(versions_b={}, workload=["matmul"])


def test_a_selectable_axis_is_given_for_both_arms_or_neither() -> None:
    with pytest.raises(UsageError, match=r"--a-mode .*--b-mode"):
        make({"mode": "eager"}, {})


def test_the_maximum_of_rounds_is_a_multiple_of_the_rounds() -> None:
    assert make(rounds=5, max_rounds=15, workload=["matmul"]).max_rounds == 15
    assert make(rounds=5, max_rounds=5, workload=["matmul"]).max_rounds is None
    assert make(rounds=5, profile="ci", workload=["matmul"]).max_rounds == 10, "two analyses"
    for max_rounds, nearest in ((12, 10), (13, 15), (3, 10)):
        with pytest.raises(UsageError, match=rf"--max-rounds {max_rounds} .*\b5\b.*Give {nearest}"):
            make(rounds=5, max_rounds=max_rounds, workload=["matmul"])


def test_the_rounds_of_pairs_have_no_limit() -> None:
    """`quick` alone would have one, with two frameworks on a GPU."""
    settings = Settings.model_validate({"arms": {"a": {"threads": 1}, "b": {"threads": 2}}})
    arms = {name: arm(name, settings, with_gpus()) for name in ("a", "b")}
    assert make_one(with_gpus()).rounds == 1
    assert make_ab_plan(settings, arms, order_seed=1, base_threads=2).rounds == 3


def test_the_expected_duration_includes_the_imports_of_both_arms() -> None:
    one_arm, both_arms = make_one(workload=("matmul",)), make(workload=["matmul"])
    assert len(both_arms.runnable()) == 2 * len(one_arm.runnable())
    idle_s = 2 * one_arm.profile.idle_s
    assert both_arms.expected_s() - idle_s == pytest.approx(2 * (one_arm.expected_s() - idle_s))
