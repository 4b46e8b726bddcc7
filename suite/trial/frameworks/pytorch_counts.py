"""What one step does in PyTorch, by its profiler, by Dynamo and Inductor, and by its FLOP counter."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from joulemark.suite.trial.frameworks.adapter import Execution
from joulemark.suite.trial.work_counts import Counts

EARLIER_CALLS: Final = {"eager": 1, "compile": 3, "cudagraph": 3}
"""Calls of a step before the one that is counted, by mode. The first makes the state of optimizers; a compiled step may
be compiled once more with that state, and a CUDA graph is recorded at the second call and replayed from the third on
(pytorch issue 120309)."""
OPERATOR: Final = re.compile(r"(?!autograd::)\w+::\w+")
"""Names in a trace that are operators, such as `aten::mm`: not the nodes of autograd, nor what a user annotates."""
BETWEEN_DEVICES: Final = ("HtoD", "DtoH", "PtoP")
"""Directions in the names of a trace's copies from one device to another."""
DEVICE_TYPES: Final = {"cpu": 0, "cuda": 1}
"""Numbers of devices in a trace's memory events (c10/core/DeviceType.h)."""


def count(step: Callable[[], object], execution: Execution) -> Iterator[Counts]:
    """Yield what one call of `step` does, which has not been called yet."""
    if execution.mode == "eager":
        yield from _eager(step, execution)
    else:
        yield _compiled(step, execution)


def _eager(step: Callable[[], object], execution: Execution) -> Iterator[Counts]:
    _call(step, EARLIER_CALLS["eager"])
    yield trace_counts(_traced(step, execution), execution.device)
    yield {"flops": flops(step)}


def _compiled(step: Callable[[], object], execution: Execution) -> Counts:
    """Return the counts of a step in a mode that compiles it, without what was compiled for others."""
    torch.compiler.reset()
    start = _Compiled.now()
    _call(step, EARLIER_CALLS[execution.mode])
    before = _Compiled.now()
    counts = trace_counts(_traced(step, execution), execution.device)
    after = _Compiled.now()
    counts |= {
        "graph_nodes": before.calls - start.calls,
        "graphs": after.graphs - start.graphs,
        "graph_breaks": after.graph_breaks - start.graph_breaks,
        "traces": after.graphs - before.graphs,
    }
    # No trace shows Inductor's kernels on a CPU.
    return counts if "kernels" in counts else {**counts, "kernels": after.kernels - start.kernels}


def _call(step: Callable[[], object], times: int) -> None:
    for _ in range(times):
        step()


@dataclass(frozen=True)
class _Compiled:
    """What Dynamo and Inductor have done so far in this process; compiled code from a cache counts as well."""

    graphs: float
    calls: float
    """Operators that Dynamo has put into graphs."""
    graph_breaks: float
    kernels: float

    @classmethod
    def now(cls) -> _Compiled:
        from torch._dynamo.utils import counters
        from torch._inductor import metrics

        return cls(
            graphs=float(counters["stats"]["unique_graphs"]),
            calls=float(counters["stats"]["calls_captured"]),
            graph_breaks=float(sum(counters["graph_break"].values())),
            kernels=float(metrics.generated_kernel_count),
        )


def flops(step: Callable[[], object]) -> float:
    """Return the floating-point operations of matrix products, convolutions and attention in one call of `step`."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        step()
    return float(counter.get_total_flops())


def _traced(step: Callable[[], object], execution: Execution) -> dict[str, Any]:
    """Call `step` under torch.profiler and return the trace."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    if execution.device != "cpu":
        activities.append(torch.profiler.ProfilerActivity.CUDA)
    with torch.profiler.profile(activities=activities, profile_memory=True) as profiler:
        step()
        if execution.device != "cpu":
            torch.cuda.synchronize()
    return read_trace(profiler)


def read_trace(profiler: torch.profiler.profile) -> dict[str, Any]:
    """Return the trace of a profiler that has ended, in Chrome's format."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(path))
        trace: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return trace


def trace_counts(trace: Mapping[str, Any], device: str) -> dict[str, float | str]:
    """Return the counts of the step in a trace of torch.profiler in Chrome's format, which counts in µs."""
    kind = device.partition(":")[0]
    events = trace["traceEvents"]
    operators = [event for event in events if event.get("cat") == "cpu_op" and OPERATOR.fullmatch(event["name"])]
    counts: dict[str, float | str] = {"operators": float(len(operators)), **_memory(events, DEVICE_TYPES[kind])}
    if kind == "cpu":
        return counts
    kernels = [event for event in events if event.get("cat") == "kernel"]
    copies = [event["name"] for event in events if event.get("cat") == "gpu_memcpy"]
    return counts | {
        "kernels": float(len(kernels)),
        "kernel_s": sum(event["dur"] for event in kernels) / 1e6,
        "device_copies": float(sum(any(direction in name for direction in BETWEEN_DEVICES) for name in copies)),
    }


def _memory(events: list[dict[str, Any]], device_type: int) -> dict[str, float]:
    """Return the sum of what is allocated on a device, and by how much its allocations rise at most, bytes."""
    changes = [
        event for event in events if event.get("name") == "[memory]" and event["args"]["Device Type"] == device_type
    ]
    if not changes:
        return {"allocated_bytes": 0.0, "peak_bytes": 0.0}
    first = min(changes, key=lambda event: event["ts"])["args"]
    at_start = first["Total Allocated"] - first["Bytes"]
    highest = max(event["args"]["Total Allocated"] for event in changes)
    return {
        "allocated_bytes": float(sum(max(0, event["args"]["Bytes"]) for event in changes)),
        "peak_bytes": float(max(0, highest - at_start)),
    }
