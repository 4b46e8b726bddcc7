"""Golden values of DCGAN, by plain arithmetic from Radford et al. 2016 and Goodfellow et al. 2014."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import torch
from golden_values import Drawn, Golden, draw
from torch.nn import functional as F

from studies.golden.arithmetic import (
    VERSION,
    Shapes,
    Tensors,
    binary_cross_entropy,
    conv,
    norm_shapes,
    reference,
    relu,
)
from studies.golden.torch_reference import STEPS, inference

BATCH = 4
CODE = 8
MADE = (32, 16, 8, 4)
"""Channels between the generator's layers, at 4, 8, 16 and 32 pixels an edge."""
SEEN = (4, 8, 16, 32)
"""Channels between the discriminator's layers, at 32, 16, 8 and 4 pixels an edge."""
NORM = ("gamma", "beta", "moving_mean", "moving_variance")
NOISE = (BATCH, 1, 1, CODE)
SOURCE = (
    "Radford et al. 2016, section 3 and figure 1, and Goodfellow et al. 2014, algorithm 1 with one step of each player"
    " and -log D(G(z)), in plain arithmetic, PyTorch's convolutions, autograd and torch.optim.Adam: "
) + VERSION


def shapes() -> Shapes:
    """Return the weights' shapes; a transposed convolution's kernel is (4, 4, out, in)."""
    made: dict[str, tuple[int, ...]] = {"generator.first.kernel": (4, 4, MADE[0], CODE)}
    for index, (width_in, width) in enumerate(zip(MADE, (*MADE[1:], 3), strict=True)):
        made[f"generator.convs.{index}.kernel"] = (4, 4, width, width_in)
        made |= norm_shapes(f"generator.norms.{index}", width_in, NORM)
    for index, (width_in, width) in enumerate(zip((3, *SEEN[:-1]), SEEN, strict=True)):
        made[f"discriminator.convs.{index}.kernel"] = (4, 4, width_in, width)
    for index, width in enumerate(SEEN[1:]):
        made |= norm_shapes(f"discriminator.norms.{index}", width, NORM)
    return {**made, "discriminator.last.kernel": (4, 4, SEEN[-1], 1)}


def batch_norm(weights: Tensors, name: str, x: torch.Tensor, learning: bool) -> torch.Tensor:
    """Return x (B, C, H, W), normalised; learning uses the batch's moments, and moves the running ones by a tenth."""
    gamma, beta, mean, variance = (weights[f"{name}.{leaf}"] for leaf in NORM)
    if learning:
        moving_mean, moving_variance = mean, variance
        mean = x.mean((0, 2, 3))
        variance = ((x - mean[:, None, None]) ** 2).mean((0, 2, 3))
        count = x[:, 0].numel()
        with torch.no_grad():
            moving_mean.lerp_(mean, 0.1)
            moving_variance.lerp_(variance * count / (count - 1), 0.1)
    scale = gamma / torch.sqrt(variance + 1e-5)
    return (x - mean[:, None, None]) * scale[:, None, None] + beta[:, None, None]


def make(weights: Tensors, noise: torch.Tensor, learning: bool = True) -> torch.Tensor:
    """Return images (B, 64, 64, 3) made of noise (B, 1, 1, code)."""

    def kernel(name: str) -> torch.Tensor:
        return weights[f"generator.{name}.kernel"].permute(3, 2, 0, 1).contiguous()  # (in, out, 4, 4)

    x = F.conv_transpose2d(noise.permute(0, 3, 1, 2), kernel("first"))
    for index in range(len(MADE)):
        x = relu(batch_norm(weights, f"generator.norms.{index}", x, learning))
        x = F.conv_transpose2d(x, kernel(f"convs.{index}"), stride=2, padding=1)
    return torch.tanh(x).permute(0, 2, 3, 1)


def discriminate(weights: Tensors, images: torch.Tensor) -> torch.Tensor:
    """Return the logits (B,) that images (B, 64, 64, 3) are real."""
    x = images.permute(0, 3, 1, 2)
    for index in range(len(SEEN)):
        x = conv(weights, f"discriminator.convs.{index}", x, stride=2, padding=1)
        if index:
            x = batch_norm(weights, f"discriminator.norms.{index - 1}", x, learning=True)
        x = torch.where(x > 0, x, 0.2 * x)
    return conv(weights, "discriminator.last", x, padding=0).flatten()


def losses(weights: Tensors, images: torch.Tensor, noise_made: torch.Tensor, noise: torch.Tensor) -> Iterator[Tensors]:
    """Yield the discriminator's loss, -log D(x) - log(1 - D(G(z))), and then the generator's, -log D(G(z)).

    Each is of the weights at the time when it is asked for.
    """
    real = binary_cross_entropy(discriminate(weights, images), 1.0).mean()
    fake = binary_cross_entropy(discriminate(weights, make(weights, noise_made).detach()), 0.0).mean()
    yield real + fake
    yield binary_cross_entropy(discriminate(weights, make(weights, noise)), 1.0).mean()


def training() -> Golden:
    """Return steps of the discriminator, each followed by one of the generator against it as it then is."""
    inputs = {"noise": NOISE, "noise_made": NOISE, "images": Drawn((BATCH, 64, 64, 3), "unit")}
    golden = Golden("dcgan", "training", SOURCE, shapes(), inputs=inputs, steps=STEPS)
    drawn, given = ({name: torch.from_numpy(array) for name, array in arrays.items()} for arrays in draw(golden))
    players = [
        [n for n in drawn if n.startswith(part) and ".moving_" not in n] for part in ("discriminator", "generator")
    ]
    for name in chain(*players):
        drawn[name].requires_grad_()
    gradients = {}
    fixed = {name: weight.detach().clone() if ".moving_" in name else weight for name, weight in drawn.items()}
    for names, loss in zip(players, losses(fixed, **given), strict=True):
        gradients |= zip(names, torch.autograd.grad(loss, [drawn[name] for name in names]), strict=True)
    optimizers = [torch.optim.Adam([drawn[n] for n in names], lr=2e-4, betas=(0.5, 0.999)) for names in players]
    values: list[torch.Tensor] = []
    for _ in range(STEPS):
        values = []
        for optimizer, loss in zip(optimizers, losses(drawn, **given), strict=True):
            optimizer.zero_grad()  # of what the other player's loss has left
            loss.backward()
            optimizer.step()
            values.append(loss.detach())
    discriminator, generator = values
    outputs = {"loss": discriminator + generator, "discriminator_loss": discriminator, "generator_loss": generator}
    return replace(
        golden,
        outputs={name: value.numpy() for name, value in outputs.items()},
        gradients={name: gradient.numpy() for name, gradient in gradients.items()},
        after={name: weight.detach().numpy() for name, weight in drawn.items()},
    )


def dcgan() -> Iterator[Golden]:
    """Yield training and generation."""
    yield training()
    generator = reference(SOURCE, shapes(), lambda weights, noise: {"images": make(weights, noise, learning=False)})
    yield replace(inference("dcgan", generator, {"noise": NOISE}), phase="generation")


GOLDEN = {"dcgan": dcgan}
