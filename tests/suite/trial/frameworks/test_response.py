"""A whole response: when its tokens are on the host, and how its parts are repeated."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest
from environments import require
from framework_process import DEFAULT_MODE, Processes

from joulemark.suite.trial import timing
from joulemark.suite.trial.frameworks.prepared import prepare
from joulemark.suite.trial.frameworks.response import WholeResponse, measure_parts
from joulemark.suite.trial.request import Effort, Request

PROMPT, NEW_TOKENS, BATCH = 5, 51, 2
SLOW_S = 0.1


class Planted:
    """A program whose decoding is slow at one token of each response."""

    def __init__(self, slow_token: int | None = None) -> None:
        self.slow_token, self.place, self.places = slow_token, 0, []
        self.fetched = []

    def prefill(self, tokens):
        self.place = 0
        return {"next": np.zeros(BATCH)}

    def decode(self):
        self.place = self.place % (NEW_TOKENS - 1) + 1
        self.places.append(self.place)
        if self.place == self.slow_token:
            time.sleep(SLOW_S)
        return {"next": np.full(BATCH, self.place)}

    def whole(self, new_tokens: int = NEW_TOKENS) -> WholeResponse:
        return WholeResponse(self.prefill, self.decode, self.fetched.append, PROMPT, new_tokens)


def test_every_new_token_is_fetched_once_and_in_order():
    program = Planted()
    assert program.whole()(tokens=None)["next"].tolist() == [NEW_TOKENS - 1] * BATCH
    assert [int(each[0]) for each in program.fetched] == list(range(NEW_TOKENS))


def test_one_slow_token_in_fifty_is_seen_in_p99_and_not_in_p95():
    whole = Planted(slow_token=17).whole()
    start = timing.CLOCK()
    for _ in range(4):
        whole(tokens=None)
    times = whole.token_times(start, timing.CLOCK())
    assert (times["ttft"]["steps"], times["tpot"]["steps"]) == (4, 4 * (NEW_TOKENS - 1))
    assert times["tpot"]["p99_s"] >= SLOW_S > times["tpot"]["p95_s"] >= times["tpot"]["p50_s"] > 0


def test_a_slow_prefill_is_seen_in_the_time_to_first_token_alone():
    program = Planted()
    prefill = program.prefill
    program.prefill = lambda tokens: (time.sleep(SLOW_S), prefill(tokens))[1]
    whole = program.whole()
    whole(tokens=None)
    times = whole.token_times(0.0, timing.CLOCK())
    assert times["ttft"]["p50_s"] >= SLOW_S > times["tpot"]["p99_s"]


def test_tokens_outside_of_the_window_do_not_count():
    whole = Planted().whole()
    whole(tokens=None)
    start = timing.CLOCK()
    whole(tokens=None)
    end = timing.CLOCK()
    whole(tokens=None)
    assert whole.token_times(start, end)["tpot"]["steps"] == NEW_TOKENS - 1
    assert whole.token_times(end + 100, end + 101) == {"ttft": None, "tpot": None}


@pytest.mark.parametrize("count", [1, 2, 19, 20, 99, 100, 101, 1000])
def test_percentiles_are_numpys_inverted_distribution_function(count):
    durations = list(np.random.default_rng(count).lognormal(-6.0, 1.0, count))
    found = timing.percentiles(durations)
    expected = np.percentile(durations, [50, 95, 99], method="inverted_cdf")
    assert [found["p50_s"], found["p95_s"], found["p99_s"]] == expected.tolist()
    assert found["steps"] == count


def prepared(program: Planted, new_tokens: int) -> SimpleNamespace:
    """Return what `measure_parts` uses of a case."""
    return SimpleNamespace(
        adapter=SimpleNamespace(synchronize=lambda: None),
        items_per_step=BATCH * new_tokens,
        stepper=lambda step: lambda: step(tokens=None),
    )


EFFORT = Effort(window_s=0.01, warmup_s=0.0, max_warmup_s=0.01, guard_s=0.0, min_blocks=1)


def test_parts_have_windows_of_their_own_one_after_the_other():
    program = Planted()
    parts = measure_parts(prepared(program, NEW_TOKENS), program.whole(), EFFORT)
    prefill, decode = parts["prefill"], parts["decode"]
    assert prefill["window_s"][0] < prefill["window_s"][1] < decode["window_s"][0] < decode["window_s"][1]
    assert prefill["items"] == prefill["steps"] * BATCH * PROMPT
    assert decode["items"] == decode["steps"] * BATCH


def test_decoding_is_repeated_at_the_cache_lengths_of_a_response():
    """Each as often as any other, so that the mean is that of a response whatever a length costs."""
    program = Planted()
    steps = measure_parts(prepared(program, NEW_TOKENS), program.whole(), EFFORT)["decode"]["steps"]
    assert steps % (NEW_TOKENS - 1) == 0
    counts = np.bincount(program.places[-steps:], minlength=NEW_TOKENS)[1:]
    assert set(counts) == {steps // (NEW_TOKENS - 1)}


def test_a_response_of_one_token_has_no_decoding():
    program = Planted()
    whole = program.whole(new_tokens=1)
    assert whole(tokens=None)["next"].tolist() == [0] * BATCH
    assert list(measure_parts(prepared(program, 1), whole, EFFORT)) == ["prefill"]
    assert whole.token_times(0.0, timing.CLOCK())["tpot"] is None
    assert program.places == []


TINY = {"workload": "gpt2", "size": "tiny", "phase": "response", "device": "cpu", "precision": "fp32", "batch_size": 2}


def traced(framework: str) -> list[dict[str, float]]:
    """Return what had been compiled after each of three responses. Runs in the framework's process."""
    execution = {"framework": framework, "mode": DEFAULT_MODE[framework], "threads": 1, "allocator": "default"}
    case = prepare(Request(**TINY, **execution, seed=1, effort=EFFORT, one_batch=True))
    counts = []
    for _ in range(3):
        case.step(**case.ring[0])
        case.adapter.synchronize()
        counts.append(dict(case.adapter.compiled()))
    return counts


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["tensorflow", "jax"])
def test_prefill_and_decoding_are_both_seen_to_be_compiled_once(framework):
    require(framework)
    processes = Processes()
    try:
        assert processes.call(framework, traced, framework).result() == [{"graphs": 2.0}] * 3
    finally:
        processes.close()
