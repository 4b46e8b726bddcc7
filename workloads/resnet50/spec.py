"""ResNet-50 (He et al. 2015), with the stride in the 3 x 3 convolution of a bottleneck ("v1.5", as torchvision, MLPerf
and Hugging Face have it); size `first` has it in the 1 x 1 before, as the authors' model and keras.applications."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import Conv, Dense, all_trained, phase_flops, weight_bytes
from joulemark.workloads.initial import he
from joulemark.workloads.spec import Arrays, Count, Phase, Sgd, Size, Workload

OPTIMIZER = Sgd(learning_rate=0.01, momentum=0.9)
EXPANSION = 4
_FULL = {"depths": (3, 4, 6, 3), "stem": 64, "classes": 1000, "stride_in": 2}


def initial(name: str, shape: tuple[int, ...]) -> float:
    """He's, less in each block's last convolution and in the classifier: without trained running statistics the
    activations would else double in each block of an inference, past what fp16 can hold. Batch norm makes training
    indifferent to it."""
    if name.endswith("conv3.kernel"):
        return he(name, shape) / 4
    return 0.01 if name == "head.kernel" else he(name, shape)


def strides(size: Size, stage: int, block: int) -> tuple[int, int]:
    """Of a block's first and second convolution: each stage but the first halves the image, in its first block."""
    stride = 2 if stage and not block else 1
    return (stride, 1) if size.stride_in == 1 else (1, stride)


def convolutions(size: Size) -> list[Conv]:
    """All convolutions in order, the projections of the shortcuts after their block's."""
    edge = size.edge // 2
    found = [Conv(3, size.stem, 7, edge)]
    edge, width_in = edge // 2, size.stem
    for stage, depth in enumerate(size.depths):
        width = size.stem * 2**stage
        for block in range(depth):
            first, second = strides(size, stage, block)
            middle, edge = edge // first, edge // (first * second)
            found += [
                Conv(width_in, width, 1, middle),
                Conv(width, width, 3, edge),
                Conv(width, EXPANSION * width, 1, edge),
            ]
            if not block:
                found.append(Conv(width_in, EXPANSION * width, 1, edge))
            width_in = EXPANSION * width
    return found


def smallest_edge(size: Size) -> int:
    """Width of the last stage's images: stem, pool and each stage but the first halve them."""
    return size.edge >> (len(size.depths) + 1)


def features(size: Size) -> int:
    """Width of the last stage's output."""
    return EXPANSION * size.stem * 2 ** (len(size.depths) - 1)


def layers(size: Size) -> list[Conv | Dense]:
    """All with a kernel."""
    return [*convolutions(size), Dense(features(size), size.classes)]


def inputs(size: Size, phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """images (B, edge, edge, 3), normalised; in training also labels (B,)."""
    found = {"images": generator.standard_normal((batch, size.edge, size.edge, 3), np.float32)}
    if phase == "training":
        found["labels"] = generator.integers(0, size.classes, batch)
    return found


def parameters(size: Size) -> Count:
    """Convolutions without bias, two vectors a batch norm, classifier."""
    norms = sum(2 * conv.width for conv in convolutions(size))
    return all_trained(norms + sum(layer.parameters for layer in layers(size)))


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Image in; logits out or, in training, label in (8 bytes); weights."""
    told = 8.0 if phase == "training" else element * size.classes
    return element * size.edge**2 * 3 + told + weight_bytes(parameters(size), phase, batch, OPTIMIZER)


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
            "small": Size({"edge": 64, **_FULL}, {"cpu": 4, "cuda": 64}),
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
