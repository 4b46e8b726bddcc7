"""One case, measured once, in the process it is called in."""

from __future__ import annotations

import math
import re
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from joulemark.suite.trial import allocator, counters, timing
from joulemark.suite.trial.effort import Effort
from joulemark.suite.trial.frameworks.adapter import Adapter, Execution, Step, UnsupportedError, load
from joulemark.suite.trial.request import Request

PERCENTILES = {"p50_s": 0.50, "p95_s": 0.95, "p99_s": 0.99}

Report = Callable[[str], None]
"""Told which part of the trial begins: `load`, `rest`, `first_call`, `warmup`, `window`, `fetch`."""


class NotFiniteError(Exception):
    """An output holds NaN or infinity."""


def run(request: Request, started: float, report: Report) -> dict[str, Any]:
    """Measure `request` once; the fields of `records.Trial` that a trial itself can know.

    Times are CLOCK_MONOTONIC seconds. Whatever goes wrong is raised: `classify` names it.
    """
    report("load")
    if request.host_limit_bytes is not None:
        resource.setrlimit(resource.RLIMIT_AS, (request.host_limit_bytes, request.host_limit_bytes))
    policy = allocator.apply("retain" if request.allocator == "retain" else "default")
    made = prepare(request)
    adapter, kit = made.adapter, made.kit
    adapter.synchronize()
    loaded = timing.CLOCK()
    if request.effort.rest_s:
        report("rest")
        time.sleep(request.effort.rest_s)
    rested = timing.CLOCK()

    report("first_call")
    outputs = made.step(**made.inputs)
    adapter.synchronize()
    called = timing.CLOCK()
    first = _digest(outputs, kit)
    del outputs  # they would stay on the device for the whole window
    adapter.finish_background_compilation()

    measured = _measure(made, request.effort, report)
    report("fetch")
    return {
        "context_s": made.context_s,
        "load_s": loaded - started,
        "rest": (loaded, rested) if request.effort.rest_s else None,
        "first_call_s": called - rested,
        "warmup_steps": measured.warmup_steps,
        "steady": timing.verdict(measured.window.block_s),
        "steps_per_block": measured.window.steps_per_block,
        "block_s": measured.window.block_s,
        "window": (measured.window.start, measured.window.end),
        "steps": measured.window.steps,
        "items": measured.window.steps * made.items_per_step,
        "result": {"first": first, "last": _digest(measured.last, kit)},
        "peak_memory_bytes": {"host": counters.peak_host_bytes(), "device": measured.peak_device_bytes},
        "latency": _percentiles(measured.latencies_s),
        "counters": measured.counters,
        "environment": {"allocator": policy, **adapter.read_back()},
    }


@dataclass(frozen=True)
class Prepared:
    """A case that can be run."""

    adapter: Adapter
    kit: Any
    step: Step
    """As its mode executes it."""
    inputs: dict[str, Any]
    """On their device."""
    items_per_step: int
    context_s: float
    """Time to set the framework up and wake the device: on a GPU, the creation of its context."""


def prepare(request: Request) -> Prepared:
    """Build what `request` asks for. Adapter first: it sets threads and flags before anything is computed."""
    import numpy as np

    from joulemark.workloads.registry import builder, workloads

    workload = workloads()[request.workload]
    size = workload.sizes[request.size].at(request.batch_size)
    phase: Any = request.phase
    before = timing.CLOCK()
    adapter = load(request.framework)(Execution(request.mode, request.device, request.precision, request.threads))
    adapter.synchronize()
    context_s = timing.CLOCK() - before
    kit = adapter.kit(request.seed)
    program = builder(workload, request.framework)(size, phase, kit)
    arrays = workload.inputs(size, phase, request.batch_size, np.random.default_rng(request.seed))
    inputs = {name: kit.tensor(array) for name, array in arrays.items()}
    items_per_step = request.batch_size * workload.items_per_sample(size, phase)
    return Prepared(adapter, kit, adapter.compile(program.step), inputs, items_per_step, context_s)


