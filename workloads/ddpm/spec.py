"""Denoising diffusion (Ho et al. 2020) with the U-Net for CIFAR-10: training predicts the noise of a noised image,
generation is one reverse step, whose images the next step reads; after STEPS of them it starts anew from noise.
Without dropout and the moving average of the weights. Time steps count from 0 as in the authors' code (the paper's from
1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from joulemark.workloads.counting import Conv, Dense, all_trained, phase_flops, weight_bytes
from joulemark.workloads.initial import Shape, glorot
from joulemark.workloads.spec import Adam, Arrays, Count, Phase, Size, Workload

STEPS = 1000
OPTIMIZER = Adam(learning_rate=2e-4, clip_norm=1.0)
"""The authors' code clips; their paper does not tell."""
_BETA = (1e-4, 0.02)


@dataclass(frozen=True)
class Schedule:
    """The quantities of section 2 by time step, each (STEPS,) float64."""

    beta: np.ndarray
    """Variance of one step's noise, linear."""
    alpha: np.ndarray
    """1 - beta."""
    kept: np.ndarray
    """Product of all alphas up to this step."""


def schedule() -> Schedule:
    """Return the linear schedule of section 4."""
    beta = np.linspace(*_BETA, STEPS)
    return Schedule(beta, 1 - beta, np.cumprod(1 - beta))


def initial(name: str, shape: Shape) -> float:
    """Return Glorot's deviation; a tenth of it where the authors have zero.

    Those are the last layers of each residual branch and of the network; with zeros, some gradients would be zero in
    the first step.
    """
    last = name.endswith(("conv2.kernel", "attention.out.kernel")) or name == "conv_out.kernel"
    return glorot(name, shape) / (10 if last else 1)


def frequencies(size: Size) -> np.ndarray:
    """Return the frequencies of the time step's sines and cosines, (width / 2,)."""
    half = size.width // 2
    return np.exp(-np.log(10000) * np.arange(half) / (half - 1))


@dataclass(frozen=True)
class Block:
    """A residual block at `edge`, with or without self-attention after it."""

    width_in: int
    width: int
    edge: int
    attention: bool


@dataclass(frozen=True)
class Plan:
    """The network by level: `down` from the image inwards, `up` back."""

    down: list[list[Block]]
    middle: list[Block]
    up: list[list[Block]]


def plan(size: Size) -> Plan:
    """Return the blocks with their widths, as determined by the skip connections."""
    edge, width = size.edge, size.width
    skips, down, up = [width], [], []
    for index, multiple in enumerate(size.multiples):
        if index:
            edge //= 2
            skips.append(width)
        level = []
        for _ in range(size.blocks):
            level.append(Block(width, size.width * multiple, edge, edge == size.attention_edge))
            width = size.width * multiple
            skips.append(width)
        down.append(level)
    middle = [Block(width, width, edge, True), Block(width, width, edge, False)]
    for index, multiple in reversed(list(enumerate(size.multiples))):
        level = []
        for _ in range(size.blocks + 1):
            level.append(Block(width + skips.pop(), size.width * multiple, edge, edge == size.attention_edge))
            width = size.width * multiple
        up.append(level)
        edge = edge * 2 if index else edge
    return Plan(down, middle, up)


def block_layers(size: Size, block: Block) -> list[Conv | Dense]:
    """Return a block's convolutions, time projection, shortcut projection where the widths differ, and attention's
    four.
    """
    parts: list[Conv | Dense] = [
        Conv(block.width_in, block.width, 3, block.edge, bias=True),
        Dense(4 * size.width, block.width),
        Conv(block.width, block.width, 3, block.edge, bias=True),
    ]
    if block.width_in != block.width:
        parts.append(Dense(block.width_in, block.width, block.edge**2))
    if block.attention:
        parts += [Dense(block.width, block.width, block.edge**2)] * 4
    return parts


def blocks(size: Size) -> list[Block]:
    """Return all residual blocks."""
    whole = plan(size)
    return [block for level in (*whole.down, whole.middle, *whole.up) for block in level]


