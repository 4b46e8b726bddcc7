"""SimCLR (Chen et al. 2020): ResNet-50, a projection head, and the NT-Xent loss over two views of each image. The views
are inputs, drawn once: the second is the first, mirrored, with noise (the paper's crops and colours are the work of the
input pipeline, on the CPU). SGD in place of LARS."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import Conv, Dense, all_trained, phase_flops, weight_bytes
from joulemark.workloads.resnet50 import spec as resnet50
from joulemark.workloads.spec import Arrays, Count, Phase, Sgd, Size, Workload

TEMPERATURE = 0.5
OPTIMIZER = Sgd(learning_rate=0.001, momentum=0.9, weight_decay=1e-6)
"""LARS, which the paper uses (You et al. 2017, https://arxiv.org/abs/1708.03888), moves each layer by 0.001 of its norm
times a learning rate of 0.3 B / 256, which the first ten epochs approach from zero: at 32 images by 4e-5 at most. SGD
moves a layer by its gradient, and through 16 blocks that grows to 60 times the head's: at size `small` the first
convolution moves by 9e-4 of its norm a step. With ten times the learning rate the representation changes faster than
it learns: the loss stays about log(2 B - 1), where it started, in float32 too."""
initial = resnet50.initial


def head(size: Size) -> list[Dense]:
    """Return the projection head: two dense layers with bias, ReLU between them."""
    features = resnet50.features(size)
    return [Dense(features, features), Dense(features, size.projection)]


def layers(size: Size) -> list[Conv | Dense]:
    """Return all layers with a kernel, in order."""
    return [*resnet50.convolutions(size), *head(size)]


def inputs(size: Size, _phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return views (2 B, edge, edge, 3): first views of all images, then second views."""
    first = generator.standard_normal((batch, size.edge, size.edge, 3), np.float32)
    noise = generator.standard_normal(first.shape, np.float32)
    return {"views": np.concatenate([first, first[:, :, ::-1] + 0.3 * noise])}


def encoder_parameters(size: Size) -> int:
    """Count the parameters of ResNet-50 without its classifier."""
    return sum(conv.parameters + 2 * conv.width for conv in resnet50.convolutions(size))


def head_parameters(size: Size) -> int:
    """Count the projection head's parameters."""
    return sum(layer.parameters for layer in head(size))


def parameters(size: Size) -> Count:
    """Count encoder and head."""
    return all_trained(encoder_parameters(size) + head_parameters(size))


def flops(size: Size, phase: Phase) -> float:
    """Return the FLOPs of one item: of both views of one image.

    The loss, whose share grows with the batch, is left out.
    """
    return 2 * phase_flops(layers(size), phase)


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item: both views in, weights."""
    return element * 2 * size.edge**2 * 3 + weight_bytes(parameters(size), phase, batch, OPTIMIZER, element)


_RESNET = resnet50.WORKLOADS[0].sizes
_SMALL = {**_RESNET["small"].hyper, "stem": 32}
"""Half the width: in a step of a second on two cores, each view then has 62 negatives."""

WORKLOADS = (
    Workload(
        name="simclr",
        title="SimCLR with ResNet-50",
        family="self-supervision",
        item="image",
        paper="Chen et al. 2020, https://arxiv.org/abs/2002.05709",
        phases=("training",),
        sizes={
            "tiny": Size({**_RESNET["tiny"].hyper, "projection": 8}, {"cpu": 4, "cuda": 4}),
            "small": Size({**_SMALL, "projection": 128}, {"cpu": 32, "cuda": 64}),
            "base": Size({**_RESNET["base"].hyper, "projection": 128}, {"cpu": 32, "cuda": 128}),
        },
        inputs=inputs,
        flops=flops,
        flops_note="convolutions and dense layers on both views; not the loss's similarities (4 B projection a view"
        " forward), norms, ReLU, pooling, optimizer, nor the images' gradient",
        bytes=traffic,
        parameters=parameters,
        optimizer=OPTIMIZER,
        decreasing_output="loss",
    ),
)
