"""BERT-base (Devlin et al. 2019) with its two pre-training tasks: masked words and next sentence. AdamW at a constant
rate, with the authors' weight decay, epsilon and clipping; without dropout and padding."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import Dense, all_trained, weight_bytes
from joulemark.workloads.initial import normal
from joulemark.workloads.spec import Adam, Arrays, Count, Phase, Size, Workload

OPTIMIZER = Adam(learning_rate=1e-4, epsilon=1e-6, weight_decay=0.01, clip_norm=1.0)
INITIAL = normal(0.02)
EPSILON = 1e-12
"""Of the layer norms, as in the authors' code."""


def layers(size: Size) -> list[Dense]:
    """Return the layers of one block."""
    return [
        Dense(size.width, 3 * size.width, size.length),
        Dense(size.width, size.width, size.length),
        Dense(size.width, size.inner, size.length),
        Dense(size.inner, size.width, size.length),
    ]


def heads(size: Size) -> list[Dense]:
    """Return the pooler, the next-sentence head and the masked words' transform."""
    return [Dense(size.width, size.width), Dense(size.width, 2), Dense(size.width, size.width, size.masked)]


def inputs(size: Size, phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return tokens and segments (B, T), places of the masked words (B, M).

    In training also the masked words' `words` (B, M) and whether the second sentence `follows` (B,).
    """
    length, masked = size.length, size.masked
    arrays = {
        "tokens": generator.integers(0, size.vocabulary, (batch, length)),
        "segments": np.repeat([[0, 1]], length // 2, axis=1).repeat(batch, axis=0),
        "places": np.sort(np.stack([generator.choice(length, masked, replace=False) for _ in range(batch)])),
    }
    if phase == "training":
        arrays["words"] = generator.integers(0, size.vocabulary, (batch, masked))
        arrays["follows"] = generator.integers(0, 2, batch)
    return arrays


def encoder_parameters(size: Size) -> int:
    """Count embeddings with their norm, blocks with two norms, and the pooler."""
    embeddings = (size.vocabulary + size.context + 2 + 2) * size.width
    block = sum(layer.parameters for layer in layers(size)) + 4 * size.width
    return embeddings + size.depth * block + heads(size)[0].parameters


def parameters(size: Size) -> Count:
    """Count encoder and heads; the masked words' output layer is the token embedding, with a bias of its own."""
    rest = sum(layer.parameters for layer in heads(size)[1:]) + 2 * size.width + size.vocabulary
    return all_trained(encoder_parameters(size) + rest)


def flops(size: Size, phase: Phase) -> float:
    """Return the FLOPs of one item.

    Forward, and twice that backward, since the embeddings before the first layer are trained.
    """
    block = sum(layer.flops for layer in layers(size)) + 4.0 * size.length**2 * size.width
    output = Dense(size.width, size.vocabulary, size.masked)
    forward = size.depth * block + sum(layer.flops for layer in heads(size)) + output.flops
    return 3 * forward if phase == "training" else forward


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item.

    Tokens, segments and places in, in training words and whether the second follows too (8 bytes each); logits out;
    weights.
    """
    numbers = 2 * size.length + size.masked * (2 if phase == "training" else 1)
    logits = 0 if phase == "training" else size.masked * size.vocabulary + 2
    follows = 1 if phase == "training" else 0
    weights = weight_bytes(parameters(size), phase, batch, OPTIMIZER, element)
    return 8.0 * (numbers + follows) + element * logits + weights


_BASE = {"vocabulary": 30522, "width": 768, "depth": 12, "heads": 12, "inner": 3072, "context": 512}

WORKLOADS = (
    Workload(
        name="bert",
        title="BERT-base, masked words and next sentence",
        family="language",
        item="sequence",
        paper="Devlin et al. 2019, https://arxiv.org/abs/1810.04805",
        phases=("inference", "training"),
        sizes={
            "tiny": Size(
                {
                    "vocabulary": 40,
                    "width": 16,
                    "depth": 2,
                    "heads": 2,
                    "inner": 32,
                    "context": 16,
                    "length": 8,
                    "masked": 2,
                },
                {"cpu": 2, "cuda": 2},
            ),
            # BERT-mini of Turc et al. 2019, https://arxiv.org/abs/1908.08962
            "small": Size(
                {**_BASE, "width": 256, "depth": 4, "heads": 4, "inner": 1024, "length": 64, "masked": 10},
                {"cpu": 4, "cuda": 64},
            ),
            "base": Size({**_BASE, "length": 128, "masked": 20}, {"cpu": 4, "cuda": 64}),
        },
        inputs=inputs,
        flops=flops,
        flops_note="matrix products; not look-ups, softmax, norms, GELU, loss, optimizer",
        bytes=traffic,
        parameters=parameters,
        optimizer=OPTIMIZER,
        decreasing_output="loss",
        substitutes={
            "*.qkv.bias": "the keys' third of its gradient is zero, since softmax ignores a shift of a row, and Adam"
            " makes full steps of float32's rounding: proved in float64 alone"
        },
    ),
)
