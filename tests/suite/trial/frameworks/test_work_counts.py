"""What the adapters count in a profiler's trace and in a compiler's text, against counts made by hand."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import gpu_traces
import pytest
import xla_text
from environments import require
from framework_process import Processes

needs_tensorflow = pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="needs TensorFlow")


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    started = Processes()
    yield started
    started.close()


def memory(ts: float, size: int, total: int, device: int = 0, thread: int = 9) -> dict[str, object]:
    """Return a memory event of a trace, as torch.profiler writes it."""
    arguments = {"Device Type": device, "Device Id": -1, "Bytes": size, "Total Allocated": total, "Addr": 4096}
    return {"ph": "i", "cat": "cpu_instant_event", "name": "[memory]", "tid": thread, "ts": ts, "args": arguments}


def test_pytorchs_kernels_copies_and_operators() -> None:
    require("torch")
    from joulemark.suite.trial.frameworks.pytorch_counts import trace_counts

    nodes = ["AddBackward0", "autograd::engine::evaluate_function: AddBackward0", "torch::autograd::AccumulateGrad"]
    # Gradients are computed in thread 11. Thread 12 loads data for later steps.
    threads = {"aten::add": 9, "mylib::op": 11, **dict.fromkeys(nodes, 11), "aten::copy_": 12}
    events = [{"ph": "X", "cat": "cpu_op", "name": name, "tid": tid, "ts": 1.0} for name, tid in threads.items()]
    trace = {"traceEvents": [*gpu_traces.CHROME_TRACE["traceEvents"], *events]}
    counts = trace_counts(trace, "cuda:0", thread=9)
    assert counts.pop("kernel_s") == pytest.approx(80e-6)
    assert counts == {
        "operators": 3.0, "kernels": 2.0, "device_copies": 1.0, "allocated_bytes": 0.0, "peak_bytes": 0.0
    }  # fmt: skip


def test_allocations_and_their_peak() -> None:
    """1000 bytes lived before; 300 and 500 are allocated, then 300 freed, and 100 allocated. Another device or thread
    counts not.

    The order in the file is not that of time.
    """
    require("torch")
    from joulemark.suite.trial.frameworks.pytorch_counts import trace_counts

    events = [
        memory(3.0, -300, 1500), memory(1.0, 300, 1300), memory(2.0, 500, 1800), memory(4.0, 100, 1600),
        memory(2.5, 7000, 9000, device=1), memory(2.6, 7000, 8500, thread=12),
    ]  # fmt: skip
    counts = trace_counts({"traceEvents": events}, "cpu", thread=9)
    assert counts == {"operators": 0.0, "allocated_bytes": 900.0, "peak_bytes": 800.0}


def test_a_count_in_which_two_calls_differ_has_a_reason() -> None:
    require("torch")
    from joulemark.suite.trial.frameworks.pytorch_counts import agreed

    first = {"operators": 2.0, "allocated_bytes": 8.0, "peak_bytes": 8.0, "kernel_s": 1.0}
    second = {**first, "operators": 4.0, "peak_bytes": 4.0, "kernel_s": 2.0}
    assert agreed(first, second) == {**first, "operators": "two calls differ: 2 and 4"}
    other = agreed(first, {**first, "allocated_bytes": 9.0})
    assert other["allocated_bytes"] == "two calls differ: 8 and 9"
    assert isinstance(other["peak_bytes"], str)


@pytest.mark.slow
@needs_tensorflow
def test_what_tensorflow_counts(processes: Processes) -> None:
    counts = processes.call("tensorflow", gpu_traces.tensorflow_counts).result()
    assert counts.pop("kernel_s") == pytest.approx(80e-6)
    assert counts == {"kernels": 2.0, "device_copies": 1.0}


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["tensorflow", "jax"])
def test_xlas_kernels_are_those_of_its_code(processes: Processes, framework: str) -> None:
    require(framework)
    in_trace, in_code = processes.call(framework, xla_text.kernels, framework).result()
    assert in_trace == in_code > 3
