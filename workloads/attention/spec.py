"""One multi-head self-attention layer as in the encoder of "Attention is all you need": positional encoding, queries,
keys and values with biases, output projection, residual, layer norm; forward and backward, with the weights' update."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import Dense, all_trained, weight_bytes
from joulemark.workloads.initial import glorot
from joulemark.workloads.spec import Arrays, Count, Phase, Sgd, Size, Workload

OPTIMIZER = Sgd(learning_rate=1e-3)
INITIAL = glorot


def positions(length: int, width: int) -> np.ndarray:
    """Return the sines and cosines of section 3.5, (length, width): even columns sine, odd columns cosine."""
    angle = np.arange(length)[:, None] / 10000 ** (np.arange(0, width, 2) / width)
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(length, width)


def inputs(size: Size, phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return x (B, T, C); in training also the gradient of the output, `upstream`, of that shape. Standard normal."""
    names = ("x", "upstream") if phase == "training" else ("x",)
    return {name: generator.standard_normal((batch, size.length, size.width), np.float32) for name in names}


def parameters(size: Size) -> Count:
    """Count four projections with bias, one layer norm."""
    return all_trained(4 * Dense(size.width, size.width).parameters + 2 * size.width)


def flops(size: Size, phase: Phase) -> float:
    """Return the FLOPs of one item: projections, scores and mixing.

    Backward twice that, the input's gradient included.
    """
    forward = 4 * Dense(size.width, size.width, size.length).flops + 4.0 * size.length**2 * size.width
    return 3 * forward if phase == "training" else forward


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item: input and output; in training their gradients too; weights."""
    tensors = 4 if phase == "training" else 2
    weights = weight_bytes(parameters(size), phase, batch, OPTIMIZER, element)
    return element * tensors * size.length * size.width + weights


WORKLOADS = (
    Workload(
        name="attention",
        title="multi-head self-attention layer",
        family="layers",
        item="sequence",
        paper="Vaswani et al. 2017, https://arxiv.org/abs/1706.03762",
        phases=("inference", "training"),
        sizes={
            "tiny": Size({"length": 8, "width": 16, "heads": 2}, {"cpu": 2, "cuda": 2}),
            "small": Size({"length": 128, "width": 512, "heads": 8}, {"cpu": 4, "cuda": 32}),
            "base": Size({"length": 512, "width": 512, "heads": 8}, {"cpu": 16, "cuda": 64}),
        },
        inputs=inputs,
        flops=flops,
        flops_note="matrix products; not softmax, norm, additions, optimizer",
        bytes=traffic,
        parameters=parameters,
        optimizer=OPTIMIZER,
        substitutes={
            "key.bias": "its gradient is zero, since softmax ignores a shift of a row: rounding only, next to nothing"
            " beside the query's in both frameworks"
        },
    ),
)
