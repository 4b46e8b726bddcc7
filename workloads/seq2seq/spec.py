"""Recurrent encoder-decoder of LSTMs with attention: global (Luong et al. 2015, the "general" score over all states, as
Bahdanau et al. 2015 introduced attention) and local (Luong's local-m: a window around the place that the decoder has
reached, and nothing outside it is computed). In the phases `forward` and `training` the targets are given; Luong's
attention reads the decoder's states, so all queries go at once. Generation is greedy decoding, one token a step: the
encoder has read the sources once; the decoder's state and its token pass to the next step, and both start anew, with
the encoder's last state and the token BEGIN, after `target` steps. One layer of 1,000 cells, where Luong stacks four,
and Adam, where he has SGD."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import Dense, all_trained, weight_bytes
from joulemark.workloads.initial import glorot
from joulemark.workloads.spec import Adam, Arrays, Count, Phase, Size, Workload

OPTIMIZER = Adam(learning_rate=0.001, clip_norm=5.0)
INITIAL = glorot
BEGIN = 0
"""The token that each target begins with in generation."""


def seen(size: Size) -> int:
    """Return the places of the source that a target place attends to: all, or those of its window."""
    return int(min(2 * size.reach + 1, size.source) if size.reach else size.source)


def window(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Return the source places that each target place attends to locally, (T, W), and what is added to their scores.

    That is 0, or -1e4, which fp16 can represent: at both ends a window has less than W places, and the rest is masked.
    """
    targets, width = np.arange(size.target)[:, None], seen(size)
    places = np.clip(targets - size.reach, 0, size.source - width) + np.arange(width)
    return places, np.where(abs(places - targets) <= size.reach, 0.0, -1e4)


def decoder_layers(size: Size, rows: int) -> list[Dense]:
    """Return the decoder's products with weights for `rows` tokens: its cell, combination, words."""
    w = size.width
    return [
        Dense(w, 4 * w, rows),
        Dense(w, 4 * w, rows, bias=False),
        Dense(2 * w, w, rows),
        Dense(w, size.vocabulary, rows),
    ]


def layers(size: Size) -> list[Dense]:
    """Return all products with weights: the encoder's cell, score, and the decoder's."""
    w = size.width
    return [
        Dense(w, 4 * w, size.source),
        Dense(w, 4 * w, size.source, bias=False),
        Dense(w, w, size.source, bias=False),
        *decoder_layers(size, size.target),
    ]


def inputs(size: Size, phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return source (B, S), target (B, T) as the decoder reads it; nothing in generation.

    In training also labels (B, T), the target one later.
    """
    if phase == "generation":
        return {}
    source = generator.integers(0, size.vocabulary, (batch, size.source))
    target = generator.integers(0, size.vocabulary, (batch, size.target + 1))
    arrays = {"source": source, "target": target[:, :-1]}
    return {**arrays, "labels": target[:, 1:]} if phase == "training" else arrays


def sources(size: Size, seed: int) -> np.ndarray:
    """Return the sources whose targets are generated, (B, S)."""
    return np.random.default_rng(seed).integers(0, size.vocabulary, (size.batch, size.source))


def parameters(size: Size) -> Count:
    """Count two embeddings and the layers."""
    return all_trained(2 * size.vocabulary * size.width + sum(layer.parameters for layer in layers(size)))


def flops(size: Size, phase: Phase) -> float:
    """Return the FLOPs of one item.

    Layers and attention's two products, and backward twice that. In generation, a token through the decoder.
    """
    rows = 1 if phase == "generation" else size.target
    products = decoder_layers(size, rows) if phase == "generation" else layers(size)
    forward = sum(layer.flops for layer in products) + 4.0 * rows * seen(size) * size.width
    return 3 * forward if phase == "training" else forward


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item: tokens in (8 bytes each), logits out, weights.

    Of the embeddings, without training, the rows that are looked up. In generation also the next token out, the
    encoder's states and their scores' factors that are attended to, and the decoder's state, in and out.
    """
    if phase == "training":
        return 8.0 * (size.source + 2 * size.target) + weight_bytes(parameters(size), phase, batch, OPTIMIZER, element)
    if phase == "generation":
        count = all_trained(sum(layer.parameters for layer in decoder_layers(size, 1)))
        numbers = size.width * (1 + 2 * seen(size) + 4) + size.vocabulary
        return 16.0 + element * numbers + weight_bytes(count, phase, batch, OPTIMIZER, element)
    tokens = size.source + size.target
    count = all_trained(sum(layer.parameters for layer in layers(size)))
    numbers = tokens * size.width + size.target * size.vocabulary
    return 8.0 * tokens + element * numbers + weight_bytes(count, phase, batch, OPTIMIZER, element)


def _workload(attention: str, paper: str, reach: int) -> Workload:
    def size(source: int, target: int, width: int, vocabulary: int, cpu: int, cuda: int) -> Size:
        hyper = {"source": source, "target": target, "width": width, "vocabulary": vocabulary}
        return Size({**hyper, "reach": min(reach, source // 3)}, {"cpu": cpu, "cuda": cuda})

    return Workload(
        name="seq2seq",
        variant=attention,
        title=f"one-layer LSTM encoder-decoder, {attention} attention",
        family="language",
        item="sentence pair",
        items={"generation": "token"},
        paper=paper,
        phases=("forward", "training", "generation"),
        sizes={
            "tiny": size(6, 5, 8, 12, 3, 3),
            "small": size(24, 24, 128, 4000, 8, 128),
            "base": size(50, 50, 1000, 50000, 32, 128),
        },
        inputs=inputs,
        flops=flops,
        flops_note="matrix products; masked scores too; not look-ups, the gates' arithmetic, softmax, loss, optimizer",
        bytes=traffic,
        parameters=parameters,
        optimizer=OPTIMIZER,
        decreasing_output="loss",
    )


_LUONG = "Luong et al. 2015, https://arxiv.org/abs/1508.04025"
WORKLOADS = (
    _workload("global", f"Bahdanau et al. 2015, https://arxiv.org/abs/1409.0473; {_LUONG}", 0),
    _workload("local", _LUONG, 10),
)
