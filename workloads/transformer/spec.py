"""The base transformer of "Attention is all you need": post-norm encoder and decoder, one embedding for both languages
and the output; label smoothing and the paper's Adam at a constant rate; without dropout and padding."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import Dense, all_trained, weight_bytes
from joulemark.workloads.initial import Shape, glorot
from joulemark.workloads.spec import Adam, Arrays, Count, Phase, Size, Workload

OPTIMIZER = Adam(learning_rate=1e-4, beta_2=0.98, epsilon=1e-9)
SMOOTHING = 0.1


def initial(name: str, shape: Shape) -> float:
    """Return Glorot's deviation; for embeddings 1 / sqrt(width).

    Scaled by sqrt(width) they have variance 1 (section 3.4).
    """
    return shape[-1] ** -0.5 if name == "embedding.embeddings" else glorot(name, shape)


def attention_flops(size: Size, queries: int, keys: int) -> float:
    """Return the FLOPs of one attention layer forward: four projections, scores, weighted sum."""
    projections = 2 * Dense(size.width, size.width, queries).flops + 2 * Dense(size.width, size.width, keys).flops
    return projections + 4.0 * queries * keys * size.width


def inputs(size: Size, phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return source (B, S), target (B, T) as the decoder reads it.

    In training also labels (B, T), the target one later.
    """

    def tokens(length: int) -> np.ndarray:
        return generator.integers(0, size.vocabulary, (batch, length))

    source, target = tokens(size.source), tokens(size.target + 1)
    arrays = {"source": source, "target": target[:, :-1]}
    return {**arrays, "labels": target[:, 1:]} if phase == "training" else arrays


def parameters(size: Size) -> Count:
    """Count embedding; encoder layers of one attention, decoder layers of two; a perceptron each; norms."""
    attention = 4 * Dense(size.width, size.width).parameters
    perceptron = Dense(size.width, size.inner).parameters + Dense(size.inner, size.width).parameters
    norm = 2 * size.width
    layer = 3 * attention + 2 * perceptron + 5 * norm
    return all_trained(size.vocabulary * size.width + size.depth * layer)


def flops(size: Size, phase: Phase) -> float:
    """Return the FLOPs of one item.

    Forward, and twice that backward, since the embeddings before the first layer are trained.
    """
    s, t = size.source, size.target
    attention = attention_flops(size, s, s) + attention_flops(size, t, t) + attention_flops(size, t, s)
    perceptron = 2 * Dense(size.width, size.inner, s + t).flops
    forward = size.depth * (attention + perceptron) + Dense(size.width, size.vocabulary, t).flops
    return 3 * forward if phase == "training" else forward


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item: tokens in (8 bytes each), logits or loss out, weights."""
    logits = 0 if phase == "training" else size.target * size.vocabulary
    tokens = size.source + size.target * (2 if phase == "training" else 1)
    return 8.0 * tokens + element * logits + weight_bytes(parameters(size), phase, batch, OPTIMIZER)


WORKLOADS = (
    Workload(
        name="transformer",
        title="encoder-decoder transformer",
        family="language",
        item="sentence pair",
        paper="Vaswani et al. 2017, https://arxiv.org/abs/1706.03762",
        phases=("inference", "training"),
        sizes={
            "tiny": Size(
                {"source": 6, "target": 5, "width": 16, "heads": 2, "inner": 32, "depth": 2, "vocabulary": 24},
                {"cpu": 3, "cuda": 3},
            ),
            "small": Size(
                {"source": 32, "target": 32, "width": 256, "heads": 4, "inner": 1024, "depth": 2, "vocabulary": 8000},
                {"cpu": 4, "cuda": 64},
            ),
            "base": Size(
                {"source": 64, "target": 64, "width": 512, "heads": 8, "inner": 2048, "depth": 6, "vocabulary": 37000},
                {"cpu": 8, "cuda": 128},
            ),
        },
        inputs=inputs,
        flops=flops,
        flops_note="matrix products; not look-ups, softmax, norms, biases, loss, optimizer; masked scores count",
        bytes=traffic,
        parameters=parameters,
        optimizer=OPTIMIZER,
        decreasing_output="loss",
        substitutes={
            "*.key.bias": "its gradient is zero, since softmax ignores a shift of a row: rounding only, next to nothing"
            " beside the query's in both frameworks"
        },
    ),
)
