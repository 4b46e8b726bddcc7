"""Runs of phase `response` on a simulated GPU, whose power in prefill and in decoding is known."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from run_files import case, machine, run_file
from sampled_gpu import gpu

from joulemark.suite.records import Latency, Part, Response, RunFile, TokenTimes, Trace, Trial
from joulemark.suite.results.assemble import assemble_events
from joulemark.suite.sensors.simulated import H200, channels, simulate
from joulemark.suite.sensors.simulated_loads import PowerProfile

BATCH, PROMPT, NEW_TOKENS = 4, 100, 26
PREFILL_S, DECODE_S = 0.030, 0.0037
PREFILL_W, DECODE_W, IDLE_W = 600.0, 300.0, 100.0
RESPONSE_S = PREFILL_S + (NEW_TOKENS - 1) * DECODE_S
WINDOW_S, GUARD_S, PAUSE_S = 5.0, 1.2, 0.73
UUID = "GPU-11111111-2222-3333-4444-555555555555"

TRUE_J = {
    "per_prompt_token": PREFILL_W * PREFILL_S / (BATCH * PROMPT),
    "per_output_token": DECODE_W * DECODE_S / BATCH,
    "per_response": (PREFILL_W * PREFILL_S + DECODE_W * DECODE_S * (NEW_TOKENS - 1)) / BATCH,
    "response_per_output_token": (PREFILL_W * PREFILL_S + DECODE_W * DECODE_S * (NEW_TOKENS - 1)) / BATCH / NEW_TOKENS,
}
"""By the fields of `records.ResponseEnergy`."""
Segments = list[tuple[float, float]]
"""Lengths, seconds, and the power in each, watts."""


@dataclass(frozen=True)
class Load:
    """A stretch of steps of one kind: guard, window, guard."""

    step: Segments

    def run(self, segments: Segments) -> tuple[tuple[float, float], int]:
        """Append it to `segments`; return the window, seconds, and the steps in it."""
        step_s = sum(length_s for length_s, _ in self.step)
        guard, steps = (int(seconds / step_s) + 1 for seconds in (GUARD_S, WINDOW_S))
        begin_s = sum(length_s for length_s, _ in segments) + guard * step_s
        segments += self.step * (2 * guard + steps)
        return (begin_s, begin_s + steps * step_s), steps


def _trial(number: int, segments: Segments, decode_w: float, batch: int) -> Trial:
    segments.append((PAUSE_S * number, IDLE_W))  # each begins at another phase of the sensor
    started_s = sum(length_s for length_s, _ in segments)
    decoded = (DECODE_S, DECODE_W)
    whole, steps = Load([(PREFILL_S, PREFILL_W), *[decoded] * (NEW_TOKENS - 1)]).run(segments)
    prefill, prefills = Load([(PREFILL_S, PREFILL_W)]).run(segments)
    decode, tokens = Load([(DECODE_S, decode_w)]).run(segments)
    ended_s = sum(length_s for length_s, _ in segments)
    segments.append((1.0, IDLE_W))
    return Trial(
        round=number,
        status="ok",
        started_s=started_s,
        ended_s=ended_s,
        last_step_s=ended_s,
        steps_per_block=1,
        block_s=(RESPONSE_S,) * steps,
        window_s=whole,
        steps=steps,
        items=steps * batch * NEW_TOKENS,
        token_times=TokenTimes(
            ttft=Latency(p50_s=PREFILL_S, p95_s=PREFILL_S, p99_s=PREFILL_S, steps=steps),
            tpot=Latency(p50_s=DECODE_S, p95_s=DECODE_S, p99_s=2 * DECODE_S, steps=steps * (NEW_TOKENS - 1)),
        ),
        parts={
            "prefill": Part(window_s=prefill, steps=prefills, items=prefills * batch * PROMPT),
            "decode": Part(window_s=decode, steps=tokens, items=tokens * batch),
        },
    )


def planned(**fields: Any) -> RunFile:
    """Return a run of one case, of which no trial was attempted."""
    response = Response(prompt_tokens=PROMPT, new_tokens=NEW_TOKENS, context_tokens=PROMPT + NEW_TOKENS / 2)
    not_attempted = {"status": "skipped", "reason_code": "not_attempted", "reason": "not attempted"}
    values: dict[str, Any] = {
        "phase": "response",
        "device": "cuda:0",
        "item": "output token",
        "response": response,
        **fields,
    }
    batch_size = values.pop("batch_size", BATCH)
    id_ = f"gpt2:small/response/pytorch/eager/{values['device']}/fp32/b{batch_size}"
    of = case("gpt2", trials=[], id=id_, batch_size=batch_size, **values).model_copy(update=not_attempted)
    file = run_file([of], machine=machine(gpus=(gpu(UUID, "cuda:0"),)), traces=(), idle=(), floor=())
    return file.model_copy(update={"run": file.run.model_copy(update={"rounds": 3, "finished_at": None})})


@functools.cache
def simulated_run(decode_w: float = DECODE_W, rounds: int = 3, batch: int = BATCH) -> RunFile:
    """Return a run of `rounds` trials; `decode_w` is the power of decoding where it is repeated alone, watts."""
    segments: Segments = [(2.0, IDLE_W)]
    trials = [_trial(number, segments, decode_w, batch) for number in range(1, rounds + 1)]
    segments.append((5.0, IDLE_W))
    lengths_s, power_w = zip(*segments, strict=True)
    load = PowerProfile("responses", tuple(np.concatenate([[0.0], np.cumsum(lengths_s)])), power_w)
    t_s = np.arange(0.05, load.t_s[-1] - 0.1, 0.1)
    # Reads that meet updates at different phases tell when these are.
    t_s = t_s + np.random.default_rng(1).uniform(0.0, 0.004, t_s.shape)
    _, counter_j = simulate(H200, load, t_s, phase_s=0.0371)
    (channel,) = channels(H200, load.name)
    values = tuple((counter_j - counter_j[0]).tolist())
    channel = channel.model_copy(update={"component": "gpu", "scope": UUID, "values": values})
    trace = Trace(sensor="simulated", simulated=True, t_s=tuple(t_s.tolist()), channels=(channel,))
    run = planned(batch_size=batch)
    events = [{"trial": trial.model_dump(mode="json"), "case": run.cases[0].id} for trial in trials]
    return assemble_events(run, [*events, {"finished_at": "2026-11-01T12:02:00Z"}], (trace,))


def several_batch_sizes() -> RunFile:
    """Return a run at three batch sizes, each of whose steps takes as long as at any other."""
    runs = [simulated_run(batch=batch) for batch in (1, BATCH, 16)]
    return runs[0].model_copy(update={"cases": tuple(run.cases[0] for run in runs)})
