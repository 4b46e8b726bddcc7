"""JAX in a trial."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import flax
import jax
import jaxlib
import optax

from joulemark.suite.trial.frameworks import jax_counts
from joulemark.suite.trial.frameworks.adapter import Execution, Step, UnsupportedError, check_capability
from joulemark.suite.trial.gpu_busy import Interval
from joulemark.suite.trial.work_counts import Counts
from joulemark.workloads.kits.jax import Kit
from joulemark.workloads.kits.jax.step import Step as KitStep


class Adapter:
    """Drives JAX: sets what it leaves to defaults, and waits for its devices."""

    def __init__(self, execution: Execution) -> None:
        self.execution = execution
        self.cuda = execution.device.startswith("cuda")
        self._steps: list[KitStep] = []
        if execution.precision == "tf32" and not self.cuda:
            raise UnsupportedError("tf32 is a mode of NVIDIA tensor cores; this case runs on the CPU")
        # The size of XLA's pools of threads, read when its client is made (xla/pjrt/utils.cc, DefaultThreadPoolSize).
        os.environ["NPROC"] = str(execution.threads)
        if self.cuda:
            self._choose_gpu()
        else:
            jax.config.update("jax_platforms", "cpu")

    def _choose_gpu(self) -> None:
        """Make only the GPUs of the case visible: JAX makes a client for each that it sees."""
        first = int(self.execution.device.partition(":")[2] or 0)
        numbers = range(first, first + self.execution.ranks)
        jax.config.update("jax_cuda_visible_devices", ",".join(map(str, numbers)))
        try:
            device = jax.devices("cuda")[0]
        except (RuntimeError, IndexError):
            raise UnsupportedError(f"JAX {jax.__version__} sees no device {self.execution.device}") from None
        capability = tuple(map(int, device.compute_capability.split(".")))
        check_capability(self.execution.precision, capability)

    def kit(self, seed: int, training: bool, learning_rate_factor: float = 1.0) -> Kit:
        """Return the kit for this device and precision."""
        device = "cuda" if self.cuda else "cpu"
        return Kit(device, self.execution.precision, seed, training, learning_rate_factor)

    def compile(self, step: Step) -> Step:
        """Return the step under `jax.jit`, with its state donated; one that the kit has not made has none."""
        if isinstance(step, KitStep):
            own = step
        else:
            own = KitStep(lambda _state, _fixed, inputs: (step(**inputs), {}), {}, {})
        self._steps.append(own)
        run: Step = own if self.execution.mode == "eager" else own.compiled
        return run

    def synchronize(self) -> None:
        """Wait for the last call of each step, which has waited for those before; before the first, for all arrays."""
        if not any(step.latest for step in self._steps):
            jax.block_until_ready(jax.live_arrays())
        for step in self._steps:
            step.wait()

    def finish_background_compilation(self) -> None:
        """Do nothing: compilation has ended when the call returns."""

    def reset_peak(self) -> None:
        """Do nothing: XLA's allocator cannot reset its peak."""

    def peak_device_bytes(self) -> int | None:
        """Return the peak of XLA's BFC allocator since the start, first calls included, bytes."""
        stats = jax.devices()[0].memory_stats() if self.cuda else None
        return int(stats["peak_bytes_in_use"]) if stats else None

    def device_intervals(self, run: Callable[[], None]) -> list[Interval]:
        """Return when the GPU was busy in JAX's profile of `run`."""
        return jax_counts.trace_intervals(self._profiled(run, gpu=True))

    def _profiled(self, run: Callable[[], object], gpu: bool) -> Any:
        """Run under JAX's profiler with the events of the GPU alone, which the CPU's would slow down, or of the CPU."""
        options = jax.profiler.ProfileOptions()
        options.host_tracer_level, options.python_tracer_level, options.device_tracer_level = int(not gpu), 0, int(gpu)
        with tempfile.TemporaryDirectory() as folder:
            with jax.profiler.trace(folder, profiler_options=options):
                run()
                self.synchronize()
            (path,) = Path(folder).rglob("*.xplane.pb")
            return jax.profiler.ProfileData.from_serialized_xspace(path.read_bytes())

    def compiled(self) -> Mapping[str, float]:
        """Return how often the steps were traced."""
        if not self._steps or self.execution.mode == "eager":
            return {}
        return {"graphs": float(sum(step.traces for step in self._steps))}

    def count_work(self, step: Step, inputs: Mapping[str, Any]) -> Iterator[Counts]:
        """Count operators of a step, or equations of its trace and XLA's kernels; FLOPs, memory; kernels on a GPU."""
        program: KitStep = getattr(step, "__self__", step)  # what `compile` has made it of
        yield jax_counts.trace_counts(program, inputs, self.execution.mode)
        if self.cuda:
            yield jax_counts.device_counts(self._profiled(lambda: step(**inputs), gpu=True))
        if self.execution.mode != "eager":
            if not self.cuda:
                yield {"kernels": jax_counts.xla_kernels(self._profiled(lambda: step(**inputs), gpu=False))}
            yield jax_counts.peak_counts(program, inputs)

    def read_back(self) -> dict[str, str]:
        """Return threads and flags as JAX reports them."""
        return {
            "version": jax.__version__,
            "jaxlib": jaxlib.__version__,
            "flax": flax.__version__,
            "optax": optax.__version__,
            "platform": jax.default_backend(),
            "intra_op_threads": os.environ["NPROC"],
            "matmul_precision": str(jax.config.jax_default_matmul_precision),
            "x64": str(jax.config.jax_enable_x64),
            "cpu_async_dispatch": str(jax.config.read("jax_cpu_enable_async_dispatch")),
            "prng": str(jax.config.jax_default_prng_impl),
            "compilation_cache": str(jax.config.jax_compilation_cache_dir is not None),
            "preallocate": os.environ.get("XLA_PYTHON_CLIENT_PREALLOCATE", "default"),
            "xla_flags": os.environ.get("XLA_FLAGS", ""),
        }


def discover() -> dict[str, Any]:
    """Return version, build and devices. Initialises the GPUs: only for a throw-away process."""
    gpus = [device for device in jax.devices() if device.platform == "gpu"]
    build = gpus[0].client.platform_version.splitlines()[-1] if gpus else "cpu"
    return {
        "version": jax.__version__,
        "build": build,
        "devices": ["cpu", *(f"cuda:{i}" for i in range(len(gpus)))],
        "blind": None,
    }
