"""Two arms -> one plan: partners, ids, turns, and what is left out with which reason."""

from __future__ import annotations

import pytest

from joulemark.suite.errors import UsageError
from joulemark.suite.plan import ab
from joulemark.suite.plan.cases import Plan
from joulemark.suite.records import ArmRecord, FrameworkInfo, Settings

BOTH = {
    "pytorch": FrameworkInfo(version="2", python="3", build="cpu"),
    "tensorflow": FrameworkInfo(version="2", python="3", build="cpu"),
}


def side(name: str, settings: Settings, frameworks=BOTH, versions=None) -> ab.ArmSpec:
    arm = ArmRecord(interpreter=f"/env/{name}/python", python="3.12", suite_version="1", frameworks=frameworks)
    return ab.ArmSpec(arm, {}, settings.arms[name].threads or 2, versions)


def make(a=None, b=None, frameworks_b=BOTH, versions_b=None, seed=1, **settings) -> Plan:
    chosen = Settings.model_validate({"arms": {"a": a or {}, "b": b or {}}, **settings})
    sides = {"a": side("a", chosen), "b": side("b", chosen, frameworks_b, versions_b)}
    return ab.make(chosen, sides, seed, base_threads=2)


def twos(cases):
    """A plan's cases, or a round's, two by two."""
    return zip(cases[::2], cases[1::2], strict=True)


def test_ids_name_the_arm_and_what_differs_from_the_run() -> None:
    made = make({"threads": 1}, {"threads": 2, "allocator": "default"}, workload=["matmul"], framework=["pytorch"])
    assert [case.id.partition("+")[2] for case in made.cases] == ["arm=a+threads=1", "allocator=default+arm=b"]
    assert [(case.arm, case.threads, case.allocator) for case in made.cases] == [
        ("a", 1, "retain"),
        ("b", 2, "default"),
    ]
    assert len({case.id for case in made.cases}) == len(made.cases)


@pytest.mark.parametrize(
    ("axis", "a", "b"),
    [("mode", "eager", "compile"), ("batch_size", 2, 8), ("precision", "fp32", "bf16"), ("threads", 1, 2)],
)
def test_partners_differ_in_the_axis_and_in_nothing_else(axis: str, a: object, b: object) -> None:
    made = make({axis: a}, {axis: b}, workload=["cnn"], framework=["pytorch"])
    assert len(made.runnable()) == 4, "two phases, two arms"
    for one, other in twos(made.cases):
        assert (getattr(one, axis), getattr(other, axis)) == (a, b)
        alike = {"workload", "phase", "framework", "device", "mode", "precision", "batch_size", "threads"} - {axis}
        assert all(getattr(one, name) == getattr(other, name) for name in alike)
        assert made.turns[one.id] == made.turns[other.id]


def test_partners_take_turns_and_each_is_first_in_one_round_of_two() -> None:
    made = make({"threads": 1}, {"threads": 2}, workload=["cnn", "matmul"])
    firsts: dict[str, list[str]] = {}
    for number in range(1, 9):
        order = made.order(number)
        assert sorted(case.id for case in order) == sorted(case.id for case in made.runnable())
        for one, other in twos(order):
            assert made.turns[one.id] == made.turns[other.id], "something came between two partners"
            firsts.setdefault(made.turns[one.id], []).append(one.arm)
    assert all(arms_.count("a") == 4 for arms_ in firsts.values())
    assert all(set(pair) == {"a", "b"} for arms_ in firsts.values() for pair in twos(arms_))
    assert len({tuple(arms_) for arms_ in firsts.values()}) > 1, "all pairs begin with the same arm"


def test_two_environments_have_all_modes_each_beside_its_own_kind() -> None:
    made = make({"python": "/env/a/python"}, {}, profile="standard", workload=["cnn"])
    for one, other in twos(made.cases):
        assert (one.mode, one.allocator, one.framework) == (other.mode, other.allocator, other.framework)
    assert {case.mode for case in made.cases} == {"eager", "compile", "graph", "xla"}
    assert "default" in {case.allocator for case in made.cases}, "the case out of the box has a partner too"


def test_the_allocator_as_the_factor_leaves_out_the_case_out_of_the_box() -> None:
    made = make({"allocator": "retain"}, {"allocator": "default"}, profile="standard", workload=["cnn"])
    assert len({case.id for case in made.cases}) == len(made.cases)
    for one, other in twos(made.cases):
        assert (one.allocator, other.allocator) == ("retain", "default")


def test_what_has_no_partner_is_not_run_and_says_so() -> None:
    made = make({"mode": "eager"}, {"mode": "compile"}, workload=["matmul"])
    reasons = {case.framework: (case.reason_code, case.reason) for case in made.cases if case not in made.runnable()}
    assert reasons == {"tensorflow": ("no_partner", "arm b has no such case")}
    assert {case.framework for case in made.runnable()} == {"pytorch"}


def test_a_framework_that_one_arm_lacks_is_run_in_neither() -> None:
    made = make(frameworks_b={"pytorch": BOTH["pytorch"]}, workload=["matmul"])
    skipped = [case for case in made.cases if case not in made.runnable()]
    assert {case.framework for case in skipped} == {"tensorflow"}
    assert {case.arm: case.reason_code for case in skipped} == {"a": "no_partner", "b": "not_installed"}
    assert "arm b skips it: TensorFlow is not installed" in next(case.reason for case in skipped if case.arm == "a")
    with pytest.raises(UsageError, match=r"arm b \(/env/b/python\): TensorFlow not installed"):
        make(frameworks_b={"pytorch": BOTH["pytorch"]}, framework=["tensorflow"])


def test_a_workload_has_the_version_that_its_own_arm_says() -> None:
    made = make(versions_b={"matmul": {"pytorch": "ffffffffffff"}}, workload=["matmul"], framework=["pytorch"])
    one, other = made.cases
    assert other.workload_version == "ffffffffffff" != one.workload_version
    lacking = make(versions_b={"matmul": {"pytorch": "ffffffffffff"}}, workload=["cnn", "matmul"], framework=["pytorch"])
    assert {case.workload for case in lacking.runnable()} == {"matmul"}
    reason = next(case.reason for case in lacking.cases if case.workload == "cnn" and case.arm == "b")
    assert reason == "/env/b/python knows no workload cnn"


def test_nothing_in_both_arms_is_refused() -> None:
    with pytest.raises(UsageError, match="in both arms: arm b skips it: /env/b/python knows no workload"):
        make(versions_b={}, workload=["matmul"])
    with pytest.raises(UsageError, match="--a-mode has no --b-mode beside it: give both"):
        make({"mode": "eager"}, {})


def test_the_most_rounds_are_whole_looks() -> None:
    assert make(rounds=5, max_rounds=15, workload=["matmul"]).max_rounds == 15
    assert make(rounds=5, max_rounds=5, workload=["matmul"]).max_rounds is None
    for most, near in ((12, 10), (13, 15), (3, 10)):
        with pytest.raises(UsageError, match=f"--max-rounds {most} is no multiple of the 5 rounds.*Give {near}"):
            make(rounds=5, max_rounds=most, workload=["matmul"])


def test_the_expected_time_has_the_zygotes_of_both_arms() -> None:
    from joulemark.suite.plan import cases as plan

    one = plan.make(Settings(workload=("matmul",)), BOTH, 1, threads=2)
    both = make(workload=["matmul"])
    assert len(both.runnable()) == 2 * len(one.runnable())
    idle_s = 2 * one.profile.idle_s
    assert both.expected_s() - idle_s == pytest.approx(2 * (one.expected_s() - idle_s))
