"""TensorFlow in a trial."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from joulemark.suite.trial.frameworks import tensorflow_counts
from joulemark.suite.trial.frameworks.adapter import Execution, Step, UnsupportedError, check_capability
from joulemark.suite.trial.gpu_busy import Interval
from joulemark.suite.trial.work_counts import Counts
from joulemark.workloads.kits.tensorflow import Kit

VISIBLE_GPU = "GPU:0"
"""The only GPU that a trial's process sees, whatever the number of its device; where it drives several, the first."""


class Adapter:
    """Drives TensorFlow: sets what it leaves to defaults, and waits for its devices."""

    def __init__(self, execution: Execution) -> None:
        self.execution = execution
        self.cuda = execution.device.startswith("cuda")
        self._functions: list[Any] = []
        tf32 = execution.precision == "tf32"
        if tf32 and not self.cuda:
            raise UnsupportedError("tf32 is a mode of NVIDIA tensor cores; this case runs on the CPU")
        tf.config.threading.set_intra_op_parallelism_threads(execution.threads)
        tf.config.threading.set_inter_op_parallelism_threads(execution.threads)
        # TensorFlow's default is on, under which its "fp32" would be another arithmetic.
        tf.config.experimental.enable_tensor_float_32_execution(tf32)
        if self.cuda:
            self._choose_gpus()
        else:
            tf.config.set_visible_devices([], "GPU")

    def _choose_gpus(self) -> None:
        """Make only the GPUs of the case visible: memory growth must be the same on all visible ones
        (tensorflow/python/eager/context.py), and weights are placed on the first."""
        gpus = tf.config.list_physical_devices("GPU")
        first = int(self.execution.device.partition(":")[2] or 0)
        own = gpus[first : first + self.execution.ranks]
        if len(own) < self.execution.ranks:
            missing = f"cuda:{first + len(own)}"
            raise UnsupportedError(f"TensorFlow {tf.__version__} sees no device {missing}")
        tf.config.set_visible_devices(own, "GPU")
        for gpu in own:
            capability = tf.config.experimental.get_device_details(gpu).get("compute_capability")
            if capability is not None:
                check_capability(self.execution.precision, capability)
            # Without it TensorFlow takes the whole memory of the GPU at start, and memory figures mean nothing.
            tf.config.experimental.set_memory_growth(gpu, True)

    def kit(self, seed: int, training: bool, learning_rate_factor: float = 1.0) -> Kit:
        """Return the kit; under XLA without cuDNN's recurrent kernels, which it lacks (tensorflow issue 99385)."""
        device = VISIBLE_GPU if self.cuda else "CPU:0"
        cudnn = self.execution.mode != "xla"
        return Kit(device, self.execution.precision, seed, training, cudnn, learning_rate_factor)

    def compile(self, step: Step) -> Step:
        """Apply `tf.function`, with `jit_compile` for XLA."""
        if self.execution.mode == "eager":
            return step
        # autograph=False: steps contain no Python control flow over tensors, and AutoGraph would rewrite their source.
        self._functions.append(tf.function(step, jit_compile=self.execution.mode == "xla", autograph=False))
        return self._functions[-1]  # type: ignore[no-any-return]

    def synchronize(self) -> None:
        """Wait for all devices (TensorFlow RFC 434). On the CPU, a call returns when its kernels have."""
        if self.cuda:
            tf.test.experimental.sync_devices()

    def finish_background_compilation(self) -> None:
        """Do nothing: compilation has ended when the call returns."""

    def reset_peak(self) -> None:
        """Reset the peak of the BFC allocator."""
        if self.cuda:
            for number in range(self.execution.ranks):
                tf.config.experimental.reset_memory_stats(f"GPU:{number}")

    def peak_device_bytes(self) -> int | None:
        """Return the peak of the BFC allocator, bytes; of several GPUs, that of the fullest."""
        if not self.cuda:
            return None
        numbers = range(self.execution.ranks)
        return max(int(tf.config.experimental.get_memory_info(f"GPU:{number}")["peak"]) for number in numbers)

    def device_intervals(self, run: Callable[[], None]) -> list[Interval]:
        """Return when the GPU was busy in TensorFlow's profile of `run`."""
        return [interval for space in self._profiled(run) for interval in trace_intervals(space)]

    def _profiled(self, run: Callable[[], object], host_level: int = 0) -> list[Any]:
        """Run under TensorFlow's profiler with the events of the GPU; those of the CPU, from 1 on, slow it down."""
        from tensorflow.tsl.profiler.protobuf import xplane_pb2

        options = tf.profiler.experimental.ProfilerOptions(host_tracer_level=host_level, device_tracer_level=1)
        with tempfile.TemporaryDirectory() as folder:
            with tf.profiler.experimental.Profile(folder, options=options):
                run()
                self.synchronize()
            return [xplane_pb2.XSpace.FromString(path.read_bytes()) for path in Path(folder).rglob("*.xplane.pb")]

    def compiled(self) -> Mapping[str, float]:
        """Return how often the functions of the step were traced."""
        traced = [each.experimental_get_tracing_count() for each in self._functions]
        return {"graphs": float(sum(traced))} if traced else {}

    def count_work(self, step: Step, inputs: Mapping[str, Any]) -> Iterator[Counts]:
        """Count operators of a step, or nodes and FLOPs of its function; on a GPU, kernels and memory."""

        def call() -> object:
            return step(**inputs)

        mode = self.execution.mode
        if mode == "eager":
            yield tensorflow_counts.count_eager(call)
        else:
            function: Any = step
            yield tensorflow_counts.graph_counts(function.get_concrete_function(**inputs).graph)
        if self.cuda:
            for space in self._profiled(call):
                yield tensorflow_counts.device_counts(space)
            yield tensorflow_counts.peak_counts(call, VISIBLE_GPU)
        elif mode == "graph":
            yield {"kernels": tensorflow_counts.grappler_nodes(call)}
        elif mode == "xla":
            for space in self._profiled(call, host_level=1):
                yield {"kernels": tensorflow_counts.xla_kernels(space)}

    def read_back(self) -> dict[str, str]:
        """Return threads and flags as TensorFlow reports them."""
        return {
            "version": tf.__version__,
            "keras": keras.__version__,
            "keras_backend": keras.backend.backend(),
            "intra_op_threads": str(tf.config.threading.get_intra_op_parallelism_threads()),
            "inter_op_threads": str(tf.config.threading.get_inter_op_parallelism_threads()),
            "tf32": str(tf.config.experimental.tensor_float_32_execution_enabled()),
        }


