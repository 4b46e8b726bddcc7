"""Cases of a run and of a reference machine: what is the same work, what differs, and whose joules are compared."""

from __future__ import annotations

import pytest
from run_files import case, energy, failed_trial, machine, run_file, trial

from joulemark.suite.records import Case, FrameworkInfo, Parameters
from joulemark.suite.stats.machines.compared import compare_with_reference
from joulemark.suite.stats.machines.pairs import pair_with_reference, same_work

GPU = {"device": "cuda:0", "id": "cnn:small/training/pytorch/eager/cuda:0/fp32/b64", "batch_size": 64}


def on_board(*components: str, rate: float = 1000.0, **fields: object) -> Case:
    """Return a case on a GPU whose energy has `components`, 100 J each; the others of a node were not measured."""
    readings = [
        energy(100.0 if name in components else None, name).model_copy(update={"scope": name})
        for name in ("gpu", "package")
    ]
    trials = [trial(i + 1, rate * (1 + 0.01 * i), readings=readings) for i in range(3)]
    return case(trials=trials, **{**GPU, **fields})


def test_same_task_is_compared_across_devices_and_the_rest_is_said() -> None:
    newer = machine(frameworks={"pytorch": FrameworkInfo(version="2.14.0", python="3.12", build="cpu")})
    pairs = pair_with_reference(run_file([case()]), run_file([on_board("gpu")], id="other", machine=newer))
    (pair,) = pairs.pairs
    assert pair.incomparable is None
    assert pair.note == "device cpu and cuda:0; batch size 32 and 64; pytorch 2.13.0 and 2.14.0"
    assert pair.work_incomparable is not None  # a step of 64 images is not one of 32


def test_nearest_case_of_several_is_taken() -> None:
    far = case(batch_size=128, id="cnn:small/training/pytorch/eager/cpu/fp32/b128")
    (pair,) = pair_with_reference(run_file([on_board("gpu"), far, case()]), run_file([case()], id="other")).pairs
    assert pair.a.id == case().id
    assert pair.note is None


@pytest.mark.parametrize(
    ("changes", "same", "words"),
    [
        ({}, True, ""),
        ({"workload_version": "ffffffffffff"}, True, "of equal operations and parameters"),
        ({"workload_version": "ffffffffffff", "flops_per_item": 1.0e8}, False, "operations an item 2.5e+08 and 1e+08"),
        ({"workload_version": "ffffffffffff", "item": "token"}, False, "item image and token"),
        (
            {"workload_version": "ffffffffffff", "parameters": Parameters(total=5, trainable=5)},
            False,
            "parameters 1000000 and 5",
        ),
    ],
)
def test_another_version_is_compared_only_where_its_work_is_the_same(
    changes: dict[str, object], same: bool, words: str
) -> None:
    answer, note = same_work(case(), case(**changes))
    assert answer is same
    assert words in note


def test_version_whose_work_cannot_be_counted_is_compared_by_its_specification_alone() -> None:
    unknown = {"flops_per_item": None, "bytes_per_item": None, "unfused_bytes_per_item": None}
    older, newer = case(**unknown), case(workload_version="ffffffffffff", **unknown)
    assert not same_work(older, newer)[0]
    specs = [each.model_copy(update={"spec_version": "abababababab"}) for each in (older, newer)]
    assert same_work(*specs) == (True, "implementation 0123456789ab and ffffffffffff of one specification")


def test_boards_are_compared_without_hosts_where_one_host_was_not_measured() -> None:
    reference = run_file([on_board("gpu")])
    run = run_file([on_board("gpu", "package")], id="other")
    (found,) = [each for each in compare_with_reference(reference, run).comparisons if each.metric.energy]
    assert found.ratio == pytest.approx(1.0)  # 100 J each: the host's 100 J are left out
    assert "board joules, without the host" in (found.pair.note or "")


def test_energy_of_a_board_and_of_a_processor_is_never_compared() -> None:
    comparisons = compare_with_reference(run_file([case()]), run_file([on_board("gpu")], id="other")).comparisons
    speed, joules = sorted(comparisons, key=lambda each: each.metric.energy)
    assert speed.ratio == pytest.approx(10.1, rel=0.02)
    assert joules.ratio is None
    assert "different components" in (joules.reason or "")


def test_single_trial_has_no_interval_whatever_the_other_has() -> None:
    run = run_file([case()], id="other")
    lone = compare_with_reference(run_file([case(trials=[trial()])]), run).comparisons[0]
    assert (lone.low, lone.high, lone.reason) == (None, None, "n=1 in the reference, no interval")
    assert compare_with_reference(run_file([case()]), run).comparisons[0].low is not None


def test_failed_case_is_not_compared_and_an_absent_one_is_named() -> None:
    failed = case(trials=[failed_trial()])
    pairs = pair_with_reference(run_file([failed]), run_file([case(), case("vit")], id="other"))
    assert pairs.pairs[0].incomparable == "failed: every trial failed"
    assert [text.partition(":")[0] for text in pairs.only_b] == ["vit"]
