"""Small convolutional network on CIFAR-10-shaped images: stages of convolution, batch norm and ReLU, then a mean and
a classifier. No dropout: batch norm takes its place, as in ResNets."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import Conv, Dense, all_trained, phase_flops, weight_bytes
from joulemark.workloads.initial import he
from joulemark.workloads.spec import Arrays, Count, Phase, Sgd, Size, Workload

CLASSES = 10
EDGE = 32
OPTIMIZER = Sgd(learning_rate=0.05, momentum=0.9)
INITIAL = he


def convolutions(size: Size) -> list[tuple[Conv, int]]:
    """Return (convolution, stride) in order; each stage but the first halves the image in its first convolution."""
    convs, width_in, edge = [], 3, EDGE
    for stage, width in enumerate(size.widths):
        for index in range(size.depth):
            stride = 2 if stage and not index else 1
            edge //= stride
            convs.append((Conv(width_in, width, 3, edge), stride))
            width_in = width
    return convs


def layers(size: Size) -> list[Conv | Dense]:
    """Return all layers with a kernel, in order."""
    return [*(conv for conv, _ in convolutions(size)), Dense(size.widths[-1], CLASSES)]


def inputs(_size: Size, phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return images (B, 32, 32, 3), normalised; in training also labels (B,)."""
    arrays = {"images": generator.standard_normal((batch, EDGE, EDGE, 3), np.float32)}
    if phase == "training":
        arrays["labels"] = generator.integers(0, CLASSES, batch)
    return arrays


def parameters(size: Size) -> Count:
    """Count kernels, two vectors a batch norm, and the classifier."""
    norms = sum(2 * conv.width for conv, _ in convolutions(size))
    return all_trained(norms + sum(layer.parameters for layer in layers(size)))


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item: image in; logits out or, in training, label in (8 bytes); weights."""
    result_bytes = 8.0 if phase == "training" else element * CLASSES
    return element * EDGE**2 * 3 + result_bytes + weight_bytes(parameters(size), phase, batch, OPTIMIZER, element)


WORKLOADS = (
    Workload(
        name="cnn",
        title="small conv net, CIFAR-10 shape",
        family="vision",
        item="image",
        paper="the plain 3 x 3 design of Simonyan and Zisserman 2015, https://arxiv.org/abs/1409.1556, with the batch"
        " norm of Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167",
        phases=("inference", "training"),
        sizes={
            "tiny": Size({"widths": (8, 16), "depth": 1}, {"cpu": 4, "cuda": 4}),
            "small": Size({"widths": (16, 32, 64), "depth": 2}, {"cpu": 16, "cuda": 64}),
            "base": Size({"widths": (64, 128, 256), "depth": 2}, {"cpu": 64, "cuda": 512}),
        },
        inputs=inputs,
        flops=lambda size, phase: phase_flops(layers(size), phase),
        flops_note="convolutions and classifier; not norms, ReLU, loss, optimizer, nor the gradient of the images",
        bytes=traffic,
        parameters=parameters,
        optimizer=OPTIMIZER,
        decreasing_output="loss",
    ),
)
