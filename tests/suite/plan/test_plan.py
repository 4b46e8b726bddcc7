"""The order of rounds, the stages of a trial and the expected duration."""

from __future__ import annotations

from plans import make, with_gpus


def test_each_round_has_every_case_in_its_own_order_which_the_seed_repeats():
    def orders(seed):
        plan = make(seed=seed)
        return [[case.id for case in plan.round_order(number)] for number in range(1, 6)]

    first = orders(seed=1)
    assert all(sorted(order) == sorted(first[0]) for order in first)
    assert len({tuple(order) for order in first}) > 1
    assert orders(seed=1) == first
    assert orders(seed=2) != first


def test_a_gpu_trial_has_resident_idle_and_a_guard_longer_than_the_sensor_lags():
    plan = make(with_gpus())
    cases = {case.device: case for case in plan.cases}
    assert plan.effort(cases["cuda:0"], resident_idle=True).resident_idle_s > 0
    assert plan.effort(cases["cuda:0"]).resident_idle_s == 0
    assert plan.effort(cases["cpu"], resident_idle=True).resident_idle_s == 0
    assert plan.effort(cases["cuda:0"]).guard_s >= 1.1


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
