"""DCGAN (Radford et al. 2016) on 64 x 64 images: a step trains the discriminator on real and made images, then the
generator against it, each on noise of its own (Goodfellow et al. 2014, algorithm 1)."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import Conv, all_trained, weight_bytes
from joulemark.workloads.initial import normal
from joulemark.workloads.spec import Adam, Arrays, Count, Phase, Size, Workload

EDGE = 64
SLOPE = 0.2
"""Of the discriminator's leaky ReLU below zero."""
OPTIMIZER = Adam(learning_rate=2e-4, beta_1=0.5)
INITIAL = normal(0.02)


def generator_layers(size: Size) -> list[Conv]:
    """Return the transposed convolutions from noise (1 x 1) to the image.

    `edge` is that of the input, which determines the work.
    """
    w = size.width
    widths = (size.code, 8 * w, 4 * w, 2 * w, w, 3)
    return [Conv(widths[i], widths[i + 1], 4, edge) for i, edge in enumerate((1, 4, 8, 16, 32))]


def discriminator_layers(size: Size) -> list[Conv]:
    """Return the convolutions from the image to one number."""
    w = size.width
    widths = (3, w, 2 * w, 4 * w, 8 * w, 1)
    return [Conv(widths[i], widths[i + 1], 4, edge) for i, edge in enumerate((32, 16, 8, 4, 1))]


def inputs(size: Size, phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return noise (B, 1, 1, code).

    In training also images (B, 64, 64, 3) in [-1, 1] and `noise_made` for the discriminator's turn.
    """
    arrays = {"noise": generator.standard_normal((batch, 1, 1, size.code), np.float32)}
    if phase == "training":
        arrays["noise_made"] = generator.standard_normal((batch, 1, 1, size.code), np.float32)
        arrays["images"] = np.tanh(generator.standard_normal((batch, EDGE, EDGE, 3), np.float32))
    return arrays


def part_parameters(convolutions: list[Conv], *, first_norm: int) -> int:
    """Count kernels, and two vectors per batch norm, which all layers from `first_norm` to the last but one have."""
    norms = sum(2 * conv.width for conv in convolutions[first_norm:-1])
    return norms + sum(conv.parameters for conv in convolutions)


def generator_parameters(size: Size) -> int:
    """Count the generator's parameters."""
    return part_parameters(generator_layers(size), first_norm=0)


def discriminator_parameters(size: Size) -> int:
    """Count the discriminator's parameters."""
    return part_parameters(discriminator_layers(size), first_norm=1)


def parameters(size: Size) -> Count:
    """Count the parameters of both networks."""
    return all_trained(generator_parameters(size) + discriminator_parameters(size))


def flops(size: Size, phase: Phase) -> float:
    """Return the FLOPs of one item: the generator forward in generation.

    Training the discriminator: generator forward, discriminator forward and backward twice, without the image's
    gradient. Training the generator: both forward, discriminator backward to the image only, generator backward without
    the noise's gradient.
    """
    made, judged = (sum(conv.flops for conv in convs) for convs in (generator_layers(size), discriminator_layers(size)))
    if phase == "generation":
        return made
    discriminator = made + 2 * (3 * judged - discriminator_layers(size)[0].flops)
    generator = 3 * made - generator_layers(size)[0].flops + 2 * judged
    return discriminator + generator


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item: noise in, image in or out, weights.

    The generator's alone in generation.
    """
    used = parameters(size) if phase == "training" else all_trained(generator_parameters(size))
    noises = 2 if phase == "training" else 1
    return element * (noises * size.code + 3 * EDGE**2) + weight_bytes(used, phase, batch, OPTIMIZER, element)


WORKLOADS = (
    Workload(
        name="dcgan",
        title="DCGAN, one alternating step",
        family="generative",
        item="image",
        paper="Radford et al. 2016, https://arxiv.org/abs/1511.06434",
        phases=("training", "generation"),
        sizes={
            "tiny": Size({"code": 8, "width": 4}, {"cpu": 4, "cuda": 4}),
            "small": Size({"code": 100, "width": 16}, {"cpu": 8, "cuda": 64}),
            "base": Size({"code": 100, "width": 64}, {"cpu": 32, "cuda": 128}),
        },
        inputs=inputs,
        flops=flops,
        flops_note="convolutions; not norms, activations, losses, optimizers",
        bytes=traffic,
        parameters=parameters,
        optimizer=OPTIMIZER,
    ),
)
