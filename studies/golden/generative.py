"""Golden values of autoencoders and the variational autoencoder, by plain arithmetic from their papers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from golden_values import Drawn, Golden

from studies.golden.arithmetic import (
    VERSION,
    Tensors,
    binary_cross_entropy,
    dense,
    dense_shapes,
    reference,
    relu,
    sigmoid,
)
from studies.golden.torch_reference import Descent, inference, training

BATCH = 4
PIXELS = 28 * 28
IMAGES = Drawn((BATCH, PIXELS), "unit")
ADAM = Descent(partial(torch.optim.Adam, lr=1e-3))


def pixels_loss(logits: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy of the pixels: sum over an image, mean over images."""
    return binary_cross_entropy(logits, images).sum() / BATCH


def reconstruct(weights: Tensors, images: torch.Tensor, noise: Any = 0.0, mask: Any = 1.0) -> torch.Tensor:
    """Return the pixels' logits by layers 784-16-4-16-784, of which the code and the logits are linear."""
    hidden = sigmoid(dense(weights, "layers.0", (images + 0.3 * noise) * mask))
    code = dense(weights, "layers.1", hidden)
    return dense(weights, "layers.3", sigmoid(dense(weights, "layers.2", code)))


def autoencoder(workload: str, corruption: dict[str, Any]) -> Iterator[Golden]:
    """Yield inference and training of a deep autoencoder of images that the noise or the mask corrupts."""
    source = (
        "Hinton and Salakhutdinov 2006 (sigmoids, a linear code, cross-entropy of the pixels), Vincent et al. 2010"
        " (x + 0.3 noise), Pathak et al. 2016 (mask x), in plain arithmetic and autograd, torch.optim.Adam: "
    ) + VERSION
    shapes = {
        name: shape
        for index, (width_in, width) in enumerate([(PIXELS, 16), (16, 4), (4, 16), (16, PIXELS)])
        for name, shape in dense_shapes(f"layers.{index}", width_in, width).items()
    }

    def infer(weights: Tensors, **inputs: torch.Tensor) -> Tensors:
        return {"images": sigmoid(reconstruct(weights, **inputs))}

    def learn(weights: Tensors, images: torch.Tensor, **corrupting: torch.Tensor) -> Tensors:
        return {"loss": pixels_loss(reconstruct(weights, images, **corrupting), images)}

    inputs = {"images": IMAGES, **corruption}
    yield inference(workload, reference(source, shapes, infer), inputs)
    yield training(workload, reference(source, shapes, learn), inputs, ADAM)


def decode(weights: Tensors, code: torch.Tensor) -> torch.Tensor:
    """Return the pixels' logits of codes (B, 4)."""
    return dense(weights, "pixels", relu(dense(weights, "up", code)))


def elbo(weights: Tensors, images: torch.Tensor, noise: torch.Tensor) -> Tensors:
    """Return the loss, and the divergence in it, of Kingma and Welling 2014: equation 10 and appendix B."""
    hidden = relu(dense(weights, "hidden", images))
    mean, log_variance = dense(weights, "mean", hidden), dense(weights, "log_variance", hidden)
    variance = torch.exp(log_variance)
    logits = decode(weights, mean + torch.sqrt(variance) * noise)
    divergence = -0.5 * (1 + log_variance - mean**2 - variance).sum() / BATCH
    return {"loss": pixels_loss(logits, images) + divergence, "divergence": divergence}


def vae() -> Iterator[Golden]:
    """Yield training and generation of a variational autoencoder, 784-16-4."""
    source = (
        "Kingma and Welling 2014, equation 10 with one sample and appendix B, with ReLU for tanh, in plain arithmetic"
        f" and autograd, torch.optim.Adam: {VERSION}"
    )
    shapes = {
        **dense_shapes("hidden", PIXELS, 16),
        **dense_shapes("mean", 16, 4),
        **dense_shapes("log_variance", 16, 4),
        **dense_shapes("up", 4, 16),
        **dense_shapes("pixels", 16, PIXELS),
    }
    noise = {"noise": (BATCH, 4)}

    def generate(weights: Tensors, noise: torch.Tensor) -> Tensors:
        return {"images": sigmoid(decode(weights, noise))}

    yield training("vae", reference(source, shapes, elbo), {**noise, "images": IMAGES}, ADAM)
    yield replace(inference("vae", reference(source, shapes, generate), noise), phase="generation")


CORRUPTIONS: dict[str, dict[str, Any]] = {
    "autoencoder": {},
    "autoencoder.denoising": {"noise": (BATCH, PIXELS)},
    "autoencoder.inpainting": {"mask": Drawn((BATCH, PIXELS), "bits")},
}
GOLDEN: dict[str, Callable[[], Iterator[Golden]]] = {
    **{workload: partial(autoencoder, workload, corruption) for workload, corruption in CORRUPTIONS.items()},
    "vae": vae,
}
