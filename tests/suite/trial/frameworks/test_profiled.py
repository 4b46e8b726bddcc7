"""What the adapters read from a trace of their framework's profiler."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import gpu_traces
import pytest
from environments import require
from framework_process import Processes

from joulemark.suite.trial.frameworks.adapter import UnsupportedError, check_capability
from joulemark.suite.trial.gpu_busy import busy_s

needs_tensorflow = pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="needs TensorFlow")


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    started = Processes()
    yield started
    started.close()


def test_pytorch_counts_what_runs_on_the_gpu_and_nothing_of_the_cpu() -> None:
    require("torch")
    from joulemark.suite.trial.frameworks.pytorch import trace_intervals

    intervals = trace_intervals(gpu_traces.CHROME_TRACE)
    assert len(intervals) == 4
    assert busy_s(intervals) == pytest.approx(gpu_traces.BUSY_S, rel=1e-4)
    assert trace_intervals({"traceEvents": []}) == []


@pytest.mark.slow
@needs_tensorflow
def test_tensorflow_counts_streams_and_nothing_derived_from_them(processes: Processes) -> None:
    intervals = processes.call("tensorflow", gpu_traces.tensorflow_intervals).result()
    assert len(intervals) == 4
    assert busy_s(intervals) == pytest.approx(gpu_traces.BUSY_S, rel=1e-4)


@pytest.mark.slow
@needs_tensorflow
def test_jax_finds_the_same_in_the_same_file(processes: Processes) -> None:
    require("jax")
    trace = processes.call("tensorflow", gpu_traces.serialized).result()
    intervals, counts = processes.call("jax", gpu_traces.in_jax, trace).result()
    assert len(intervals) == 4
    assert busy_s(intervals) == pytest.approx(gpu_traces.BUSY_S, rel=1e-4)
    assert counts == {"kernels": 2.0, "kernel_s": pytest.approx(80e-6), "device_copies": 1.0}


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["tensorflow", "jax"])
def test_their_own_profilers_find_nothing_on_a_cpu(processes: Processes, framework: str) -> None:
    require(framework)
    assert processes.call(framework, gpu_traces.profiled_on_the_cpu, framework).result() == (1, [])


@pytest.mark.parametrize(
    ("precision", "capability", "supported"),
    [
        ("bf16", (7, 5), False),
        ("tf32", (7, 0), False),
        ("fp16", (7, 5), True),
        ("fp32", (5, 2), True),
        ("bf16", (8, 0), True),
        ("tf32", (12, 0), True),
    ],
)
def test_precisions_that_a_gpu_lacks_are_refused(precision: str, capability: tuple[int, int], supported: bool) -> None:
    if supported:
        check_capability(precision, capability)
        return
    with pytest.raises(UnsupportedError, match=f"{precision} needs an Ampere GPU.*{capability[0]}.{capability[1]}"):
        check_capability(precision, capability)