@dataclass(frozen=True)
class _Measured:
    """What came of warm-up, window and the pass of single steps."""

    warmup_steps: int
    window: timing.Window
    counters: dict[str, float | None]
    """A step's share of what was counted in the window."""
    latencies_s: list[float]
    peak_device_bytes: int | None
    last: Mapping[str, Any]
    """Outputs of the last step, on the device."""


def _measure(made: Prepared, effort: Effort, report: Report) -> _Measured:
    """Run the step, called once before, until it was measured."""
    adapter = made.adapter
    kept: list[Mapping[str, Any]] = [{}]

    def once() -> None:
        # The last outputs stay alive and are fetched afterwards: a step whose result nobody holds may be cut.
        kept[0] = made.step(**made.inputs)

    report("warmup")
    durations = timing.warm_up(once, adapter.synchronize, effort)
    count = timing.steps_per_block(durations, adapter.synchronize)

    report("window")
    adapter.reset_peak()
    snapshots: list[dict[str, float]] = []
    traces: list[int | None] = []

    def at_border() -> None:
        snapshots.append(counters.snapshot())
        traces.append(adapter.traces())

    window = timing.measure(once, adapter.synchronize, count, effort, at_border)
    peak_device_bytes = adapter.peak_device_bytes()
    # The block between the first look and the window is in the counts too (`timing.measure`).
    counted = counters.per_step(snapshots[0], snapshots[1], window.steps + count)
    if traces[0] is not None and traces[1] is not None:
        counted["traces_in_window"] = float(traces[1] - traces[0])

    latencies_s = timing.step_times(once, adapter.synchronize, effort.latency_s) if effort.latency_s else []
    return _Measured(len(durations), window, counted, latencies_s, peak_device_bytes, kept[0])


def _percentiles(durations: list[float]) -> dict[str, float] | None:
    """p50, p95 and p99 of single steps, seconds, and their number; None where there was no such pass."""
    if not durations:
        return None
    ordered = sorted(durations)
    # Nearest rank (Hyndman and Fan 1996, definition 1): a percentile is a step that was seen.
    ranks = {name: ordered[math.ceil(share * len(ordered)) - 1] for name, share in PERCENTILES.items()}
    return {**ranks, "steps": len(ordered)}


def _digest(outputs: Mapping[str, Any], kit: Any) -> dict[str, float]:
    """The root mean square of each output: one number that shows whether the same work was done.

    NotFiniteError where an output is not finite.
    """
    import numpy as np

    digest = {}
    for name, tensor in outputs.items():
        array = np.asarray(kit.array(tensor))
        if np.issubdtype(array.dtype, np.complexfloating):
            array = np.abs(array)
        value = float(np.sqrt(np.mean(np.square(array, dtype=np.float64))))
        if not np.isfinite(value):
            raise NotFiniteError(f"output {name!r} holds NaN or infinity")
        digest[name] = value
    return digest


_MEMORY_WORDS = re.compile(
    r"out ?of ?memory|\bOOM\b|can't allocate|cannot allocate|resource ?exhausted|failed to allocate|ALLOC_FAILED",
    re.IGNORECASE,
)
"""As frameworks put it; `OutOfMemoryError` and `ResourceExhaustedError` are names of classes."""


def classify(error: BaseException) -> tuple[str, str]:
    """(reason code, reason in one line) of what a trial raised."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, UnsupportedError):
        return "unsupported", text
    if isinstance(error, NotFiniteError):
        return "not_finite", text
    names = " ".join(cls.__name__ for cls in type(error).__mro__)
    if isinstance(error, MemoryError) or _MEMORY_WORDS.search(f"{names} {text}"):
        return "out_of_memory", _shorten(f"out of memory: {text}")
    if isinstance(error, ModuleNotFoundError):
        return "not_installed", _shorten(text)
    return "raised", _shorten(f"{type(error).__name__}: {text}")


def _shorten(text: str, most: int = 300) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
