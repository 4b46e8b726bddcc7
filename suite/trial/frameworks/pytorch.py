"""PyTorch in a trial."""

from __future__ import annotations

from typing import Any

import torch
import torch._dynamo  # imported before the fork: a second that each compiled trial would pay again

from joulemark.suite.trial.frameworks.adapter import Execution, Step, UnsupportedError
from joulemark.workloads.kits.pytorch import Kit


class Adapter:
    """Sets what PyTorch leaves to defaults, and waits for its devices."""

    def __init__(self, execution: Execution) -> None:
        self.execution = execution
        self.cuda = execution.device.startswith("cuda")
        torch.set_num_threads(execution.threads)
        tf32 = execution.precision == "tf32"
        if tf32 and (not self.cuda or torch.version.hip):
            here = "PyTorch is built for AMD boards" if torch.version.hip else "this case runs on the CPU"
            raise UnsupportedError(f"tf32 is a mode of NVIDIA tensor cores; {here}")
        # fp32 means IEEE single precision for matrix products and convolutions alike; PyTorch's defaults differ
        # between the two (docs: "CUDA semantics", TensorFloat-32).
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.allow_tf32 = tf32
        # TensorFlow always lets cuDNN choose by timing; so does PyTorch here.
        torch.backends.cudnn.benchmark = True
        if self.cuda:
            self._check_gpu()

    def _check_gpu(self) -> None:
        device = torch.device(self.execution.device)
        if not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count():
            raise UnsupportedError(f"PyTorch {torch.__version__} sees no device {self.execution.device}")
        major, _ = torch.cuda.get_device_capability(device)
        if self.execution.precision in ("tf32", "bf16") and major < 8 and not torch.version.hip:
            raise UnsupportedError(f"{self.execution.precision} needs an Ampere board or newer")
        torch.cuda.set_device(device)
        torch.cuda.init()

    def kit(self, seed: int) -> Kit:
        """For this device and precision."""
        return Kit(self.execution.device, self.execution.precision, seed)

    def compile(self, step: Step) -> Step:
        """`torch.compile` with its default back end; shapes are static, so dynamic shapes are off."""
        if self.execution.mode == "eager":
            return step
        compiled: Step = torch.compile(step, dynamic=False)
        return compiled

    def synchronize(self) -> None:
        """CPU kernels have returned when their call has; CUDA is waited for."""
        if self.cuda:
            torch.cuda.synchronize()

    def finish_background_compilation(self) -> None:
        """Inductor asks a process of its own to compile a board's kernels, which imports PyTorch first; kernels that
        the cache has are ready sooner, and it would still import while the window is timed."""
        if self.execution.mode != "eager":
            from torch._inductor.async_compile import shutdown_compile_workers

            shutdown_compile_workers()

    def reset_peak(self) -> None:
        """Of the caching allocator."""
        if self.cuda:
            torch.cuda.reset_peak_memory_stats()

    def peak_device_bytes(self) -> int | None:
        """Peak of the caching allocator, bytes."""
        return int(torch.cuda.max_memory_allocated()) if self.cuda else None

    def traces(self) -> int | None:
        """Graphs that Dynamo has compiled."""
        if self.execution.mode == "eager":
            return None
        counters: Any = torch._dynamo.utils.counters
        return int(counters["stats"]["unique_graphs"])

    def read_back(self) -> dict[str, str]:
        """Threads and flags as PyTorch reports them."""
        return {
            "version": torch.__version__,
            "intra_op_threads": str(torch.get_num_threads()),
            "inter_op_threads": str(torch.get_num_interop_threads()),
            "matmul_tf32": str(torch.backends.cuda.matmul.allow_tf32),
            "convolution_tf32": str(torch.backends.cudnn.allow_tf32),
            "cudnn_benchmark": str(torch.backends.cudnn.benchmark),
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        }


def discover() -> dict[str, Any]:
    """Version, build and devices. Wakes the devices: only for a process that is thrown away."""
    build = f"cuda {torch.version.cuda}" if torch.version.cuda else "cpu"
    if torch.version.hip:
        build = f"rocm {torch.version.hip}"
    boards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return {
        "version": torch.__version__,
        "build": build,
        "devices": ["cpu", *(f"cuda:{i}" for i in range(boards))],
        "boards": [str(torch.cuda.get_device_properties(i).uuid) for i in range(boards)] if torch.version.cuda else [],
        "blind": _blind() if torch.version.cuda and not boards else None,
    }


def _blind() -> str:
    """Why CUDA does not start. `is_available` swallows the reason."""
    try:
        torch.cuda.init()
    except (RuntimeError, AssertionError) as error:
        return str(error).strip().split("\n", 1)[0]
    return "CUDA starts and shows no board"