def trace_intervals(space: Any) -> list[Interval]:
    """Return when a GPU was busy, seconds, from an `XSpace` (tsl/profiler/protobuf/xplane.proto).

    The plane of a GPU has a line for each stream, and others that sum them up.
    """
    planes = [plane for plane in space.planes if plane.name.startswith("/device:GPU:")]
    streams = [(plane, line) for plane in planes for line in plane.lines if line.name.startswith("Stream #")]
    # Counted from the first one: nanoseconds since 1970 do not fit a float.
    origin_ns = min((line.timestamp_ns for _, line in streams), default=0)
    intervals = []
    for plane, line in streams:
        for event in line.events:
            # `Memory Device` lasts as long as memory is allocated, whatever is done with it.
            if not plane.event_metadata[event.metadata_id].name.startswith("Memory"):
                start_s = (line.timestamp_ns - origin_ns) * 1e-9 + event.offset_ps * 1e-12
                intervals.append((start_s, start_s + event.duration_ps * 1e-12))
    return intervals


def discover() -> dict[str, Any]:
    """Return version, build and devices. Initialises the GPUs: only for a throw-away process."""
    facts = tf.sysconfig.get_build_info()
    build = "cpu"
    if facts.get("is_cuda_build"):
        build = f"cuda {facts.get('cuda_version', '')}".strip()
    elif facts.get("is_rocm_build"):
        build = "rocm"
    gpus = len(tf.config.list_physical_devices("GPU"))
    reason = "TensorFlow cannot load a library that it needs there, or finds no driver: its own messages say which"
    return {
        "version": tf.__version__,
        "build": build,
        "devices": ["cpu", *(f"cuda:{i}" for i in range(gpus))],
        "blind": None if gpus or build == "cpu" else reason,
    }
