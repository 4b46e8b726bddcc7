"""The cases of several ranks, their baselines, and what is refused before anything is measured."""

from __future__ import annotations

import pytest
from plans import INSTALLED, make, with_gpus

from joulemark.suite.errors import UsageError
from joulemark.suite.plan.cases import check_names
from joulemark.suite.records import Settings

GPT2 = {"workload": ("gpt2",), "size": ("tiny",), "framework": ("pytorch",)}
TASK = "gpt2:tiny/training/pytorch/eager/cpu/fp32/b8"


def ids(**settings: object) -> list[str]:
    return [case.id for case in make(**GPT2, batch_size=(8,), **settings).cases]


def test_each_number_of_ranks_has_its_baselines_in_the_same_rounds():
    assert ids(ranks=(2,)) == [
        TASK,
        f"{TASK}+communication=none+ranks=2",
        f"{TASK}+ranks=1+strategy=ddp",
        f"{TASK}+ranks=2+strategy=ddp",
    ]
    assert ids(ranks=(1,)) == [TASK, f"{TASK}+ranks=1+strategy=ddp"]


def test_a_rank_has_as_many_threads_in_every_case():
    plan = make(**GPT2, ranks=(2, 1))
    assert {case.threads for case in plan.cases} == {1}
    assert {case.threads for case in make(**GPT2, ranks=(2,), threads=2).cases} == {2}


def test_with_weak_scaling_the_batch_is_that_of_a_rank_and_with_strong_that_of_all():
    for scaling, of_rank in (("weak", 8), ("strong", 4)):
        plan = make(**GPT2, batch_size=(8,), ranks=(2,), scaling=scaling)
        case = plan.cases[-1]
        request = plan.request(case)
        assert (request.ranks, request.strategy, request.rank_batch_size) == (2, "ddp", of_rank)
        assert case.id.endswith(f"+ranks=2{'+scaling=strong' if scaling == 'strong' else ''}+strategy=ddp")


def test_a_batch_that_cannot_be_divided_is_skipped_with_the_reason():
    plan = make(**GPT2, batch_size=(7,), ranks=(2,), scaling="strong")
    skipped = {case.id.partition("+")[2]: case.reason for case in plan.cases if case not in plan.runnable()}
    assert skipped.keys() == {"communication=none+ranks=2+scaling=strong", "ranks=2+scaling=strong+strategy=ddp"}
    assert set(skipped.values()) == {"a batch of 7 cannot be divided among 2 ranks alike"}


def test_a_step_without_a_batch_is_skipped_with_the_reason():
    plan = make(workload=("tsne",), framework=("pytorch",), ranks=(2,))
    skipped = [case for case in plan.cases if case not in plan.runnable()]
    assert len(skipped) == 3
    assert {case.reason for case in skipped} == {"a step of tsne is one problem, without a batch to divide among ranks"}


@pytest.mark.parametrize(
    ("framework", "named", "strategies"),
    [
        ("pytorch", (), {"ddp"}),
        ("tensorflow", (), {"mirrored"}),
        ("jax", (), {"sharded"}),
        ("pytorch", ("fsdp",), {"fsdp"}),
        ("tensorflow", ("multiworker", "mirrored"), {"multiworker", "mirrored"}),
    ],
)
def test_the_first_strategy_is_the_default_and_each_has_its_one_rank(framework, named, strategies):
    cases = make(workload=("gpt2",), size=("tiny",), framework=(framework,), ranks=(2,), strategy=named).cases
    assert {(case.ranks, case.strategy) for case in cases} == {
        (None, None),
        (2, None),
        *((ranks, strategy) for ranks in (1, 2) for strategy in strategies),
    }
    assert {case.mode for case in cases} == {{"pytorch": "eager", "tensorflow": "graph", "jax": "jit"}[framework]}


def test_a_case_on_gpus_is_charged_with_one_for_each_rank():
    plan = make(with_gpus(), **GPT2, device=("cuda:0",), precision=("fp32",), ranks=(2,))
    assert [case.charged_devices for case in plan.cases] == ["cuda:0", "cuda:0+cuda:1", "cuda:0", "cuda:0+cuda:1"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ranks": (3,)}, "--ranks 3 is more than the 2 cores"),
        ({"ranks": (3,), "device": ("cuda:0",), "threads": 1}, "--ranks 3 is more than the GPUs"),
        ({"ranks": (2,), "device": ("cuda:1",)}, "give --ranks 1 at most"),
    ],
)
def test_more_ranks_than_devices_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        make(with_gpus() if "device" in settings else INSTALLED, **GPT2, **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"strategy": ("ddp",)}, "add --ranks N"),
        ({"scaling": "weak"}, "add --ranks N"),
        ({"ranks": (2,), "strategy": ("dddp",)}, "Did you mean 'ddp'"),
        (
            {"ranks": (2,), "strategy": ("ddp", "mirrored"), "framework": ("tensorflow",)},
            "^TensorFlow has no ddp: it has mirrored, multiworker.$",
        ),
        ({"ranks": (2,), "strategy": ("mirrored",), "framework": ("jax",)}, "^JAX has no mirrored: it has sharded.$"),
        ({"ranks": (2,), "mode": ("xla",), "framework": ("tensorflow",)}, "mirrored is measured in graph"),
        ({"ranks": (2,), "phase": ("inference",)}, "phase training.*found --phase inference"),
        ({"ranks": (2,), "workload": ("matmul",)}, "nothing that is selected has it"),
        ({"ranks": (2,), "mode": ("compile",), "framework": ("pytorch",)}, "ddp is measured in eager"),
        ({"ranks": (2,), "latency": True}, "--latency times single steps"),
    ],
)
def test_what_ranks_cannot_have_is_refused_before_frameworks_are_imported(settings, message):
    with pytest.raises(UsageError, match=message):
        check_names(Settings(**{"workload": ("gpt2",), **settings}))


def test_on_several_nodes_each_has_its_share_of_the_ranks():
    plan = make(**GPT2, batch_size=(8,), ranks=(1, 4), nodes=2)
    assert [case.id for case in plan.cases] == [
        TASK,
        f"{TASK}+communication=none+nodes=2+ranks=4",
        f"{TASK}+ranks=1+strategy=ddp",  # the baseline of each node
        f"{TASK}+nodes=2+ranks=4+strategy=ddp",
    ]
    assert [case.local_ranks for case in plan.cases] == [None, 2, 1, 2]
    assert {case.threads for case in plan.cases} == {1}  # of two cores a node
    requests = [plan.request(case, 3) for case in plan.cases]
    assert [request.nodes for request in requests] == [1, 2, 1, 2]
    assert requests[-1].meeting == f"{plan.cases[-1].id}, round 3"


def test_a_node_is_charged_with_its_own_gpus():
    plan = make(**{**GPT2, "batch_size": (8,)}, installed=with_gpus(), device=("cuda:0",), ranks=(4,), nodes=2)
    assert plan.cases[-1].charged_devices == "cuda:0+cuda:1"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ranks": (3,), "nodes": 2}, "--ranks 3 cannot be divided among 2 nodes"),
        ({"ranks": (2,), "nodes": 2, "framework": ("jax",)}, "sharded has all its ranks on one node"),
    ],
)
def test_what_cannot_be_divided_among_nodes_is_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        check_names(Settings(workload=("gpt2",), **settings))
