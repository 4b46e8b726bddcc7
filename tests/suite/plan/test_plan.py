"""The order of rounds, the stages of a trial and the expected duration."""

from __future__ import annotations

from dataclasses import replace

import pytest
from plans import make, with_gpus

from joulemark.suite.terminal.listings import cases_table


def test_each_round_has_every_case_in_its_own_order_which_the_seed_repeats():
    def orders(seed):
        plan = make(seed=seed)
        return [[case.id for case in plan.round_order(number)] for number in range(1, 6)]

    first = orders(seed=1)
    assert all(sorted(order) == sorted(first[0]) for order in first)
    assert len({tuple(order) for order in first}) > 1
    assert orders(seed=1) == first
    assert orders(seed=2) != first


def test_a_gpu_trial_has_a_guard_longer_than_the_sensor_lags_and_more_stages_in_the_first_round():
    plan = make(with_gpus(), framework=["pytorch"])
    cases = {case.device: case for case in plan.cases}
    assert plan.effort(cases["cuda:0"]).guard_s >= 1.1
    first, later = plan.effort(cases["cuda:0"], 1), plan.effort(cases["cuda:0"])
    assert (later.resident_idle_s, later.profiled_s) == (0.0, 0.0)
    assert first.resident_idle_s > 0
    assert first.profiled_s > 0
    on_cpu = [plan.effort(cases["cpu"], number) for number in (1, 2, 3)]
    assert [effort.counted for effort in on_cpu] == [True, False, False]
    assert on_cpu[2] == plan.effort(cases["cpu"]) == replace(on_cpu[0], counted=False)
    longer = make(profile="standard")
    assert [longer.effort(longer.cases[0], number).counted for number in (1, 2, 3)] == [True, True, False]
    assert [plan.effort(cases["cuda:0"], number).counted for number in (1, 2)] == [True, False]


def test_a_request_has_the_fields_of_its_case():
    plan = make(workload=["activation"], size=["tiny"])
    for case in plan.cases:
        request = plan.request(case)
        assert request.workload == case.workload_id
        assert request.effort == plan.effort(case)
        for name in ("size", "phase", "framework", "mode", "device", "precision", "batch_size", "threads", "allocator"):
            assert getattr(request, name) == getattr(case, name)


def test_the_expected_duration_grows_with_the_rounds():
    assert make(rounds=6).expected_s() > 1.5 * make(rounds=3).expected_s()


def test_the_reference_is_measured_three_times_a_round_and_not_between_arms():
    plan = make(profile="ci")
    places = [[n for n in range(1, trials + 1) if plan.measures_reference_after(n, trials)] for trials in (1, 2, 3, 8)]
    assert places == [[], [1], [1, 2], [3, 6]]  # and at the end of the round, with the noise floor
    arms = replace(plan, cases=tuple(case.model_copy(update={"arm": "a"}) for case in plan.cases))
    quick = make(profile="quick")
    assert [each.measures_reference for each in (plan, arms, quick)] == [True, False, False]
    assert not quick.measures_reference_after(3, 8)
    arms_s = arms.expected_s()
    assert arms_s < plan.expected_s() < arms_s + 60


@pytest.mark.parametrize("names", [("pytorch",), ("tensorflow",), ("pytorch", "tensorflow")])
def test_quick_takes_at_most_8_minutes_with_a_gpu(names):
    installed = {name: with_gpus()[name] for name in names}
    for selection in ({}, {"device": ["cuda:0"]}):
        plan = make(installed, **selection)
        assert plan.expected_s() <= 480
        assert 1 <= plan.rounds <= 3
    # One framework leaves time for the rounds that an interval needs.
    assert make(installed).rounds == (3 if len(names) == 1 else 1)
    assert make().rounds == 3


def test_dropped_rounds_are_announced():
    outline = make(with_gpus()).outline()
    assert (outline["rounds"], outline["dropped_rounds"]) == (1, 2)
    assert "--rounds 3" in str(cases_table(outline))
    assert "dropped_rounds" not in make().outline()
    assert "too long" not in str(cases_table(make().outline()))


def test_rounds_that_are_asked_for_have_no_limit():
    assert make(with_gpus(), rounds=3).rounds == 3
    assert make(with_gpus(), rounds=3).expected_s() > 480
    own = {"mine": {"base": "quick", "rounds": 4}}
    assert make(with_gpus(), profile="mine", profiles=own).rounds == 4
