"""t-SNE (van der Maaten and Hinton 2008).

One exact step of gradient descent on the positions of n points in the plane.
"""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import all_trained, weight_bytes
from joulemark.workloads.initial import normal
from joulemark.workloads.spec import Arrays, Phase, Sgd, Size, Workload

OPTIMIZER = Sgd(learning_rate=10.0, momentum=0.5)
"""Momentum of the paper's first 250 steps."""
INITIAL = normal(0.01)
"""Section 3.4: 1e-4 in variance."""


def inputs(size: Size, _phase: Phase, _batch: int, generator: np.random.Generator) -> Arrays:
    """Return affinities (n, n).

    Of normal points in `dimensions`, Gaussian, symmetric, 0 on the diagonal, 1 in total.
    """
    points = generator.standard_normal((size.n, size.dimensions))
    points[: size.n // 2] += 3  # two clusters
    squares = (points**2).sum(1)
    distances = squares[:, None] + squares - 2 * points @ points.T
    near = np.exp(-distances / (2 * size.dimensions))
    np.fill_diagonal(near, 0)
    return {"affinities": (near / near.sum()).astype(np.float32)}


def flops(size: Size, _phase: Phase) -> float:
    """Return the FLOPs of one item: 39 a pair of points.

    Distances 6, affinities 6 (with the mask of the diagonal), divergence 6; backward 21, of which matrix products 8.
    """
    return 39.0 * size.n**2


WORKLOADS = (
    Workload(
        name="tsne",
        title="one exact step of t-SNE",
        family="manifolds",
        item="step",
        paper="van der Maaten and Hinton 2008, https://www.jmlr.org/papers/v9/vandermaaten08a.html",
        phases=("training",),
        sizes={
            "tiny": Size({"n": 12, "dimensions": 4}, {"cpu": 1, "cuda": 1}),
            "small": Size({"n": 512, "dimensions": 50}, {"cpu": 1, "cuda": 1}),
            "base": Size({"n": 4096, "dimensions": 50}, {"cpu": 1, "cuda": 1}),
        },
        inputs=inputs,
        batched=False,
        flops=flops,
        flops_note="arithmetic of all pairs, forward and backward; a logarithm is one operation; not the optimizer",
        bytes=lambda size, phase, batch, element: (
            element * size.n**2 + weight_bytes(all_trained(2 * size.n), phase, batch, OPTIMIZER, element)
        ),
        parameters=lambda size: all_trained(2 * size.n),
        optimizer=OPTIMIZER,
        decreasing_output="loss",
        precisions=("fp32",),
    ),
)
