"""Traces in the formats of the frameworks' profilers, of the same made-up moment on a GPU, and when it was busy.

On stream 7 kernels run from 0 to 40 and from 60 to 100 µs, on stream 13 a copy from 30 to 50, a fill from 200 to 205.
"""

from __future__ import annotations

from typing import Any

BUSY_S = 95e-6

CHROME_TRACE: dict[str, Any] = {
    "schemaVersion": 1,
    "deviceProperties": [{"id": 0, "name": "NVIDIA H200", "computeMajor": 9, "computeMinor": 0}],
    "displayTimeUnit": "ms",
    "baseTimeNanoseconds": 1790857026000000000,
    "traceEvents": [
        {"ph": "M", "name": "process_name", "ts": 5135881639000.0, "pid": 0, "tid": 0, "args": {"name": "python"}},
        {"ph": "X", "cat": "cpu_op", "name": "aten::mm", "pid": 9, "tid": 9, "ts": 5135881639100.0, "dur": 900.0},
        {"ph": "X", "cat": "cuda_runtime", "name": "cudaLaunchKernel", "pid": 9, "tid": 9, "ts": 5135881639000.0,
         "dur": 900.0, "args": {"correlation": 5}},
        {"ph": "s", "cat": "ac2g", "name": "ac2g", "id": 5, "pid": 9, "tid": 9, "ts": 5135881639000.0},
        {"ph": "X", "cat": "gpu_user_annotation", "name": "ProfilerStep#1", "pid": 0, "tid": 7, "ts": 5135881640000.0,
         "dur": 400.0},
        {"ph": "X", "cat": "kernel", "name": "sm90_xmma_gemm_bf16bf16", "pid": 0, "tid": 7, "ts": 5135881640060.0,
         "dur": 40.0, "args": {"device": 0, "stream": 7, "correlation": 6, "grid": [132, 1, 1]}},
        {"ph": "X", "cat": "kernel", "name": "void at::native::vectorized_elementwise_kernel<4>", "pid": 0, "tid": 7,
         "ts": 5135881640000.0, "dur": 40.0, "args": {"device": 0, "stream": 7, "correlation": 5}},
        {"ph": "X", "cat": "gpu_memcpy", "name": "Memcpy HtoD (Pinned -> Device)", "pid": 0, "tid": 13,
         "ts": 5135881640030.0, "dur": 20.0, "args": {"device": 0, "stream": 13, "bytes": 65536}},
        {"ph": "X", "cat": "gpu_memset", "name": "Memset (Device)", "pid": 0, "tid": 13, "ts": 5135881640200.0,
         "dur": 5.0, "args": {"device": 0, "stream": 13, "bytes": 4096}},
        {"ph": "X", "cat": "Trace", "name": "PyTorch Profiler (0)", "pid": "Spans", "tid": "PyTorch Profiler",
         "ts": 5135881639000.0, "dur": 3000.0, "args": {"Op count": 0}},
        {"ph": "i", "s": "g", "name": "Record Window End", "pid": "", "tid": "", "ts": 5135881642000.0},
    ],
}  # fmt: skip

PLANES = {
    "/host:CPU": {"python": [("FunctionRun", 0, 900)]},
    "/device:GPU:0": {
        "Stream #7(Compute)": [("sm90_xmma_gemm_bf16bf16", 60, 40), ("Relu_GPU_DT_FLOAT_DT_FLOAT_kernel", 0, 40)],
        "Stream #13(MemcpyH2D,Memset)": [("MemcpyH2D", 30, 20), ("Memset", 200, 5)],
        "Stream #0(MemoryResidency)": [("Memory Device", 0, 900)],
        "Steps": [("1", 0, 400)],
        "XLA Modules": [("cluster_0", 0, 400)],
        "TensorFlow Ops": [("MatMul", 60, 40)],
        "CUPTI overhead": [("Activity buffer flush", 0, 400)],
    },
}
"""Names of planes, lines and events -> begin and duration, µs."""


def tensorflow_intervals() -> list[tuple[float, float]]:
    """Return the intervals that TensorFlow's adapter finds in `PLANES`. Imports TensorFlow."""
    from joulemark.suite.trial.frameworks.tensorflow import trace_intervals

    return trace_intervals(_space())


def tensorflow_counts() -> dict[str, float]:
    """Return what TensorFlow's adapter counts in `PLANES`. Imports TensorFlow."""
    from joulemark.suite.trial.frameworks.tensorflow_counts import device_counts

    return device_counts(_space())


def serialized() -> bytes:
    """Return the trace of `PLANES` as a file has it. Imports TensorFlow."""
    return bytes(_space().SerializeToString())


def in_jax(trace: bytes) -> tuple[list[tuple[float, float]], dict[str, float]]:
    """Return the intervals that JAX's adapter finds in a file's trace, and what it counts there. Imports JAX."""
    import jax

    from joulemark.suite.trial.frameworks.jax_counts import device_counts, trace_intervals

    profile = jax.profiler.ProfileData.from_serialized_xspace(trace)
    return trace_intervals(profile), device_counts(profile)


def _space() -> Any:
    """Return the trace of `PLANES` as TensorFlow writes it to a file."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace()
    for plane_name, lines in PLANES.items():
        plane = space.planes.add(name=plane_name)
        for line_name, events in lines.items():
            line = plane.lines.add(name=line_name, timestamp_ns=1790857026_000_000_000)
            for number, (event_name, begin_us, duration_us) in enumerate(events, len(plane.event_metadata) + 1):
                plane.event_metadata[number].name = event_name
                line.events.add(metadata_id=number, offset_ps=begin_us * 10**6, duration_ps=duration_us * 10**6)
    return xplane_pb2.XSpace.FromString(space.SerializeToString())


def profiled_on_the_cpu(framework: str) -> tuple[int, list[tuple[float, float]]]:
    """Return how often the profiled function was called, and the intervals found: none without a GPU."""
    from joulemark.suite.trial.frameworks import FRAMEWORKS
    from joulemark.suite.trial.frameworks.adapter import Execution, load

    calls = 0

    def run() -> None:
        nonlocal calls
        calls += 1

    execution = Execution(FRAMEWORKS[framework].default_mode, "cpu", "fp32", threads=1)
    intervals = load(framework)(execution).device_intervals(run)
    return calls, intervals
