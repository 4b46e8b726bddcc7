"""Golden values of denoising diffusion, by plain arithmetic from Ho et al. 2020 and its published U-Net."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from golden_values import Drawn, Golden, draw
from torch.nn import functional as F

from studies.golden.arithmetic import (
    VERSION,
    Shapes,
    Tensors,
    conv,
    conv_shapes,
    dense,
    dense_shapes,
    norm_shapes,
    reference,
    sigmoid,
)
from studies.golden.torch_reference import Descent, training

EDGE, WIDTH, GROUPS = 8, 8, 4
IMAGES = (2, EDGE, EDGE, 3)
BLOCKS = {
    "down.0.0": (8, 8, False),
    "down.1.0": (8, 16, True),
    "middle.0": (16, 16, True),
    "middle.1": (16, 16, False),
    "up.0.0": (16 + 16, 16, True),
    "up.0.1": (16 + 8, 16, True),
    "up.1.0": (16 + 8, 8, False),
    "up.1.1": (8 + 8, 8, False),
}
"""Channels in and out of each residual block, and whether attention follows it: at 4 x 4 pixels, as in the middle."""
STEPS = 3
"""Of generation."""
SEED = 7
"""Of the noise that generation starts from: that of the tests' programs."""
SOURCE = (
    "Ho et al. 2020, sections 2 and 4, algorithms 1 and 2, appendix B, and its authors' U-Net, in plain arithmetic,"
    " PyTorch's convolutions and group norm, autograd, torch.optim.Adam and clip_grad_norm_ (the U-Net's output is"
    " that of UNet2DModel of diffusers 0.42.1): "
) + VERSION
BETA = torch.from_numpy(1e-4 + (0.02 - 1e-4) * np.arange(1000) / 999)
KEPT = torch.cumprod(1 - BETA, 0)
"""Product of 1 - beta up to each step."""


def shapes() -> Shapes:
    """Return the weights' shapes."""
    made = {
        **dense_shapes("time1", WIDTH, 4 * WIDTH),
        **dense_shapes("time2", 4 * WIDTH, 4 * WIDTH),
        **conv_shapes("conv_in", 3, WIDTH, 3),
        **conv_shapes("shrink.0", 8, 8, 3),
        **conv_shapes("grow.0", 16, 16, 3),
        **norm_shapes("norm_out", WIDTH),
        **conv_shapes("conv_out", WIDTH, 3, 3),
    }
    for name, (width_in, width, attends) in BLOCKS.items():
        made |= norm_shapes(f"{name}.norm1", width_in)
        made |= conv_shapes(f"{name}.conv1", width_in, width, 3)
        made |= dense_shapes(f"{name}.time", 4 * WIDTH, width)
        made |= norm_shapes(f"{name}.norm2", width)
        made |= conv_shapes(f"{name}.conv2", width, width, 3)
        if width_in != width:
            made |= conv_shapes(f"{name}.shortcut", width_in, width, 1)
        if attends:
            made |= norm_shapes(f"{name}.attention.norm", width)
            for part in ("query", "key", "value", "out"):
                made |= dense_shapes(f"{name}.attention.{part}", width, width)
    return made


def silu(x: torch.Tensor) -> torch.Tensor:
    """Return x / (1 + exp(-x))."""
    return x * sigmoid(x)


def group_norm(weights: Tensors, name: str, x: torch.Tensor) -> torch.Tensor:
    """Return x (B, C, H, W), normalised over the pixels and channels of each group."""
    return F.group_norm(x, GROUPS, weights[f"{name}.gamma"], weights[f"{name}.beta"], 1e-6)


def attention(weights: Tensors, name: str, x: torch.Tensor) -> torch.Tensor:
    """Return x (B, C, H, W) plus what each pixel takes from all of them."""
    rows = group_norm(weights, f"{name}.norm", x).flatten(2).mT  # (B, H W, C)
    q, k, v = (dense(weights, f"{name}.{part}", rows) for part in ("query", "key", "value"))
    shares = torch.softmax(q @ k.mT / x.shape[1] ** 0.5, -1)
    return x + dense(weights, f"{name}.out", shares @ v).mT.reshape(x.shape)


