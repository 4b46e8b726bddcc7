"""Plans of phase `response`: tokens of prompts and responses, and what cannot be."""

from __future__ import annotations

import plans
import pytest

from joulemark.suite.errors import UsageError
from joulemark.suite.plan.cases import check_names, make_plan
from joulemark.suite.records import NOT_ATTEMPTED, Case, Settings
from joulemark.workloads.registry import workloads


def cases(**settings) -> tuple[Case, ...]:
    fixed = {"workload": ("gpt2",), "size": ("tiny",), "framework": ("pytorch",)}
    return plans.make(**{**fixed, **settings}).cases


def test_a_response_has_the_tokens_of_its_size():
    (case,) = cases(phase=("response",))
    assert case.id == "gpt2:tiny/response/pytorch/eager/cpu/fp32/b2"
    assert (case.response.prompt_tokens, case.response.new_tokens) == (8, 4)
    # Tokens 2 to 4 attend to 8 + 1, 8 + 2 and 8 + 3.
    assert case.response.context_tokens == 10


def test_tokens_that_are_not_the_sizes_stand_in_the_id_in_order_and_in_the_request():
    plan = plans.make(workload=("gpt2",), size=("tiny",), framework=("pytorch",), prompt=6, new_tokens=9)
    ids = [case.id for case in plan.cases if case.phase == "response"]
    assert ids == ["gpt2:tiny/response/pytorch/eager/cpu/fp32/b2+new-tokens=9+prompt=6"]
    assert all("+" not in case.id for case in plan.cases if case.phase != "response")
    for case in plan.cases:
        request = plan.request(case, 1)
        expected = (6, 9) if case.phase == "response" else (None, None)
        assert (request.prompt, request.new_tokens) == expected
    (case,) = cases(phase=("response",), prompt=8, new_tokens=5)
    assert case.id.endswith("/b2+new-tokens=5")


def test_other_tokens_are_other_work():
    size = workloads()["gpt2"].sizes["tiny"]
    (default,), (longer,) = cases(phase=("response",)), cases(phase=("response",), prompt=12)
    assert longer.flops_per_item > default.flops_per_item
    assert longer.unfused_bytes_per_item is None
    assert cases(phase=("response",), prompt=size.length)[0] == default


def test_responses_with_other_tokens_do_not_pair():
    from run_files import run_file

    from joulemark.suite.stats.pairs import pair_cases

    a, b = (run_file(cases(phase=("response",), new_tokens=tokens), id=f"{tokens}") for tokens in (4, 5))
    pairs = pair_cases(a, b)
    assert pairs.pairs == ()
    assert "new tokens 5 instead of 4" in pairs.missing_reasons[a.cases[0].id]


def test_the_arms_of_an_ab_run_keep_the_tokens_in_their_ids():
    from joulemark.suite.plan.ab import ArmSpec, make_ab_plan
    from joulemark.suite.records import ArmRecord, ArmSettings

    settings = Settings(
        workload=("gpt2",), size=("tiny",), phase=("response",), framework=("pytorch",), prompt=6,
        arms={"a": ArmSettings(threads=1), "b": ArmSettings(threads=2)},
    )  # fmt: skip
    record = ArmRecord(interpreter="python", python="3", suite_version="0", frameworks=plans.INSTALLED)
    plan = make_ab_plan(settings, {name: ArmSpec(record, {}, n) for name, n in (("a", 1), ("b", 2))}, 1, 2)
    ends = [case.id.partition("/b2")[2] for case in plan.cases]
    assert ends == ["+arm=a+prompt=6+threads=1", "+arm=b+prompt=6"]


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ({"prompt": 13}, "with --new-tokens 4, give --prompt 12 at most"),
        ({"new_tokens": 9}, "give --prompt 7 at most"),
        ({"new_tokens": 16}, "give --new-tokens 8 at most"),
        ({"prompt": 16, "new_tokens": 16}, "give --new-tokens 1 at most with --prompt 15"),
    ],
)
def test_more_tokens_than_the_context_are_refused_with_what_fits(given, remedy):
    with pytest.raises(UsageError, match=remedy) as caught:
        check_names(Settings(workload=("gpt2",), size=("tiny",), **given))
    assert "context of gpt2:tiny, 16 tokens" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_tokens_without_a_response_are_refused():
    with pytest.raises(UsageError, match="--prompt and --new-tokens are for phase response"):
        check_names(Settings(workload=("gpt2",), phase=("training",), prompt=4, new_tokens=4))


def test_a_trial_of_a_response_has_three_windows_and_counts_nothing():
    plan = plans.make(workload=("gpt2",), size=("tiny",), framework=("pytorch",))
    response, generation = (next(c for c in plan.cases if c.phase == phase) for phase in ("response", "generation"))
    assert plan.trial_s(response) > plan.trial_s(generation) + plan.profile.window_s["cpu"]
    assert plan.effort(generation, 1).counted
    assert not plan.effort(response, 1).counted


def test_a_named_batch_that_memory_cannot_hold_is_refused_with_what_fits():
    size = workloads()["gpt2"].sizes["tiny"]
    # Weights of 4 bytes; keys and values of 12 places in each of two layers for each sample.
    weights, sample = 4 * workloads()["gpt2"].parameters(size).total, 4 * 2 * 2 * 16 * 12
    settings = Settings(workload=("gpt2",), size=("tiny",), framework=("pytorch",), phase=("response",))
    memory_bytes = {"cpu": weights + 5 * sample}

    def make(**changes) -> tuple[Case, ...]:
        return make_plan(settings.model_copy(update=changes), plans.INSTALLED, 1, 2, memory_bytes=memory_bytes).cases

    assert [case.reason_code for case in make(batch_size=(1, 5))] == [NOT_ATTEMPTED] * 2
    with pytest.raises(UsageError, match=r"b6: gpt2 needs at least .*: batch size 5 has room\.$"):
        make(batch_size=(1, 6))
    with pytest.raises(UsageError, match=r"batch size 3 has room\.$"):
        make(batch_size=(5,), prompt=12)
    memory_bytes["cpu"] = weights + sample
    (skipped,) = make()  # its size's own batch, of 2
    assert skipped.reason_code == "memory"
