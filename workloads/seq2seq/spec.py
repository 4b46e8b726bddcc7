"""Recurrent encoder-decoder of LSTMs with attention: global (Luong et al. 2015, the "general" score over all states, as
Bahdanau et al. 2015 introduced attention) and local (Luong's local-m: a window around the place that the decoder has
reached). Teacher-forced in both phases; Luong's attention reads the decoder's states, so all queries go at once. One
layer of 1,000 cells, where Luong stacks four, and Adam, where he has SGD."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import Dense, all_trained, weight_bytes
from joulemark.workloads.initial import glorot
from joulemark.workloads.spec import Adam, Arrays, Count, Phase, Size, Workload

OPTIMIZER = Adam(learning_rate=0.001)
INITIAL = glorot


def window(size: Size) -> np.ndarray:
    """Return the attention mask (T, S): 0 where a target position sees a source position, else -1e4, which fp16 can
    represent.

    Global attention has zeros only.
    """
    gaps = np.abs(np.arange(size.target)[:, None] - np.arange(size.source))
    return np.where(gaps <= size.reach, 0.0, -1e4) if size.reach else np.zeros(gaps.shape)


def layers(size: Size) -> list[Dense]:
    """Return all products with weights: both cells, score, combination, words."""
    w = size.width
    return [
        Dense(w, 4 * w, size.source),
        Dense(w, 4 * w, size.source, bias=False),
        Dense(w, 4 * w, size.target),
        Dense(w, 4 * w, size.target, bias=False),
        Dense(w, w, size.source, bias=False),
        Dense(2 * w, w, size.target),
        Dense(w, size.vocabulary, size.target),
    ]


def inputs(size: Size, phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return source (B, S), target (B, T) as the decoder reads it.

    In training also labels (B, T), the target one later.
    """
    source = generator.integers(0, size.vocabulary, (batch, size.source))
    target = generator.integers(0, size.vocabulary, (batch, size.target + 1))
    arrays = {"source": source, "target": target[:, :-1]}
    return {**arrays, "labels": target[:, 1:]} if phase == "training" else arrays


def parameters(size: Size) -> Count:
    """Count two embeddings and the layers."""
    return all_trained(2 * size.vocabulary * size.width + sum(layer.parameters for layer in layers(size)))


def flops(size: Size, phase: Phase) -> float:
    """Return the FLOPs of one item.

    Layers and attention's two products (over all places, masked or not), and backward twice that.
    """
    forward = sum(layer.flops for layer in layers(size)) + 4.0 * size.source * size.target * size.width
    return 3 * forward if phase == "training" else forward


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item: tokens in (8 bytes each), logits out, weights.

    Of the embeddings, in inference, the rows that are looked up.
    """
    if phase == "training":
        return 8.0 * (size.source + 2 * size.target) + weight_bytes(parameters(size), phase, batch, OPTIMIZER)
    tokens = size.source + size.target
    weights = weight_bytes(all_trained(sum(layer.parameters for layer in layers(size))), phase, batch, OPTIMIZER)
    return 8.0 * tokens + 4.0 * tokens * size.width + element * size.target * size.vocabulary + weights


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
        paper=paper,
        phases=("inference", "training"),
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
