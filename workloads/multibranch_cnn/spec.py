"""One image seen by several feature extractors with windows of different sizes, merged into two outputs: a class and a
score. The pattern of Keras's functional interface; the branches are after Szegedy et al. 2015."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import Conv, Dense, all_trained, phase_flops, weight_bytes
from joulemark.workloads.initial import he
from joulemark.workloads.spec import Adam, Arrays, Count, Phase, Size, Workload

EDGE = 64
CLASSES = 10
WINDOWS = (3, 5, 7)
SCORE_WEIGHT = 0.5
"""Of the score's squared error in the loss."""
OPTIMIZER = Adam(learning_rate=0.001)
INITIAL = he


def branch(size: Size, window: int) -> list[Conv]:
    """Return the two convolutions of a branch; a pooling by 4 follows the first."""
    return [
        Conv(3, size.width, window, EDGE, bias=True),
        Conv(size.width, 2 * size.width, window, EDGE // 4, bias=True),
    ]


def dense(size: Size) -> dict[str, Dense]:
    """Return the layers after the merge."""
    merged = 2 * size.width * len(WINDOWS)
    return {
        "merge": Dense(merged, size.hidden),
        "label": Dense(size.hidden, CLASSES),
        "score": Dense(size.hidden, 1),
    }


def inputs(_size: Size, phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return images (B, 64, 64, 3), normalised; in training also labels (B,) and scores (B, 1)."""
    arrays = {"images": generator.standard_normal((batch, EDGE, EDGE, 3), np.float32)}
    if phase == "training":
        arrays["labels"] = generator.integers(0, CLASSES, batch)
        arrays["scores"] = generator.standard_normal((batch, 1), np.float32)
    return arrays


def parameters(size: Size) -> Count:
    """Count kernels and biases."""
    convolutions = [conv for window in WINDOWS for conv in branch(size, window)]
    return all_trained(sum(layer.parameters for layer in [*convolutions, *dense(size).values()]))


def flops(size: Size, phase: Phase) -> float:
    """Return the FLOPs of one item.

    Each branch has a first convolution, whose images need no gradient, and the rest.
    """
    branches = sum(phase_flops(branch(size, window), phase) for window in WINDOWS)
    merged = sum(layer.flops for layer in dense(size).values())
    return branches + (3 if phase == "training" else 1) * merged


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item: image in.

    Logits and score out or, in training, label (8 bytes) and score in; weights.
    """
    result_bytes = 8.0 if phase == "training" else element * CLASSES
    return element * (EDGE**2 * 3 + 1) + result_bytes + weight_bytes(parameters(size), phase, batch, OPTIMIZER, element)


WORKLOADS = (
    Workload(
        name="multibranch_cnn",
        title="several branches, two outputs",
        family="vision",
        item="image",
        paper="after Szegedy et al. 2015, https://arxiv.org/abs/1409.4842",
        phases=("inference", "training"),
        sizes={
            "tiny": Size({"width": 4, "hidden": 8}, {"cpu": 2, "cuda": 2}),
            "small": Size({"width": 16, "hidden": 64}, {"cpu": 8, "cuda": 64}),
            "base": Size({"width": 64, "hidden": 256}, {"cpu": 32, "cuda": 256}),
        },
        inputs=inputs,
        flops=flops,
        flops_note="convolutions and dense layers; not pooling, ReLU, loss, optimizer, nor the images' gradient",
        bytes=traffic,
        parameters=parameters,
        optimizer=OPTIMIZER,
        decreasing_output="loss",
    ),
)
