"""PyTorch in a trial."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch

from joulemark.suite.trial.frameworks import FRAMEWORKS, mode_refusal, pytorch_counts
from joulemark.suite.trial.frameworks.adapter import Execution, Step, UnsupportedError, check_capability
from joulemark.suite.trial.gpu_busy import Interval
from joulemark.suite.trial.work_counts import Counts
from joulemark.workloads.kits.pytorch import Kit

DEVICE_CATEGORIES = ("kernel", "gpu_memcpy", "gpu_memset")
"""Categories of a trace's events on the GPU itself (kineto, libkineto/src/ActivityType.cpp). `gpu_user_annotation` is
none: it spans the pauses between kernels."""


class Adapter:
    """Drives PyTorch: sets what it leaves to defaults, and waits for its devices."""

    def __init__(self, execution: Execution) -> None:
        self.execution = execution
        self.cuda = execution.device.startswith("cuda")
        torch.set_num_threads(execution.threads)
        tf32 = execution.precision == "tf32"
        if tf32 and (not self.cuda or torch.version.hip):
            where = "PyTorch is built for AMD GPUs" if torch.version.hip else "this case runs on the CPU"
            raise UnsupportedError(f"tf32 is a mode of NVIDIA tensor cores; {where}")
        # fp32 means IEEE single precision for matrix products and convolutions alike; PyTorch's defaults differ
        # between the two (docs: "CUDA semantics", TensorFloat-32).
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.allow_tf32 = tf32
        # TensorFlow always lets cuDNN choose by timing; so does PyTorch here.
        torch.backends.cudnn.benchmark = True
        if self.cuda:
            self._check_gpu()
        elif refusal := mode_refusal(FRAMEWORKS["pytorch"], execution.mode, "cpu"):
            raise UnsupportedError(refusal)

    def _check_gpu(self) -> None:
        device = torch.device(self.execution.device)
        if not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count():
            raise UnsupportedError(f"PyTorch {torch.__version__} sees no device {self.execution.device}")
        if not torch.version.hip:
            check_capability(self.execution.precision, torch.cuda.get_device_capability(device))
        torch.cuda.set_device(device)
        torch.cuda.init()

    def kit(self, seed: int, training: bool, learning_rate_factor: float = 1.0) -> Kit:
        """Return the kit for this device and precision."""
        return Kit(self.execution.device, self.execution.precision, seed, training, learning_rate_factor)

    def compile(self, step: Step) -> Step:
        """Apply `torch.compile` with its default back end; shapes are static, hence no dynamic shapes."""
        if self.execution.mode == "eager":
            return step
        if self.execution.mode == "cudagraph":
            return with_cuda_graphs(step)
        compiled: Step = torch.compile(step, dynamic=False)
        return compiled

    def synchronize(self) -> None:
        """Wait for CUDA. On the CPU, kernels have returned when their call has."""
        if self.cuda:
            torch.cuda.synchronize()

    def finish_background_compilation(self) -> None:
        """End Inductor's compile workers.

        Inductor starts a process to compile a GPU's kernels, which imports PyTorch first. Kernels from the cache are
        ready sooner, and the process would still be importing while the window is timed.
        """
        if self.execution.mode != "eager":
            from torch._inductor.async_compile import shutdown_compile_workers

            shutdown_compile_workers()

    def reset_peak(self) -> None:
        """Reset the peak of the caching allocator."""
        if self.cuda:
            torch.cuda.reset_peak_memory_stats()

    def peak_device_bytes(self) -> int | None:
        """Return the peak of the caching allocator, bytes."""
        return int(torch.cuda.max_memory_allocated()) if self.cuda else None

    def device_intervals(self, run: Callable[[], None]) -> list[Interval]:
        """Run under torch.profiler with the activities of the GPU alone, which the CPU's would slow down."""
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profiler:
            run()
            self.synchronize()
        return trace_intervals(pytorch_counts.read_trace(profiler))

    def compiled(self) -> Mapping[str, float]:
        """Return what Dynamo and Inductor have made so far."""
        return {} if self.execution.mode == "eager" else pytorch_counts.compiled(self.cuda)

    def count_work(self, step: Step, inputs: Mapping[str, Any]) -> Iterator[Counts]:
        """Count operators, kernels, memory and FLOPs of one step."""
        yield from pytorch_counts.count(lambda: step(**inputs), self.execution)

    def read_back(self) -> dict[str, str]:
        """Return threads and flags as PyTorch reports them."""
        return {
            "version": torch.__version__,
            "intra_op_threads": str(torch.get_num_threads()),
            "inter_op_threads": str(torch.get_num_interop_threads()),
            "matmul_tf32": str(torch.backends.cuda.matmul.allow_tf32),
            "convolution_tf32": str(torch.backends.cudnn.allow_tf32),
            "cudnn_benchmark": str(torch.backends.cudnn.benchmark),
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
            **({"cuda_graphs_skipped": str(skipped_graphs())} if self.execution.mode == "cudagraph" else {}),
        }


def with_cuda_graphs(step: Step) -> Step:
    """Return the step compiled, with its graphs recorded at the second call and replayed from the third on.

    A replay overwrites the outputs of the step before: whoever keeps them copies them. Inductor is told where a step
    begins, since a training step is several graphs, whose outputs live until its end.
    """
    compiled: Step = torch.compile(step, dynamic=False, mode="reduce-overhead")

    def step_with_graphs(**inputs: Any) -> Mapping[str, Any]:
        torch.compiler.cudagraph_mark_step_begin()
        return compiled(**inputs)

    return step_with_graphs


def skipped_graphs() -> int:
    """Return how many compiled graphs Inductor has not recorded as CUDA graphs: they run as in mode `compile`."""
    counters: Any = torch._dynamo.utils.counters
    return int(counters["inductor"]["cudagraph_skips"])


def trace_intervals(trace: Mapping[str, Any]) -> list[Interval]:
    """Return when a GPU was busy, seconds, from a trace of torch.profiler in Chrome's format, which counts in µs."""
    return [
        (event["ts"] / 1e6, (event["ts"] + event["dur"]) / 1e6)
        for event in trace["traceEvents"]
        if event.get("ph") == "X" and event.get("cat") in DEVICE_CATEGORIES
    ]


def discover() -> dict[str, Any]:
    """Return version, build and devices. Initialises the GPUs: only for a throw-away process."""
    build = f"cuda {torch.version.cuda}" if torch.version.cuda else "cpu"
    if torch.version.hip:
        build = f"rocm {torch.version.hip}"
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return {
        "version": torch.__version__,
        "build": build,
        "devices": ["cpu", *(f"cuda:{i}" for i in range(gpus))],
        "boards": [str(torch.cuda.get_device_properties(i).uuid) for i in range(gpus)] if torch.version.cuda else [],
        "blind": _no_gpu_reason() if torch.version.cuda and not gpus else None,
    }


def _no_gpu_reason() -> str:
    """Return why CUDA does not start; `is_available` hides the reason."""
    try:
        torch.cuda.init()
    except (RuntimeError, AssertionError) as error:
        return str(error).strip().split("\n", 1)[0]
    return "CUDA starts but shows no GPU"
