"""`--device all`: the cases on each GPU and on all at once, and what it cannot be combined with."""

from __future__ import annotations

import pytest
from plans import INSTALLED, make, with_gpus

from joulemark.suite.errors import UsageError

TASK = "mlp:tiny/inference/pytorch/eager"
ONE = {"workload": ["mlp"], "size": ["tiny"], "phase": ["inference"], "precision": ["fp32"], "framework": ["pytorch"]}


def seeing(count: int):
    """Return frameworks that see so many GPUs."""
    devices = ("cpu", *(f"cuda:{i}" for i in range(count)))
    return {name: info.model_copy(update={"devices": devices}) for name, info in INSTALLED.items()}


def test_each_gpu_alone_and_all_at_once_with_their_share_of_the_cores() -> None:
    plan = make(seeing(2), device=["all"], **ONE)
    batch = plan.cases[0].batch_size
    ids = [f"{TASK}/cuda:{i}/fp32/b{batch}" for i in (0, 1)]
    assert [case.id for case in plan.cases] == [*ids, f"{ids[0]}+communication=none+ranks=2"]
    assert [(case.ranks, case.strategy) for case in plan.cases] == [(None, None), (None, None), (2, None)]
    assert {case.threads for case in plan.cases} == {1}, "two cores for two processes"
    assert plan.cases[-1].charged_devices == "cuda:0+cuda:1"
    assert {case.threads for case in make(seeing(2), device=["all"], threads=2, **ONE).cases} == {2}
    orders = {tuple(case.id for case in plan.round_order(number)) for number in range(1, 8)}
    assert len(orders) > 1, "in turn, shuffled"


def test_each_framework_and_phase_has_its_own_and_responses_have_none() -> None:
    plan = make(with_gpus(), device=["all"], workload=["mlp", "gpt2"], size=["tiny"], precision=["fp32"])
    on_all = [case for case in plan.cases if case.ranks]
    assert {case.framework for case in on_all} == set(INSTALLED)
    assert {case.phase for case in on_all} >= {"inference", "training", "generation"}
    assert "response" in {case.phase for case in plan.cases} - {case.phase for case in on_all}
    assert len({case.id for case in plan.cases}) == len(plan.cases)


@pytest.mark.parametrize(
    ("count", "changes", "texts"),
    [
        (0, {}, ["no framework sees one", "--device cpu"]),
        (1, {}, ["there is one, cuda:0", "nothing to compare"]),
        (2, {"device": ["all", "cpu"]}, ["leave --device cpu out"]),
        (2, {"ranks": [2], "phase": ["training"]}, ["--ranks"]),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_sentence(count, changes, texts) -> None:
    with pytest.raises(UsageError) as raised:
        make(seeing(count), **{"device": ["all"], **ONE, **changes})
    assert all(text in str(raised.value) for text in texts)
    assert "\n" not in str(raised.value)
