"""One case, measured once, in the process it is called in."""

from __future__ import annotations

import math
import os
import resource
import time
from collections.abc import Callable, Mapping
from typing import Any

from joulemark.suite.system.affinity import allowed_cores, move_to
from joulemark.suite.trial import allocator, counters, timing
from joulemark.suite.trial.frameworks.prepared import Prepared, prepare
from joulemark.suite.trial.frameworks.response import WholeResponse, measure_parts
from joulemark.suite.trial.gpu_busy import passes
from joulemark.suite.trial.outcome import TRAINING_STATE, TURNS, NotFiniteError
from joulemark.suite.trial.ranks.strategy import one_process, prepare_all
from joulemark.suite.trial.request import Effort, Request

PIECE = 1 << 18
"""Elements that are squared at a time: 2 MiB, which stay in the cache."""
Report = Callable[..., None]
"""Called with `stage`, its name, when a stage begins: `load`, `resident_idle`, `first_call`, `warmup`, `window`,
`fetch`, `outcome.TURNS` and those of `outcome.COMPLETING`; with `trial`, the result; with `turn_s`, the step time in a
turn; and with `gpu_busy`, `training` and `work`, which complete the result."""
OnStage = Callable[[str], None]
WaitForTurn = Callable[[], int | None]
"""Waits until the trial is to take a turn, and returns the place of its first core; None after the last turn."""
Compiled = list[Mapping[str, float]]
"""What `Adapter.compiled` returned after each of the first steps of the warm-up."""
FALL_S = 0.5
"""Pause on a GPU before it computes anything more: the fall of its power after the last step tells how late a sensor
publishes (`suite.energy.publication_lag` looks at the 0.45 s after it)."""


def run(request: Request, started: float, report: Report, wait_for_turn: WaitForTurn) -> None:
    """Measure `request` once and report the fields of `records.Trial` that the trial itself can know.

    Times are CLOCK_MONOTONIC seconds. Errors are raised as they come: `outcome.classify` names them. The trial is
    reported before the passes that only add to it: if they fail, it stays as it is.
    """
    report(stage="load")
    if request.host_limit_bytes is not None:
        resource.setrlimit(resource.RLIMIT_AS, (request.host_limit_bytes, request.host_limit_bytes))
    policy = allocator.apply("retain" if request.allocator == "retain" else "default")
    together = one_process(request)
    if request.ranks is not None and not together:
        _run_ranks(request, started, report, policy)
        return
    case = prepare_all(request) if together else prepare(request)
    trial, compiled = _trial(case, request, started, lambda stage: report(stage=stage))
    trial["environment"] |= {"allocator": policy, "affinity": allowed_cores()}
    report(trial=trial)
    if request.effort.turn_s:
        _take_turns(case, request, trial["steps_per_block"], report, wait_for_turn)
    if request.effort.profiled_s:
        start, end = trial["window"]
        passes.measure(case, request, (end - start) / trial["steps"], report)
    if (norms := case.program.norms) is not None:
        report(stage=TRAINING_STATE)
        time.sleep(0.0 if request.device == "cpu" else FALL_S)
        report(training=_training_state(case, norms))
    if request.effort.counted:
        from joulemark.suite.trial.work_counts import passes as work_passes

        work_passes.measure(case, compiled, report)


def _run_ranks(request: Request, started: float, report: Report, policy: str) -> None:
    """Measure `request` in several processes and report the trial of all."""

    def measure(case: Prepared, own: Request, pace: timing.Pace, rank: int) -> dict[str, Any]:
        trial, _ = _trial(case, own, started, lambda stage: report(stage=stage) if rank == 0 else None, pace)
        trial["environment"] |= {"allocator": policy, "affinity": allowed_cores()}
        return trial

    from joulemark.suite.trial.ranks import processes

    trial = processes.run(request, measure, report)
    if trial is not None:
        report(trial=trial)


def _trial(
    case: Prepared, request: Request, started: float, on_stage: OnStage, pace: timing.Pace = timing
) -> tuple[dict[str, Any], Compiled]:
    """Measure a case that has just been loaded. Return the fields of its trial, and what the first steps compiled."""
    adapter, kit = case.adapter, case.kit
    adapter.synchronize()
    loaded = timing.CLOCK()
    if request.effort.resident_idle_s:
        on_stage("resident_idle")
        time.sleep(request.effort.resident_idle_s)
    idle_end = timing.CLOCK()

    on_stage("first_call")
    outputs = case.step(**case.ring[0])
    adapter.synchronize()
    first_call_end = timing.CLOCK()
    first_digest = _digest(outputs, kit)
    del outputs  # they would stay on the device for the whole window
    adapter.finish_background_compilation()

    measured, last_outputs, compiled = _measure(case, request.effort, on_stage, pace)
    last_step = timing.CLOCK()
    on_stage("fetch")
    trial = measured | {
        "context_s": case.context_s,
        "load_s": loaded - started,
        "resident_idle": (loaded, idle_end) if request.effort.resident_idle_s else None,
        "first_call_s": first_call_end - idle_end,
        "last_step": last_step,
        "result": {"first": first_digest, "last": _digest(last_outputs, kit)},
        "training": None if case.program.norms is None else {"learning_rate_factor": kit.learning_rate_factor},
        "environment": adapter.read_back(),
    }
    return trial, compiled