def residual(weights: Tensors, name: str, x: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
    """Return a residual block of x (B, C, H, W) and the embedding of the time (B, 4 width), attention included."""
    width_in, width, attends = BLOCKS[name]
    y = conv(weights, f"{name}.conv1", silu(group_norm(weights, f"{name}.norm1", x)))
    y = y + dense(weights, f"{name}.time", silu(time))[:, :, None, None]
    y = conv(weights, f"{name}.conv2", silu(group_norm(weights, f"{name}.norm2", y)))
    y = y + (conv(weights, f"{name}.shortcut", x) if width_in != width else x)
    return attention(weights, f"{name}.attention", y) if attends else y


def embed(weights: Tensors, times: torch.Tensor) -> torch.Tensor:
    """Return the embedding (B, 4 width) of times (B,): sines and cosines of frequencies from 1 down to 1 / 10000."""
    angles = times[:, None] * 10000.0 ** -torch.linspace(0, 1, WIDTH // 2, dtype=torch.float64)
    waves = torch.cat([torch.sin(angles), torch.cos(angles)], 1)
    return dense(weights, "time2", silu(dense(weights, "time1", waves)))


def guess(weights: Tensors, images: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
    """Return the noise in images (B, 8, 8, 3) at times (B,)."""
    block = partial(residual, weights, time=embed(weights, times))
    wide = conv(weights, "conv_in", images.permute(0, 3, 1, 2))
    first = block("down.0.0", wide)
    shrunk = conv(weights, "shrink.0", first, stride=2)
    second = block("down.1.0", shrunk)
    x = block("middle.1", block("middle.0", second))
    x = block("up.0.0", torch.cat([x, second], 1))
    x = block("up.0.1", torch.cat([x, shrunk], 1))
    x = conv(weights, "grow.0", x.repeat_interleave(2, 2).repeat_interleave(2, 3))
    x = block("up.1.0", torch.cat([x, first], 1))
    x = block("up.1.1", torch.cat([x, wide], 1))
    return conv(weights, "conv_out", silu(group_norm(weights, "norm_out", x))).permute(0, 2, 3, 1)


def learn(weights: Tensors, images: torch.Tensor, noise: torch.Tensor, times: torch.Tensor) -> Tensors:
    """Return the loss of algorithm 1; times count from 0."""
    kept = KEPT[times][:, None, None, None]
    return {"loss": ((noise - guess(weights, kept.sqrt() * images + (1 - kept).sqrt() * noise, times)) ** 2).mean()}


def generation() -> Golden:
    """Return the images after the first steps of algorithm 2, each with the same fresh noise."""
    golden = Golden("ddpm", "generation", SOURCE, shapes(), inputs={"noise": IMAGES}, steps=STEPS)
    weights, inputs = ({name: torch.from_numpy(array) for name, array in arrays.items()} for arrays in draw(golden))
    start = np.random.default_rng(SEED).standard_normal(IMAGES, np.float32)
    images = torch.from_numpy(start.astype(np.float64))
    for step in range(STEPS):
        time = 999 - step
        beta, kept = BETA[time], KEPT[time]
        noise = guess(weights, images, torch.tensor([time, time]))
        images = (images - beta / torch.sqrt(1 - kept) * noise) / torch.sqrt(1 - beta)
        images = images + torch.sqrt(beta) * inputs["noise"]
    return replace(golden, outputs={"images": images.numpy()})


def ddpm() -> Iterator[Golden]:
    """Yield training and generation."""
    inputs = {"images": Drawn(IMAGES, "unit"), "noise": IMAGES, "times": np.array([3, 700])}
    descent = Descent(partial(torch.optim.Adam, lr=2e-4), clip_norm=1.0)
    yield training("ddpm", reference(SOURCE, shapes(), learn), inputs, descent)
    yield generation()


GOLDEN = {"ddpm": ddpm}