def layers(size: Size) -> list[Conv | Dense]:
    """Return all layers with a kernel; the one that reads the image is first."""
    whole = plan(size)
    last = whole.up[-1][-1].width
    resized = [Conv(level[-1].width, level[-1].width, 3, level[-1].edge // 2, bias=True) for level in whole.down[:-1]]
    resized += [Conv(level[-1].width, level[-1].width, 3, level[-1].edge * 2, bias=True) for level in whole.up[:-1]]
    return [
        Conv(3, size.width, 3, size.edge, bias=True),
        Dense(size.width, 4 * size.width),
        Dense(4 * size.width, 4 * size.width),
        *(layer for block in blocks(size) for layer in block_layers(size, block)),
        *resized,
        Conv(last, 3, 3, size.edge, bias=True),
    ]


def inputs(size: Size, phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return noise (B, edge, edge, 3); in training also images of that shape in [-1, 1] and times (B,)."""
    shape = (batch, size.edge, size.edge, 3)
    draw = generator.standard_normal(shape, np.float32)
    if phase == "generation":
        return {"noise": draw}
    noise = generator.standard_normal(shape, np.float32)
    return {"images": np.tanh(draw), "noise": noise, "times": generator.integers(1, STEPS, batch)}


def start(size: Size, seed: int) -> np.ndarray:
    """Return the noise that generation begins with, (B, edge, edge, 3)."""
    shape = (size.batch, size.edge, size.edge, 3)
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def parameters(size: Size) -> Count:
    """Count layers with biases; two group norms a block, one an attention, one at the end."""
    norms = sum(2 * (b.width_in + b.width + b.attention * b.width) for b in blocks(size)) + 2 * size.width
    return all_trained(norms + sum(layer.parameters for layer in layers(size)))


def flops(size: Size, phase: Phase) -> float:
    """Return the FLOPs of one item: layers and attention's two products.

    The image's gradient is spared, and so is that of the time's sines.
    """
    attention = sum(4.0 * (block.edge**2) ** 2 * block.width for block in blocks(size) if block.attention)
    total = phase_flops(layers(size), phase) + (3 if phase == "training" else 1) * attention
    return total - Dense(size.width, 4 * size.width).flops if phase == "training" else total


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item.

    Image and noise in, in training a time (8 bytes) too, in generation an image out; weights.
    """
    weights = weight_bytes(parameters(size), phase, batch, OPTIMIZER, element)
    image = element * 3.0 * size.edge**2
    return 8.0 + 2 * image + weights if phase == "training" else 3 * image + weights


WORKLOADS = (
    Workload(
        name="ddpm",
        title="denoising diffusion, CIFAR-10 U-Net",
        family="generative",
        item="image",
        items={"generation": "denoising step"},
        paper="Ho et al. 2020, https://arxiv.org/abs/2006.11239",
        phases=("training", "generation"),
        sizes={
            "tiny": Size(
                {"edge": 8, "width": 8, "multiples": (1, 2), "blocks": 1, "attention_edge": 4, "groups": 4},
                {"cpu": 2, "cuda": 2},
            ),
            "small": Size(
                {"edge": 32, "width": 32, "multiples": (1, 2), "blocks": 1, "attention_edge": 16, "groups": 8},
                {"cpu": 4, "cuda": 64},
            ),
            "base": Size(
                {"edge": 32, "width": 128, "multiples": (1, 2, 2, 2), "blocks": 2, "attention_edge": 16, "groups": 32},
                {"cpu": 8, "cuda": 128},
            ),
        },
        inputs=inputs,
        flops=flops,
        flops_note="convolutions and matrix products; not norms, SiLU, softmax, noising, loss, optimizer",
        bytes=traffic,
        parameters=parameters,
        optimizer=OPTIMIZER,
        decreasing_output="loss",
        substitutes={
            "*.key.bias": "its gradient is zero, since softmax ignores a shift of a row: rounding only, next to nothing"
            " beside the query's in both frameworks"
        },
    ),
)