def _measure(
    case: Prepared, effort: Effort, on_stage: OnStage, pace: timing.Pace
) -> tuple[dict[str, Any], Mapping[str, Any], Compiled]:
    """Warm up and measure a case whose step has been called once.

    Return fields of its trial, the outputs of the last step, on the device: on the same batch as the first, and what
    was compiled after each of the first steps of the warm-up.
    """
    adapter = case.adapter
    step, outputs = _held_step(case)
    on_stage("warmup")
    compiled: Compiled = []
    durations = pace.warm_up(step, adapter.synchronize, effort, after_first=lambda: compiled.append(adapter.compiled()))
    count = pace.steps_per_block(durations, adapter.synchronize)

    on_stage("window")
    adapter.reset_peak()
    snapshots: list[dict[str, float]] = []
    graphs: list[float | None] = []

    def on_edge() -> None:
        snapshots.append(counters.snapshot())
        graphs.append(adapter.compiled().get("graphs"))

    window = pace.measure(step, adapter.synchronize, count, effort, on_edge)
    peak_device_bytes = adapter.peak_device_bytes()
    # The counts include the block between the first snapshot and the window (`timing.measure`).
    counts = counters.per_step(snapshots[0], snapshots[1], window.steps + count)
    if graphs[0] is not None and graphs[1] is not None:
        counts["traces_in_window"] = graphs[1] - graphs[0]

    latencies_s = timing.step_times(step, adapter.synchronize, effort.latency_s) if effort.latency_s else []
    response: dict[str, Any] = {}
    if isinstance(case.step, WholeResponse):
        response["token_times"] = case.step.token_times(window.start, window.end)
        response["parts"] = measure_parts(case, case.step, effort)
    outputs[0] = case.step(**case.ring[0])  # on the batch of the first step
    adapter.synchronize()
    fields = {
        "input_batches": len(case.ring),
        "input_bytes": case.ring_bytes,
        "warmup_steps": len(durations),
        "steady": timing.steadiness(window.block_s),
        "steps_per_block": window.steps_per_block,
        "block_s": window.block_s,
        "window": (window.start, window.end),
        "steps": window.steps,
        "items": window.steps * case.items_per_step,
        "peak_memory_bytes": {"host": counters.peak_host_bytes(), "device": peak_device_bytes},
        "latency": timing.percentiles(latencies_s),
        "counters": counts,
        **response,
    }
    return fields, outputs[0], compiled


def _take_turns(case: Prepared, request: Request, count: int, report: Report, wait_for_turn: WaitForTurn) -> None:
    """Run blocks of `count` steps in each turn, and report their step time, seconds.

    A trial with fewer threads than cores takes each turn on the cores that its partner takes it on.
    """
    time.sleep(0.0 if request.device == "cpu" else FALL_S)
    report(stage=TURNS)
    step, _ = _held_step(case)
    cores = sorted(os.sched_getaffinity(0))
    with timing.garbage_collection_off():
        while (place := wait_for_turn()) is not None:
            if request.threads < len(cores):
                move_to([cores[(place + i) % len(cores)] for i in range(request.threads)])
            report(turn_s=timing.turn(step, case.adapter.synchronize, count, request.effort.turn_s))
    if request.threads < len(cores):
        move_to(cores)


def _held_step(case: Prepared) -> tuple[Callable[[], None], list[Mapping[str, Any]]]:
    """Return a step and the list that its last outputs are in: what nobody holds might be optimised away."""
    outputs: list[Mapping[str, Any]] = [{}]
    next_step = case.stepper()

    def step() -> None:
        outputs[0] = next_step()

    return step, outputs


def _training_state(case: Prepared, norms: Callable[..., Mapping[str, float]]) -> dict[str, Any]:
    """Return the fields of `records.TrainingState`, at the weights that the steps have left and at the initial ones.

    Both are computed after all that is measured: before the window, they would take memory that no step takes.
    """
    inputs = case.ring[0]
    last = norms(**inputs)
    case.program.initialise()
    first = norms(**inputs)
    state: dict[str, Any] = {"learning_rate_factor": case.kit.learning_rate_factor}
    for name, value in first.items():
        if math.isfinite(value) and math.isfinite(last[name]):
            state[name] = {"first": value, "last": last[name]}
        else:
            state["reason"] = f"{name}: {value:g} at first, {last[name]:g} at last"
    return state


def _digest(outputs: Mapping[str, Any], kit: Any) -> dict[str, float]:
    """Return the root mean square of each output: equal work gives equal numbers.

    Raises NotFiniteError if an output is not finite.
    """
    digest = {name: root_mean_square(kit.array(tensor)) for name, tensor in outputs.items()}
    for name, value in digest.items():
        if not math.isfinite(value):
            raise NotFiniteError(f"output {name!r} holds NaN or infinity")
    return digest


def root_mean_square(values: Any) -> float:
    """Return the root mean square of an array, a piece at a time: a copy of large logits in float64 takes seconds."""
    import numpy as np

    flat = np.asarray(values).reshape(-1)
    pieces = (np.abs(flat[start : start + PIECE]) for start in range(0, flat.size, PIECE))
    return math.sqrt(sum(float(np.square(piece, dtype=np.float64).sum()) for piece in pieces) / flat.size)
