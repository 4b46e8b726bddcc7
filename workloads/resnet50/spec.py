"""ResNet-50 (He et al. 2015), with the stride in the 3 x 3 convolution of a bottleneck ("v1.5", as torchvision, MLPerf
and Hugging Face have it); size `first` has it in the 1 x 1 before, as the authors' model and keras.applications."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import Conv, Dense, all_trained, phase_flops, weight_bytes
from joulemark.workloads.initial import he
from joulemark.workloads.spec import Arrays, Count, Phase, Sgd, Size, Workload

OPTIMIZER = Sgd(learning_rate=0.01, momentum=0.9, weight_decay=1e-4)
EXPANSION = 4
_FULL = {"depths": (3, 4, 6, 3), "stem": 64, "classes": 1000, "stride_in": 2}


def initial(name: str, shape: tuple[int, ...]) -> float:
    """Return He's deviation, less in each block's last convolution and in the classifier.

    Without trained running statistics, activations would otherwise double in each block of an inference and overflow
    fp16. Training does not depend on it, because of batch norm.
    """
    if name.endswith("conv3.kernel"):
        return he(name, shape) / 4
    return 0.01 if name == "head.kernel" else he(name, shape)


def strides(size: Size, stage: int, block: int) -> tuple[int, int]:
    """Return the strides of a block's first and second convolution.

    Each stage but the first halves the image in its first block.
    """
    stride = 2 if stage and not block else 1
    return (stride, 1) if size.stride_in == 1 else (1, stride)


def convolutions(size: Size) -> list[Conv]:
    """Return all convolutions in order; a block's shortcut projection is its last."""
    edge = size.edge // 2
    convs = [Conv(3, size.stem, 7, edge)]
    edge, width_in = edge // 2, size.stem
    for stage, depth in enumerate(size.depths):
        width = size.stem * 2**stage
        for block in range(depth):
            first, second = strides(size, stage, block)
            middle, edge = edge // first, edge // (first * second)
            convs += [
                Conv(width_in, width, 1, middle),
                Conv(width, width, 3, edge),
                Conv(width, EXPANSION * width, 1, edge),
            ]
            if not block:
                convs.append(Conv(width_in, EXPANSION * width, 1, edge))
            width_in = EXPANSION * width
    return convs


def features(size: Size) -> int:
    """Return the width of the last stage's output."""
    return EXPANSION * size.stem * 2 ** (len(size.depths) - 1)


def layers(size: Size) -> list[Conv | Dense]:
    """Return all layers with a kernel, in order."""
    return [*convolutions(size), Dense(features(size), size.classes)]


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
        name="resnet50",
        title="ResNet-50",
        family="vision",
        item="image",
        paper="He et al. 2015, https://arxiv.org/abs/1512.03385",
        phases=("inference", "training"),
        sizes={
            "tiny": Size(
                {"edge": 64, "depths": (2, 1, 1, 1), "stem": 8, "classes": 10, "stride_in": 2}, {"cpu": 8, "cuda": 8}
            ),
            "small": Size({"edge": 128, **_FULL}, {"cpu": 4, "cuda": 64}),
            "base": Size({"edge": 224, **_FULL}, {"cpu": 16, "cuda": 128}),
            "first": Size({"edge": 224, **_FULL, "stride_in": 1}, {"cpu": 16, "cuda": 128}),
        },
        inputs=inputs,
        flops=lambda size, phase: phase_flops(layers(size), phase),
        flops_note="convolutions and classifier; not norms, ReLU, pooling, loss, optimizer, nor the images' gradient",
        bytes=traffic,
        parameters=parameters,
        optimizer=OPTIMIZER,
        decreasing_output="loss",
    ),
)
