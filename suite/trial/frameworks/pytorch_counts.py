"""What one step does in PyTorch, by its profiler, by Dynamo and Inductor, and by its FLOP counter."""

from __future__ import annotations

import itertools
import json
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import torch

from joulemark.suite.records.work import COUNTS
from joulemark.suite.trial.frameworks.adapter import Execution
from joulemark.suite.trial.work_counts import Counts

OPERATOR: Final = re.compile(r"(?!autograd::)\w+::\w+")
"""Names in a trace that are operators, such as `aten::mm`: not the nodes of autograd, nor what a user annotates."""
GRADIENTS: Final = "autograd::engine::"
"""How events of autograd's engine begin; on a GPU it has a thread of its own."""
BETWEEN_DEVICES: Final = ("HtoD", "DtoH", "PtoP")
"""Directions in the names of a trace's copies from one device to another."""
DEVICE_TYPES: Final = {"cpu": 0, "cuda": 1}
"""Numbers of devices in a trace's memory events (c10/core/DeviceType.h)."""


def count(step: Callable[[], object], execution: Execution) -> Iterator[Counts]:
    """Yield what one call of `step` does, which has been called before."""
    first, second = (
        trace_counts(_traced(step, execution), execution.device, threading.get_native_id()) for _ in range(2)
    )
    yield agreed(first, second)
    if execution.mode == "eager":
        yield {"flops": flops(step)}


def agreed(first: Mapping[str, float], second: Mapping[str, float]) -> Counts:
    """Return the counts of two calls, with a reason instead of an exact one in which they differ.

    A data loader hands over what its workers happen to have finished.
    """
    same = {key: n == second[key] or not COUNTS[key].exact for key, n in first.items()}
    # The profiler knows the blocks of the first call when the second frees them, and shows a lower peak.
    same["peak_bytes"] = same["allocated_bytes"]
    return {key: n if same[key] else f"two calls differ: {n:,.0f} and {second[key]:,.0f}" for key, n in first.items()}


def compiled(cuda: bool) -> dict[str, float]:
    """Return what Dynamo and Inductor have made so far in this process; compiled code from a cache counts as well."""
    from torch._dynamo.utils import counters
    from torch._inductor import metrics

    counts = {
        "graphs": float(counters["stats"]["unique_graphs"]),
        "graph_nodes": float(counters["stats"]["calls_captured"]),
        "graph_breaks": float(sum(counters["graph_break"].values())),
    }
    # No trace shows Inductor's kernels on a CPU; a GPU's trace shows what is launched.
    return counts if cuda else {**counts, "kernels": float(metrics.generated_kernel_count)}


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


def trace_counts(trace: Mapping[str, Any], device: str, thread: int) -> dict[str, float]:
    """Return the counts of the step in a trace of torch.profiler in Chrome's format, which counts in µs.

    `thread` is the system's number of the one that called the step. Threads that compute gradients belong to it as
    well; others do not, such as those of a data loader, which work for whichever step comes.
    """
    kind = device.partition(":")[0]
    events = trace["traceEvents"]
    threads = {thread, *(event["tid"] for event in events if event.get("name", "").startswith(GRADIENTS))}
    own = [event for event in events if event.get("tid") in threads]
    operators = [event for event in own if event.get("cat") == "cpu_op" and OPERATOR.fullmatch(event["name"])]
    counts = {"operators": float(len(operators)), **_memory(own, DEVICE_TYPES[kind])}
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
    sizes = [event["args"]["Bytes"] for event in sorted(changes, key=lambda event: event["ts"])]
    return {
        "allocated_bytes": float(sum(size for size in sizes if size > 0)),
        "peak_bytes": float(max(itertools.accumulate(sizes, initial=0))),
    }
