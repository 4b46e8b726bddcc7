"""Variational autoencoder (Kingma and Welling 2014), 784-400-20, on MNIST-shaped images, with ReLU as in PyTorch's and
TensorFlow's tutorials (the paper has tanh)."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import Dense, all_trained, phase_flops, weight_bytes
from joulemark.workloads.initial import he
from joulemark.workloads.spec import Adam, Arrays, Count, Phase, Size, Workload

PIXELS = 28 * 28
OPTIMIZER = Adam(learning_rate=0.001)
INITIAL = he


def encoder(size: Size) -> list[Dense]:
    """Return the hidden layer, and those of the mean and the log variance."""
    code = Dense(size.hidden, size.code)
    return [Dense(PIXELS, size.hidden), code, code]


def decoder(size: Size) -> list[Dense]:
    """Return the hidden layer and that of the pixels."""
    return [Dense(size.code, size.hidden), Dense(size.hidden, PIXELS)]


def inputs(size: Size, phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return noise (B, code); in training also images (B, 784) in [0, 1]."""
    arrays = {"noise": generator.standard_normal((batch, size.code), np.float32)}
    if phase == "training":
        arrays["images"] = generator.random((batch, PIXELS), np.float32)
    return arrays


def parameters(size: Size) -> Count:
    """Count kernels and biases of both halves."""
    return all_trained(sum(layer.parameters for layer in [*encoder(size), *decoder(size)]))


def flops(size: Size, phase: Phase) -> float:
    """Return the FLOPs of one item: both halves in training, the decoder in generation."""
    return phase_flops([*encoder(size), *decoder(size)] if phase == "training" else decoder(size), phase)


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item: noise and image in, image out, weights.

    The decoder's alone in generation.
    """
    used = parameters(size) if phase == "training" else all_trained(sum(layer.parameters for layer in decoder(size)))
    return element * (size.code + PIXELS) + weight_bytes(used, phase, batch, OPTIMIZER, element)


WORKLOADS = (
    Workload(
        name="vae",
        title="variational autoencoder",
        family="generative",
        item="image",
        paper="Kingma and Welling 2014, https://arxiv.org/abs/1312.6114",
        phases=("training", "generation"),
        sizes={
            "tiny": Size({"hidden": 16, "code": 4}, {"cpu": 4, "cuda": 4}),
            "small": Size({"hidden": 400, "code": 20}, {"cpu": 128, "cuda": 512}),
            "base": Size({"hidden": 400, "code": 20}, {"cpu": 512, "cuda": 8192}),
        },
        inputs=inputs,
        flops=flops,
        flops_note="matrix products; not biases, ReLU, exponentials, losses, optimizer, nor the gradient of the images",
        bytes=traffic,
        parameters=parameters,
        optimizer=OPTIMIZER,
        decreasing_output="loss",
    ),
)
