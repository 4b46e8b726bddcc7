"""MobileNetV2 (Sandler et al. 2018), width 1, without the classifier's dropout; SGD, where the paper has RMSProp."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from joulemark.workloads.counting import Conv, Dense, all_trained, phase_flops, weight_bytes
from joulemark.workloads.initial import he
from joulemark.workloads.spec import Arrays, Count, Phase, Sgd, Size, Workload

INITIAL = he
OPTIMIZER = Sgd(learning_rate=0.01, momentum=0.9, weight_decay=4e-5)
_TABLE_2 = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""The paper's table 2: expansion t, channels c, repeats n, stride s of the first."""
FULL = {"stem": 32, "stages": _TABLE_2, "features": 1280, "classes": 1000}
SUBSTITUTES = {
    "*.project_norm.beta": "its gradient is zero, since the next batch norm takes away what it adds: rounding only,"
    " next to nothing beside gamma's in both frameworks"
}


@dataclass(frozen=True)
class Block:
    """An inverted residual block; `edge` is that of its output."""

    width_in: int
    width: int
    expansion: int
    stride: int
    edge: int

    @property
    def hidden(self) -> int:
        """Return the channels of the depthwise convolution."""
        return self.width_in * self.expansion

    @property
    def convolutions(self) -> list[Conv]:
        """Return the expansion (if any), depthwise and projection convolutions."""
        expand = [Conv(self.width_in, self.hidden, 1, self.edge * self.stride)] if self.expansion > 1 else []
        depthwise = Conv(self.hidden, self.hidden, 3, self.edge, groups=self.hidden)
        return [*expand, depthwise, Conv(self.hidden, self.width, 1, self.edge)]


def blocks(size: Size) -> list[Block]:
    """Return all inverted residual blocks in order."""
    listed, width_in, edge = [], size.stem, size.edge // 2
    for expansion, width, repeats, first_stride in size.stages:
        for index in range(repeats):
            stride = 1 if index else first_stride
            edge //= stride
            listed.append(Block(width_in, width, expansion, stride, edge))
            width_in = width
    return listed


def convolutions(size: Size) -> list[Conv]:
    """Return the stem, the blocks, and the last 1 x 1 convolution."""
    inner = blocks(size)
    last = inner[-1]
    return [
        Conv(3, size.stem, 3, size.edge // 2),
        *(conv for block in inner for conv in block.convolutions),
        Conv(last.width, size.features, 1, last.edge),
    ]


def layers(size: Size) -> list[Conv | Dense]:
    """Return all layers with a kernel, in order."""
    return [*convolutions(size), Dense(size.features, size.classes)]


def inputs(size: Size, phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return images (B, edge, edge, 3), normalised; in training also labels (B,)."""
    arrays = {"images": generator.standard_normal((batch, size.edge, size.edge, 3), np.float32)}
    if phase == "training":
        arrays["labels"] = generator.integers(0, size.classes, batch)
    return arrays


def parameters(size: Size) -> Count:
    """Count convolutions without bias, two vectors a batch norm, classifier."""
    norms = sum(2 * conv.width for conv in convolutions(size))
    return all_trained(norms + sum(layer.parameters for layer in layers(size)))


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item: image in; logits out or, in training, label in (8 bytes); weights."""
    result_bytes = 8.0 if phase == "training" else element * size.classes
    return element * size.edge**2 * 3 + result_bytes + weight_bytes(parameters(size), phase, batch, OPTIMIZER, element)


WORKLOADS = (
    Workload(
        name="mobilenetv2",
        title="MobileNetV2",
        family="vision",
        item="image",
        paper="Sandler et al. 2018, https://arxiv.org/abs/1801.04381",
        phases=("inference", "training"),
        sizes={
            "tiny": Size(
                {
                    "edge": 32,
                    "stem": 8,
                    "stages": ((1, 8, 1, 1), (2, 8, 2, 2), (2, 16, 2, 1)),
                    "features": 32,
                    "classes": 10,
                },
                {"cpu": 4, "cuda": 4},
            ),
            "small": Size({"edge": 96, **FULL}, {"cpu": 4, "cuda": 64}),
            "base": Size({"edge": 224, **FULL}, {"cpu": 16, "cuda": 256}),
        },
        inputs=inputs,
        flops=lambda size, phase: phase_flops(layers(size), phase),
        flops_note="convolutions and classifier; not norms, ReLU, pooling, loss, optimizer, nor the images' gradient",
        bytes=traffic,
        parameters=parameters,
        optimizer=OPTIMIZER,
        decreasing_output="loss",
        substitutes=SUBSTITUTES,
    ),
)
