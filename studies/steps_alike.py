"""What repetition does to a training: as trials once were (one batch, the spec's learning rate), and as they are.

`python -m studies.steps_alike` prints the row of docs/audit.md; PyTorch, eager, on the CPU, at size `small`. The tests
follow every workload in all frameworks by the same function.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from joulemark.suite.trial.frameworks.prepared import LEARNING_RATE_FACTOR, batches
from joulemark.workloads.registry import builder, workloads
from joulemark.workloads.spec import Program

SEED = 7
SMALLEST_NORMAL = np.finfo(np.float32).tiny
CASES = (
    ("resnet50", "fp32", "loss", (1, 10, 61)),
    ("dcgan", "fp32", "discriminator_loss", (1, 500)),
    ("transfer.features", "fp16", "loss", (1, 500)),
    ("vae", "fp32", "loss", (1, 5000)),
)
"""Workload, precision, output, and the steps after which it is printed."""


@dataclass(frozen=True)
class Moment:
    """A training after some of its steps."""

    outputs: dict[str, float]
    """Root mean square of each output of the step."""
    norms: dict[str, float]
    """Loss and gradient norm on the first batch."""
    denormal: float
    """Share of the optimizer's moments that are not 0, but below float32's smallest normal number."""


def walk(
    framework: str,
    workload: str,
    precision: str,
    after: Sequence[int],
    factor: float = LEARNING_RATE_FACTOR,
    most_batches: int | None = None,
    size_name: str = "tiny",
) -> list[Moment]:
    """Return a training after each of the numbers of steps `after`, which rise, in the default mode.

    `factor`: of the learning rate; `most_batches`: how many of the ring's batches are taken, None: all.
    """
    optimizers: list[Any] = []

    class Kit(importlib.import_module(f"joulemark.workloads.kits.{framework}").Kit):  # type: ignore[misc]
        def optimizer(self, *arguments: Any) -> Any:
            optimizers.append(super().optimizer(*arguments))
            return optimizers[-1]

    spec = workloads()[workload]
    batch = spec.sizes[size_name].batch_size["cpu"]
    size = spec.sizes[size_name].at(batch)
    kit = Kit(precision=precision, seed=SEED, learning_rate_factor=factor)
    program = builder(spec, framework)(size, "training", kit)
    drawn = list(batches(spec, size, "training", batch, SEED))[:most_batches]
    ring = [{name: kit.tensor(array) for name, array in arrays.items()} for arrays in drawn]
    step = _default_mode(framework, program.step)
    moments = []
    for index in range(after[-1]):
        outputs = step(**ring[index % len(ring)])
        if index + 1 in after:
            values = {name: float(np.sqrt(np.mean(kit.array(tensor) ** 2))) for name, tensor in outputs.items()}
            moments.append(
                Moment(values, dict(program.norms(**ring[0])), _denormal_share(framework, optimizers, program))
            )
    return moments


def _default_mode(framework: str, step: Any) -> Any:
    if framework == "tensorflow":
        import tensorflow as tf

        return tf.function(step, autograph=False)
    if framework == "jax":
        return step.compiled
    import torch

    torch.set_num_threads(1)  # on a busy machine, small steps by several threads wait for each other most of the time
    return step


def _denormal_share(framework: str, optimizers: Sequence[Any], program: Program) -> float:
    if framework == "pytorch":
        tensors = [t for o in optimizers for state in o.state.values() for t in state.values() if t is not None]
    elif framework == "jax":  # whose state is the step's
        import jax

        state = {name: each for name, each in program.step.state.items() if name != "variables"}
        tensors = [leaf for leaf in jax.tree.leaves(state) if leaf.dtype == "float32"]
    else:
        tensors = [variable for o in optimizers for variable in o.variables if variable.dtype == "float32"]
    moments = [np.abs(np.asarray(tensor)) for tensor in tensors if len(tensor.shape)]
    denormal = sum(int(((m > 0) & (m < SMALLEST_NORMAL)).sum()) for m in moments)
    return denormal / max(1, sum(m.size for m in moments))


def main() -> None:
    """Print each output, the gradient norm and the share of denormal moments, as they were and as they are."""
    for workload, precision, output, after in CASES:
        for name, how in (("was", {"factor": 1.0, "most_batches": 1}), ("is", {})):
            moments = walk("pytorch", workload, precision, after, size_name="small", **how)
            for count, moment in zip(after, moments, strict=True):
                print(
                    f"{workload} {precision} {name} after {count} steps: {output} {moment.outputs[output]:.4g},"
                    f" gradient norm {moment.norms['gradient_norm']:.4g}, denormal {moment.denormal:.1%}"
                )


if __name__ == "__main__":
    main()
