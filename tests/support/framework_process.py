"""Runs workloads in a process of one framework; the tests themselves import none.

`Job` and `Result` cross the process border by pickle, with numpy arrays only.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from multiprocessing import get_context
from typing import Any

import numpy as np

from joulemark.suite.trial.frameworks import FRAMEWORKS as TABLE
from joulemark.workloads.registry import builder, supports, workloads
from joulemark.workloads.spec import Program, Workload

FRAMEWORKS = tuple(name for name, each in TABLE.items() if find_spec(each.module))
"""Those that are installed here."""
MODES = {name: [mode for mode in TABLE[name].modes if mode not in TABLE[name].gpu_modes] for name in FRAMEWORKS}
"""Modes that run on a CPU."""
DEFAULT_MODE = {name: TABLE[name].default_mode for name in FRAMEWORKS}
PROOF_MODE = {name: "jit" if name == "jax" else "eager" for name in FRAMEWORKS}
"""Modes in which results are compared with others': in JAX's eager mode, XLA compiles each operator by itself."""
SEED = 7

Weights = dict[str, np.ndarray]


def having(workload: Workload) -> list[str]:
    """Return the installed frameworks in which there is such a workload."""
    return [name for name in FRAMEWORKS if supports(workload, name)]


@dataclass(frozen=True)
class Job:
    """One workload to build and run."""

    framework: str
    workload: str
    phase: str
    mode: str | None = None
    """None: that of `PROOF_MODE`."""
    precision: str = "fp32"
    size: str = "tiny"
    steps: int = 1
    weights: Weights | None = None
    inputs: Weights | None = None
    """None: those that the workload draws."""
    gradients: bool = False
    count_flops: bool = False
    kit: str | None = None
    """`module:Class` of a kit with a planted fault; None: the framework's own."""
    overflows: int = 0
    """Steps at enormous weights before all others, which loss scaling skips."""
    steps_to_after: int | None = None
    """Steps after which `Result.after` is read; None: all."""
    rounding: tuple[float, int] | None = None
    """(unit roundoff, seed) of random errors in all numbers, as in `random_rounding`: PyTorch in eager mode only."""


@dataclass(frozen=True)
class Result:
    """What it did."""

    before: Weights
    after: Weights
    """Weights after `Job.steps_to_after` steps."""
    first: Weights
    """Outputs of the first step."""
    last: Weights
    decreasing_output: list[float]
    """The scalar that should fall, step by step."""
    trainable: tuple[str, ...]
    gradients: Weights = field(default_factory=dict)
    counted_flops: float | None = None
    skipped: bool = True
    """Whether the steps at enormous weights, if any, left all trainable weights as they were."""


