"""The base transformer of "Attention is all you need": post-norm encoder and decoder, one embedding for both languages
and the output; label smoothing and the paper's Adam at a constant rate; without dropout and padding.

Generation is greedy decoding, one token a step: the encoder has read the sources once, and their keys and values are
kept in each decoder layer, as are those of the tokens so far. It begins with the token BEGIN, reads its own tokens, and
starts anew after `target` steps; the cache has places for all from the start, and later places are masked."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import Dense, all_trained, weight_bytes
from joulemark.workloads.initial import Shape, glorot
from joulemark.workloads.spec import Adam, Arrays, Count, Phase, Size, Workload

OPTIMIZER = Adam(learning_rate=1e-4, beta_2=0.98, epsilon=1e-9)
SMOOTHING = 0.1
BEGIN = 0
"""The token that each target begins with in generation."""


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
    """Return source (B, S), target (B, T) as the decoder reads it; nothing in generation.

    In training also labels (B, T), the target one later.
    """
    if phase == "generation":
        return {}
    source, target = (generator.integers(0, size.vocabulary, (batch, n)) for n in (size.source, size.target + 1))
    arrays = {"source": source, "target": target[:, :-1]}
    return {**arrays, "labels": target[:, 1:]} if phase == "training" else arrays


def sources(size: Size, seed: int) -> np.ndarray:
    """Return the sources whose targets are generated, (B, S)."""
    return np.random.default_rng(seed).integers(0, size.vocabulary, (size.batch, size.source))


def _parameters(size: Size, projections: int, perceptrons: int, norms: int) -> Count:
    """Count the embedding, and of each layer projections, perceptrons and norms."""
    perceptron = Dense(size.width, size.inner).parameters + Dense(size.inner, size.width).parameters
    layer = projections * Dense(size.width, size.width).parameters + perceptrons * perceptron + norms * 2 * size.width
    return all_trained(size.vocabulary * size.width + size.depth * layer)


def parameters(size: Size) -> Count:
    """Count embedding; encoder layers of one attention, decoder layers of two; a perceptron each; norms."""
    return _parameters(size, projections=12, perceptrons=2, norms=5)


def decoding_parameters(size: Size) -> Count:
    """Count what a step of generation reads: no encoder, nor the decoder's projections of what that has read."""
    return _parameters(size, projections=6, perceptrons=1, norms=3)


def flops(size: Size, phase: Phase) -> float:
    """Return the FLOPs of one item.

    Forward, and twice that backward, since the embeddings before the first layer are trained. In generation, a token
    through the decoder.
    """
    s, t = size.source, size.target
    if phase == "generation":
        projections, perceptron = 6 * Dense(size.width, size.width).flops, 2 * Dense(size.width, size.inner).flops
        layer = projections + 4.0 * (s + t) * size.width + perceptron
        return size.depth * layer + Dense(size.width, size.vocabulary).flops
    attention = attention_flops(size, s, s) + attention_flops(size, t, t) + attention_flops(size, t, s)
    perceptron = 2 * Dense(size.width, size.inner, s + t).flops
    forward = size.depth * (attention + perceptron) + Dense(size.width, size.vocabulary, t).flops
    return 3 * forward if phase == "training" else forward


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item: tokens in (8 bytes each), logits or loss out, weights.

    In generation the next token out too, and in each layer the keys and values of the source, the token's own and, on
    average, those of half the target.
    """
    if phase == "generation":
        kept = size.source + 1 + (size.target - 1) / 2
        numbers = size.vocabulary + 2 * size.depth * size.width * kept
        return 16.0 + element * numbers + weight_bytes(decoding_parameters(size), phase, batch, OPTIMIZER, element)
    logits = 0 if phase == "training" else size.target * size.vocabulary
    tokens = size.source + size.target * (2 if phase == "training" else 1)
    return 8.0 * tokens + element * logits + weight_bytes(parameters(size), phase, batch, OPTIMIZER, element)


WORKLOADS = (
    Workload(
        name="transformer",
        title="encoder-decoder transformer",
        family="language",
        item="sentence pair",
        items={"generation": "token"},
        paper="Vaswani et al. 2017, https://arxiv.org/abs/1706.03762",
        phases=("forward", "training", "generation"),
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
