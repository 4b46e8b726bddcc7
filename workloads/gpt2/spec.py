"""GPT-2 small (Radford et al. 2019): training on next tokens, prefill of a prompt, greedy generation with a cache of
keys and values, and both as a response. Generation begins with the token that follows the prompt, reads its own tokens,
and starts anew after `new_tokens` steps; the cache has places for all of them from the start, and later places are
masked. AdamW at a constant rate; without dropout."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import Dense, all_trained, of_response, weight_bytes
from joulemark.workloads.initial import normal
from joulemark.workloads.spec import Adam, Arrays, Count, Phase, Size, Workload

OPTIMIZER = Adam(learning_rate=3e-4, beta_2=0.95, weight_decay=0.1, clip_norm=1.0)
"""As of the same model in Brown et al. 2020, appendix B: the paper tells nothing of its own."""
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
    """Return tokens (B, length); in training also labels (B, length), the same one later; nothing in generation."""
    if phase == "generation":
        return {}
    tokens = generator.integers(0, size.vocabulary, (batch, size.length + 1))
    arrays = {"tokens": tokens[:, :-1]}
    return {**arrays, "labels": tokens[:, 1:]} if phase == "training" else arrays


def prompt(size: Size, seed: int) -> np.ndarray:
    """Return the tokens that generation follows, (B, length)."""
    return np.random.default_rng(seed).integers(0, size.vocabulary, (size.batch, size.length))


def places(size: Size) -> int:
    """Return the places of the cache."""
    return int(size.length + size.new_tokens)


def followed(size: Size) -> int:
    """Return the steps of a response after its prefill, which has the first of the new tokens; at least one."""
    return max(1, size.new_tokens - 1)


def parameters(size: Size) -> Count:
    """Count token and position embeddings, blocks with two norms, last norm.

    The output layer is the token embedding.
    """
    block = sum(layer.parameters for layer in layers(size, 1)) + 4 * size.width
    return all_trained((size.vocabulary + size.context + 2) * size.width + size.depth * block)


def flops(size: Size, phase: Phase) -> float:
    """Return the FLOPs of one token; of a prompt, only the last token goes through the output layer."""
    if phase == "response":
        return of_response(size, flops(size, "prefill"), flops(size, "generation"))
    if phase == "generation":
        rows, keys, predicted = 1, places(size), 1
    else:
        rows, keys, predicted = size.length, size.length, size.length if phase == "training" else 1
    block = sum(layer.flops for layer in layers(size, rows)) + 4.0 * rows * keys * size.width
    forward = size.depth * block + Dense(size.width, size.vocabulary, predicted).flops
    return (3 if phase == "training" else 1) * forward / items(size, phase)


def items(size: Size, phase: Phase) -> int:
    """Return the tokens of a sample; of a response, the new ones."""
    return int({"generation": 1, "response": size.new_tokens}.get(phase, size.length))


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item: of one token.

    Its number (8 bytes; twice in training) and its share of the weights. Without training, its share of the logits, the
    next token's number, and its own keys and values in the cache; in generation also those that it sees: of the prompt
    and, on average, of half the new tokens.
    """
    if phase == "response":
        return of_response(size, *(traffic(size, part, batch, element) for part in ("prefill", "generation")))
    per_sample = 8.0 * (2 if phase == "training" else 1) * items(size, phase)
    if phase != "training":
        kept = size.length
        if phase == "generation":
            kept = 1 + size.length + (size.new_tokens - 1) / 2
        per_sample += element * (size.vocabulary + 2 * size.depth * size.width * kept) + 8.0
    return (per_sample + weight_bytes(parameters(size), phase, batch, OPTIMIZER, element)) / items(size, phase)


def cache_bytes(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the bytes of the keys and values of all places."""
    return 0.0 if phase == "training" else 2.0 * element * batch * size.depth * size.width * places(size)


_SMALL = {"vocabulary": 50257, "width": 768, "depth": 12, "heads": 12, "context": 1024}

WORKLOADS = (
    Workload(
        name="gpt2",
        title="GPT-2 small",
        family="language",
        item="token",
        paper="Radford et al. 2019,"
        " https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf",
        phases=("prefill", "training", "generation", "response"),
        sizes={
            "tiny": Size(
                {"vocabulary": 40, "width": 16, "depth": 2, "heads": 2, "context": 16, "length": 8, "new_tokens": 4},
                {"cpu": 2, "cuda": 2},
            ),
            "small": Size(
                {
                    "vocabulary": 8192,
                    "width": 256,
                    "depth": 4,
                    "heads": 4,
                    "context": 256,
                    "length": 64,
                    "new_tokens": 64,
                },
                {"cpu": 2, "cuda": 64},
            ),
            "base": Size({**_SMALL, "length": 512, "new_tokens": 128}, {"cpu": 1, "cuda": 16}),
        },
        inputs=inputs,
        flops=flops,
        flops_note="matrix products; not look-ups, softmax, norms, GELU, loss, optimizer; masked scores count",
        bytes=traffic,
        parameters=parameters,
        kept_bytes=cache_bytes,
        items_per_sample=items,
        optimizer=OPTIMIZER,
        decreasing_output="loss",
        substitutes={
            "*.qkv.bias": "the keys' third of its gradient is zero, since softmax ignores a shift of a row, and Adam"
            " makes full steps of float32's rounding: proved in float64 alone"
        },
    ),
)
