"""UMAP (McInnes et al. 2018): one epoch of the layout's optimisation on a fixed fuzzy graph, all edges at once.

Each edge pulls its ends together and pushes its head from points drawn at random (inputs, drawn once), by the gradient
of the fuzzy cross-entropy. The reference implementation takes the edges one by one and clips each pull; here they add
up.
"""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import all_trained, weight_bytes
from joulemark.workloads.initial import normal
from joulemark.workloads.spec import Arrays, Phase, Sgd, Size, Workload

A, B = 1.5769434, 0.8950609
"""Of the curve 1 / (1 + a d^(2 b)) fitted to min_dist 0.1 and spread 1, the reference implementation's defaults."""
EPSILON = 1e-3
"""Keeps the push finite, as there."""
OPTIMIZER = Sgd(learning_rate=0.05)
INITIAL = normal(1.0)


def inputs(size: Size, _phase: Phase, _batch: int, generator: np.random.Generator) -> Arrays:
    """Return heads and tails (E,) of the edges, their strengths (E,) in (0, 1], negatives (E, K).

    No edge or negative leads from a point to itself.
    """
    edges = size.n * size.neighbours
    heads = np.repeat(np.arange(size.n), size.neighbours)

    def others(*shape: int) -> np.ndarray:
        return generator.integers(1, size.n, shape)

    return {
        "heads": heads,
        "tails": (heads + others(edges)) % size.n,
        "strengths": generator.uniform(0.1, 1, edges).astype(np.float32),
        "negatives": (heads[:, None] + others(edges, size.negatives)) % size.n,
    }


def flops(size: Size, _phase: Phase) -> float:
    """Return the FLOPs of an epoch: 31 an edge (12 forward, 19 backward), and 32 a negative (13 and 19)."""
    return float(size.n * size.neighbours * (31 + 32 * size.negatives))


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item: edges and negatives (8 bytes a number), strengths, places."""
    edges = size.n * size.neighbours
    indices = 8.0 * edges * (2 + size.negatives)
    return indices + element * edges + weight_bytes(all_trained(2 * size.n), phase, batch, OPTIMIZER, element)


WORKLOADS = (
    Workload(
        name="umap",
        title="one epoch of UMAP's layout",
        family="manifolds",
        item="epoch",
        paper="McInnes et al. 2018, https://arxiv.org/abs/1802.03426",
        phases=("training",),
        sizes={
            "tiny": Size({"n": 12, "neighbours": 3, "negatives": 2}, {"cpu": 1, "cuda": 1}),
            "small": Size({"n": 2000, "neighbours": 15, "negatives": 5}, {"cpu": 1, "cuda": 1}),
            "base": Size({"n": 60000, "neighbours": 15, "negatives": 5}, {"cpu": 1, "cuda": 1}),
        },
        inputs=inputs,
        batched=False,
        flops=flops,
        flops_note="arithmetic of all pairs, forward and backward; a power or a log is one operation; not optimizer",
        bytes=traffic,
        parameters=lambda size: all_trained(2 * size.n),
        optimizer=OPTIMIZER,
        decreasing_output="loss",
        precisions=("fp32",),
    ),
)