class Processes:
    """One lasting process a framework, since importing one takes seconds; started when it is first asked.

    `variables` are the environment of one framework's process.
    """

    def __init__(self, variables: Mapping[str, Mapping[str, str]] | None = None) -> None:
        context = get_context("spawn")
        self._pools = {
            name: ProcessPoolExecutor(
                1, mp_context=context, initializer=_begin, initargs=(dict((variables or {}).get(name, {})),)
            )
            for name in FRAMEWORKS
        }

    def submit(self, job: Job) -> Future[Result]:
        """Submit the job; frameworks run in parallel."""
        return self.call(job.framework, perform, job)

    def call(self, framework: str, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Call an importable function in the framework's process."""
        return self._pools[framework].submit(function, *arguments)

    def run(self, job: Job) -> Result:
        """Return the job's result, or raise its exception."""
        return self.submit(job).result()

    def close(self) -> None:
        """End the processes."""
        for pool in self._pools.values():
            pool.shutdown(cancel_futures=True)


def _begin(variables: Mapping[str, str]) -> None:
    os.environ.update(variables, KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="2", CUDA_VISIBLE_DEVICES="")


def make_kit(framework: str, precision: str, path: str | None = None, training: bool = True) -> Any:
    """Return the framework's kit, or the one at `module:Class`."""
    module, _, name = (path or f"joulemark.workloads.kits.{framework}:Kit").partition(":")
    return getattr(importlib.import_module(module), name)(precision=precision, seed=SEED, training=training)


def prepare(job: Job) -> tuple[Any, Program, dict[str, Any]]:
    """Return (kit, program, inputs on the device)."""
    workload = workloads()[job.workload]
    size = workload.sizes[job.size]
    kit = make_kit(job.framework, job.precision, job.kit, job.phase == "training")
    batch = size.batch_size["cpu"]
    program = builder(workload, job.framework)(size.at(batch), job.phase, kit)
    arrays = job.inputs or workload.inputs(size, job.phase, batch, np.random.default_rng(SEED))
    if job.weights is not None:
        program.load_weights({name: w.astype(program.weights()[name].dtype) for name, w in job.weights.items()})
    return kit, program, {name: kit.tensor(array) for name, array in arrays.items()}


def compiled(framework: str, mode: str, step: Callable[..., Any]) -> Callable[..., Any]:
    """Return the step as the harness's adapters compile it."""
    if mode == "eager":
        return step
    if framework == "pytorch":
        import torch

        torch.compiler.reset()
        return torch.compile(step, dynamic=False)
    if framework == "jax":
        return getattr(step, "compiled", step)  # one that the kit has not made has nothing to compile
    import tensorflow as tf

    return tf.function(step, jit_compile=mode == "xla" or None)


def proof_step(framework: str, program: Program) -> Callable[..., Any]:
    """Return the program's step in the mode of `PROOF_MODE`."""
    return compiled(framework, PROOF_MODE[framework], program.step)


def perform(job: Job) -> Result:
    """Run a job. Called in the framework's process."""
    workload = workloads()[job.workload]
    kit, program, inputs = prepare(job)
    step = compiled(job.framework, job.mode or PROOF_MODE[job.framework], program.step)
    if job.rounding:
        from random_rounding import moved_at_random

        step, inputs = moved_at_random(program, inputs, *job.rounding)
    before = program.weights()
    gradients = program.gradients(**inputs)[1] if job.gradients and program.gradients else {}
    counted = _counted_flops(program, inputs) if job.count_flops else None
    skipped = _overflow(program, step, inputs, job.overflows) if job.overflows else True
    early = job.steps if job.steps_to_after is None else job.steps_to_after
    outputs: list[Mapping[str, Any]] = [step(**inputs) for _ in range(early)]
    after = program.weights()
    outputs += [step(**inputs) for _ in range(job.steps - early)]
    watched = workload.decreasing_output
    if job.framework == "jax":
        import jax

        jax.clear_caches()  # compiled code of a step that is not called again
    return Result(
        before=before,
        after=after,
        first=_arrays(kit, outputs[:1]),
        last=_arrays(kit, outputs[-1:]),
        decreasing_output=[float(kit.array(o[watched])) for o in outputs]
        if watched and job.phase == "training"
        else [],
        trainable=tuple(program.trainable()),
        gradients=gradients,
        counted_flops=counted,
        skipped=skipped,
    )


def _overflow(program: Program, step: Callable[..., Any], inputs: Mapping[str, Any], steps: int) -> bool:
    """Take steps at enormous weights, then restore the weights; return whether no step moved a trainable one."""
    weights = program.weights()
    enormous = {name: (1e30 * array).astype(array.dtype) for name, array in weights.items()}
    program.load_weights(enormous)
    for _ in range(steps):
        step(**inputs)
    after = program.weights()
    program.load_weights(weights)
    return all(np.array_equal(after[name], enormous[name]) for name in program.trainable())


def _arrays(kit: Any, outputs: list[Mapping[str, Any]]) -> Weights:
    return {name: kit.array(tensor) for output in outputs for name, tensor in output.items()}


def _counted_flops(program: Program, inputs: Mapping[str, Any]) -> float:
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    # The counter sees nothing of the CPU's fused attention (pytorch#195460), all of its plain form.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        program.step(**inputs)
    return float(counter.get_total_flops())
