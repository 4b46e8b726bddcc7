"""Layer normalisation of vectors, forward and backward, with the update of its scale and offset."""

from __future__ import annotations

import math

import numpy as np

from joulemark.workloads.counting import all_trained, weight_bytes
from joulemark.workloads.initial import he
from joulemark.workloads.spec import Arrays, Phase, Sgd, Size, Workload

OPTIMIZER = Sgd(learning_rate=1e-3)
INITIAL = he


def inputs(size: Size, phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return x (B, T, C); in training also the gradient of the output, `upstream`, of that shape.

    Normal, x off zero.
    """
    arrays = {"x": generator.standard_normal((batch, *size.shape), np.float32) * 2 + 1}
    if phase == "training":
        arrays["upstream"] = generator.standard_normal((batch, *size.shape), np.float32)
    return arrays


def flops(size: Size, phase: Phase) -> float:
    """Return the FLOPs of one item.

    8 an element forward (mean 1, variance 3, subtract, scale twice, add) and 14 backward.
    """
    return (22 if phase == "training" else 8) * float(math.prod(size.shape))


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item: input and output; in training their gradients too; scale and offset."""
    tensors = 4 if phase == "training" else 2
    weights = weight_bytes(all_trained(2 * size.shape[-1]), phase, batch, OPTIMIZER, element)
    return element * tensors * math.prod(size.shape) + weights


WORKLOADS = (
    Workload(
        name="layernorm",
        title="layer normalisation",
        family="layers",
        item="sequence",
        paper="Ba et al. 2016, https://arxiv.org/abs/1607.06450",
        phases=("inference", "training"),
        sizes={
            "tiny": Size({"shape": (8, 16)}, {"cpu": 4, "cuda": 4}),
            "small": Size({"shape": (512, 768)}, {"cpu": 8, "cuda": 32}),
            "base": Size({"shape": (1024, 768)}, {"cpu": 32, "cuda": 256}),
        },
        inputs=inputs,
        flops=flops,
        flops_note="arithmetic of the plain formula; a root or a division is one operation",
        bytes=traffic,
        parameters=lambda size: all_trained(2 * size.shape[-1]),
        optimizer=OPTIMIZER,
    ),
)
