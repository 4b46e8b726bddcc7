"""A case on all GPUs: each GPU's own numbers, what neighbours cost, and that nothing is counted twice."""

from __future__ import annotations

import pytest
from gpu_runs import GPU_W, HOST_W, NEIGHBOURS, RATE, run_on

from joulemark.suite.records import RunFile, files
from joulemark.suite.results.gpus.across import NOT_AT_ONCE, with_gpus_compared
from joulemark.suite.results.gpus.sentences import gpu_sentences
from joulemark.suite.results.run_files import parse

HEALTHY = (1.0, 1.004, 0.997, 1.002, 0.999, 1.001, 0.998, 1.003)


def of(run_file: RunFile):
    """Return the comparison in a run; only the case on all GPUs has one."""
    (found,) = [case.across_gpus for case in run_file.cases if case.across_gpus is not None]
    return found


def test_slow_gpu_is_named_alone_and_together_and_neighbours_cost_what_they_do():
    found = of(run_on([*HEALTHY[:-1], 0.95]))
    assert [each.verdict for each in found.gpus] == ["as the others"] * 7 + ["slow"]
    slow = found.gpus[-1]
    assert slow.where == ("alone", "together")
    assert slow.alone.deviation == pytest.approx(-0.05, abs=0.003)
    assert slow.together_over_alone.value == pytest.approx(NEIGHBOURS, abs=0.002)
    assert found.together_over_alone.value == pytest.approx(NEIGHBOURS, rel=1e-3)
    assert found.together_over_alone.low < NEIGHBOURS < found.together_over_alone.high
    # The GPU draws the same and does less.
    assert found.energy_together_over_alone.value == pytest.approx(1 / NEIGHBOURS, rel=1e-3)
    assert 0 < found.familywise_rate <= 0.05


def test_gpu_that_throttles_beside_its_neighbours_is_named_with_its_reason():
    found = of(run_on(HEALTHY, warm={3: 0.8}))
    hot = found.gpus[3]
    assert (hot.verdict, hot.where) == ("slow", ("together",))
    assert (hot.alone.throttled, hot.together.throttled) == ((), ("thermal",))
    assert {each.verdict for each in found.gpus if each is not hot} == {"as the others"}
    assert {each.together.throttled for each in found.gpus if each is not hot} == {()}, "a power limit is no fault"


def test_two_gpus_differ():
    assert [each.verdict for each in of(run_on([1.0, 0.95])).gpus] == ["differs"] * 2
    assert [each.verdict for each in of(run_on([1.0, 0.95], rounds=1)).gpus] == ["not judged"] * 2


def test_each_gpu_has_its_own_energy_and_the_host_is_counted_once():
    run_file = run_on(HEALTHY)
    found = of(run_file)
    for i, gpu in enumerate(found.gpus):
        assert gpu.together.power_w.value == pytest.approx(GPU_W + 10 * i)
        assert gpu.together.energy_per_item_j.value * gpu.together.throughput.value == pytest.approx(GPU_W + 10 * i)
        assert gpu.alone.power_w.value == pytest.approx(GPU_W + 10 * i)
    everything = run_file.cases[-1].summary
    rate = everything.throughput.value
    assert rate == pytest.approx(sum(HEALTHY) * NEIGHBOURS * RATE, rel=0.01)
    assert found.host_energy_per_item_j.value == pytest.approx(HOST_W / rate, rel=0.01)
    own = sum(gpu.together.power_w.value for gpu in found.gpus) / rate
    total = found.host_energy_per_item_j.value + own
    assert everything.energy_per_item_j.value == pytest.approx(total, rel=1e-3), "all GPUs and the host once"


def test_gpus_without_a_sensor_have_no_energy_and_a_reason():
    found = of(run_on(HEALTHY[:4], sensors=False))
    for gpu in found.gpus:
        assert (gpu.alone.power_w.value, gpu.alone.power_w.reason) == (None, "no readable sensor of this GPU")
        assert gpu.alone.throughput.value is not None
    assert found.energy_together_over_alone.value is None


def test_comparison_survives_the_file():
    run_file = run_on(HEALTHY[:4])
    again = parse(run_file.model_dump_json(), "a run")
    assert of(again) == of(run_file)
    assert "across_gpus" in str(files.schema())


def test_round_in_which_a_gpu_began_late_does_not_count_as_at_once():
    run_file = run_on(HEALTHY[:4])
    *alone, on_all = run_file.cases
    late, *others = on_all.trials
    begin_s, end_s = late.window_s
    windows = [(begin_s + 1, end_s + 1), *(rank.window_s for rank in late.ranks[1:])]
    ranks = tuple(
        rank.model_copy(update={"window_s": window}) for rank, window in zip(late.ranks, windows, strict=True)
    )
    late = late.model_copy(update={"window_s": (begin_s + 1, end_s), "ranks": ranks})
    cases = [*alone, on_all.model_copy(update={"trials": (late, *others)})]
    (*_, compared) = with_gpus_compared(cases, run_file.machine.gpus, run_file.traces)
    assert [gpu.together.throughput.n for gpu in compared.across_gpus.gpus] == [2] * 4
    assert compared.across_gpus.together_over_alone.n == 2


def test_gpu_whose_window_the_others_never_fill_is_said_to_be_not_measured_at_once():
    run_file = run_on(HEALTHY[:4])
    *alone, on_all = run_file.cases
    trials = []
    for made in on_all.trials:
        begin_s, end_s = made.window_s
        length_s = 1.2 * (end_s - begin_s)
        *others, last = made.ranks
        last = last.model_copy(update={"window_s": (begin_s, begin_s + length_s)})
        trials.append(made.model_copy(update={"ranks": (*others, last)}))
    cases = [*alone, on_all.model_copy(update={"trials": tuple(trials)})]
    (*_, compared) = with_gpus_compared(cases, run_file.machine.gpus, run_file.traces)
    across = compared.across_gpus
    assert [gpu.together.throughput.reason for gpu in across.gpus] == [None] * 3 + [NOT_AT_ONCE]
    assert across.gpus[3].together.power_w.reason == NOT_AT_ONCE
    assert any(sentence.startswith("Not measured at once: cuda:3:") for sentence in gpu_sentences(across))
    failed = [trial.model_copy(update={"status": "failed", "reason": "killed"}) for trial in trials]
    cases = [*alone, on_all.model_copy(update={"trials": tuple(failed)})]
    (*_, compared) = with_gpus_compared(cases, run_file.machine.gpus, run_file.traces)
    assert {gpu.together.throughput.reason for gpu in compared.across_gpus.gpus} == {"no trial is ok"}


def test_a_run_without_each_gpu_alone_has_no_comparison():
    run_file = run_on(HEALTHY[:3])
    cases = [case.model_copy(update={"across_gpus": None}) for case in run_file.cases[1:]]
    assert all(case.across_gpus is None for case in with_gpus_compared(cases, run_file.machine.gpus, run_file.traces))
