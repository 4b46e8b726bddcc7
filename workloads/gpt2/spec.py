"""GPT-2 small (Radford et al. 2019): training on next tokens, inference as prefill of a prompt, generation of one token
with a cache of keys and values. Adam at a constant rate; without dropout and weight decay."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import Dense, all_trained, weight_bytes
from joulemark.workloads.initial import normal
from joulemark.workloads.spec import Adam, Arrays, Count, Phase, Size, Workload

OPTIMIZER = Adam(learning_rate=3e-4, beta_2=0.95)
INITIAL = normal(0.02)


def layers(size: Size, rows: int) -> list[Dense]:
    """Return the layers of one block for `rows` tokens: queries, keys and values in one; output; MLP up and down."""
    return [
        Dense(size.width, 3 * size.width, rows),
        Dense(size.width, size.width, rows),
        Dense(size.width, 4 * size.width, rows),
        Dense(4 * size.width, size.width, rows),
    ]


def inputs(size: Size, phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return tokens (B, length); in training also labels (B, length), the same one later; in generation token (B,)."""
    tokens = generator.integers(0, size.vocabulary, (batch, size.length + 1))
    if phase == "generation":
        return {"token": tokens[:, 0]}
    arrays = {"tokens": tokens[:, :-1]}
    return {**arrays, "labels": tokens[:, 1:]} if phase == "training" else arrays


def prefix(size: Size, seed: int) -> np.ndarray:
    """Return the tokens whose keys and values are cached when a token is generated, (B, length)."""
    return np.random.default_rng(seed).integers(0, size.vocabulary, (size.batch, size.length))


def parameters(size: Size) -> Count:
    """Count token and position embeddings, blocks with two norms, last norm.

    The output layer is the token embedding.
    """
    block = sum(layer.parameters for layer in layers(size, 1)) + 4 * size.width
    return all_trained((size.vocabulary + size.context + 2) * size.width + size.depth * block)


def flops(size: Size, phase: Phase) -> float:
    """Return the FLOPs of one token; of a prompt, only the last token goes through the output layer."""
    if phase == "generation":
        rows, keys, predicted = 1, size.length + 1, 1
    else:
        rows, keys, predicted = size.length, size.length, size.length if phase == "training" else 1
    block = sum(layer.flops for layer in layers(size, rows)) + 4.0 * rows * keys * size.width
    forward = size.depth * block + Dense(size.width, size.vocabulary, predicted).flops
    return (3 if phase == "training" else 1) * forward / items(size, phase)


def items(size: Size, phase: Phase) -> int:
    """Return the tokens of a sample."""
    return 1 if phase == "generation" else size.length


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item: of one token.

    Its number (twice in training), its share of the logits and of the weights; in generation the cache and the next
    one's number.
    """
    per_sample = 8.0 * (2 if phase == "training" else 1) * items(size, phase)
    if phase != "training":
        per_sample += element * size.vocabulary
    if phase == "generation":
        per_sample += element * 2 * size.depth * size.width * (size.length + 1) + 8.0
    return (per_sample + weight_bytes(parameters(size), phase, batch, OPTIMIZER)) / items(size, phase)


_SMALL = {"vocabulary": 50257, "width": 768, "depth": 12, "heads": 12, "context": 1024}

WORKLOADS = (
    Workload(
        name="gpt2",
        title="GPT-2 small",
        family="language",
        item="token",
        paper="Radford et al. 2019,"
        " https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf",
        phases=("inference", "training", "generation"),
        sizes={
            "tiny": Size(
                {"vocabulary": 40, "width": 16, "depth": 2, "heads": 2, "context": 16, "length": 8},
                {"cpu": 2, "cuda": 2},
            ),
            "small": Size(
                {"vocabulary": 8192, "width": 256, "depth": 4, "heads": 4, "context": 256, "length": 64},
                {"cpu": 2, "cuda": 64},
            ),
            "base": Size({**_SMALL, "length": 512}, {"cpu": 1, "cuda": 16}),
        },
        inputs=inputs,
        flops=flops,
        flops_note="matrix products; not look-ups, softmax, norms, GELU, loss, optimizer; masked scores count",
        bytes=traffic,
        parameters=parameters,
        items_per_sample=items,
        optimizer=OPTIMIZER,
        decreasing_output="loss",
        substitutes={
            "*.qkv.bias": "the keys' third of its gradient is zero, since softmax ignores a shift of a row, and Adam"
            " makes full steps of float32's rounding: proved in float64 alone"
        },
    ),
)
