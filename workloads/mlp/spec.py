"""Multilayer perceptron on MNIST-shaped images, trained by Adam."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from joulemark.workloads.counting import Dense, all_trained, phase_flops, weight_bytes
from joulemark.workloads.initial import he
from joulemark.workloads.spec import Adam, Arrays, Count, Phase, Size, Workload

PIXELS = 28 * 28
CLASSES = 10
OPTIMIZER = Adam(learning_rate=0.001)
INITIAL = he


def layers(size: Size) -> list[Dense]:
    """Return the hidden layers and the classifier."""
    widths = (PIXELS, *size.widths, CLASSES)
    return [Dense(i, o) for i, o in pairwise(widths)]


def inputs(_size: Size, phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return images (B, 784), normalised; in training also labels (B,)."""
    arrays = {"images": generator.standard_normal((batch, PIXELS), np.float32)}
    if phase == "training":
        arrays["labels"] = generator.integers(0, CLASSES, batch)
    return arrays


def parameters(size: Size) -> Count:
    """Count kernels and biases."""
    return all_trained(sum(layer.parameters for layer in layers(size)))


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item: image in; logits out or, in training, label in (8 bytes); weights."""
    return (
        element * PIXELS
        + (8.0 if phase == "training" else element * CLASSES)
        + weight_bytes(parameters(size), phase, batch, OPTIMIZER, element)
    )


WORKLOADS = (
    Workload(
        name="mlp",
        title="multilayer perceptron, MNIST shape",
        family="vision",
        item="image",
        paper="Rumelhart, Hinton and Williams 1986, https://doi.org/10.1038/323533a0, on the images of LeCun et al."
        " 1998, https://doi.org/10.1109/5.726791",
        phases=("inference", "training"),
        sizes={
            "tiny": Size({"widths": (16, 16)}, {"cpu": 8, "cuda": 8}),
            "small": Size({"widths": (512, 512)}, {"cpu": 128, "cuda": 512}),
            "base": Size({"widths": (2048, 2048)}, {"cpu": 512, "cuda": 4096}),
        },
        inputs=inputs,
        flops=lambda size, phase: phase_flops(layers(size), phase),
        flops_note="matrix products; not biases, ReLU, loss, optimizer, nor the gradient of the images",
        bytes=traffic,
        parameters=parameters,
        optimizer=OPTIMIZER,
        decreasing_output="loss",
    ),
)
