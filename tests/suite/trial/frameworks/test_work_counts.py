"""What the adapters count in a profiler's trace and in a compiler's text, against counts made by hand."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import gpu_traces
import hlo_module
import pytest
from environments import require
from framework_process import Processes

needs_tensorflow = pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="needs TensorFlow")


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    started = Processes()
    yield started
    started.close()


def memory(ts: float, size: int, total: int, device: int = 0) -> dict[str, object]:
    """Return a memory event of a trace, as torch.profiler writes it."""
    arguments = {"Device Type": device, "Device Id": -1, "Bytes": size, "Total Allocated": total, "Addr": 4096}
    return {"ph": "i", "cat": "cpu_instant_event", "name": "[memory]", "ts": ts, "args": arguments}


def test_pytorchs_kernels_copies_and_operators() -> None:
    require("torch")
    from joulemark.suite.trial.frameworks.pytorch_counts import trace_counts

    nodes = ["AddBackward0", "autograd::engine::evaluate_function: AddBackward0", "torch::autograd::AccumulateGrad"]
    events = [{"ph": "X", "cat": "cpu_op", "name": name, "ts": 1.0} for name in ["aten::add", "mylib::op", *nodes]]
    trace = {"traceEvents": [*gpu_traces.CHROME_TRACE["traceEvents"], *events]}
    counts = trace_counts(trace, "cuda:0")
    assert counts.pop("kernel_s") == pytest.approx(80e-6)
    assert counts == {
        "operators": 3.0, "kernels": 2.0, "device_copies": 1.0, "allocated_bytes": 0.0, "peak_bytes": 0.0
    }  # fmt: skip


def test_allocations_and_their_peak() -> None:
    """1000 bytes lived before; 300 and 500 are allocated, then 300 freed, and 100 allocated; another device counts not.

    The order in the file is not that of time.
    """
    require("torch")
    from joulemark.suite.trial.frameworks.pytorch_counts import trace_counts

    events = [
        memory(3.0, -300, 1500), memory(1.0, 300, 1300), memory(2.0, 500, 1800), memory(4.0, 100, 1600),
        memory(2.5, 7000, 9000, device=1),
    ]  # fmt: skip
    counts = trace_counts({"traceEvents": events}, "cpu")
    assert counts == {"operators": 0.0, "allocated_bytes": 900.0, "peak_bytes": 800.0}


@pytest.mark.slow
@needs_tensorflow
def test_what_tensorflow_counts(processes: Processes) -> None:
    assert processes.call("tensorflow", hlo_module.counted).result() == hlo_module.NODES
    counts = processes.call("tensorflow", gpu_traces.tensorflow_counts).result()
    assert counts.pop("kernel_s") == pytest.approx(80e-6)
    assert counts == {"kernels": 2.0, "device_copies": 1.0}
