"""Vision transformer ViT-B/16 (Dosovitskiy et al. 2021) with class token and learned positions, fine-tuned as in the
paper's appendix B.1.1: SGD, clipping, no weight decay; without dropout."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import Conv, Dense, all_trained, phase_flops, weight_bytes
from joulemark.workloads.initial import normal
from joulemark.workloads.spec import Arrays, Count, Phase, Sgd, Size, Workload

OPTIMIZER = Sgd(learning_rate=0.003, momentum=0.9, clip_norm=1.0)
INITIAL = normal(0.02)
EPSILON = 1e-6
"""Of the layer norms, as in the authors' code."""
_BASE = {"patch": 16, "width": 768, "depth": 12, "heads": 12, "mlp": 3072, "classes": 1000}


def tokens(size: Size) -> int:
    """Return the number of patches plus the class token."""
    return (size.edge // size.patch) ** 2 + 1


def layers(size: Size) -> list[Conv | Dense]:
    """Return all layers with a kernel, without attention's two products."""
    rows = tokens(size)
    block = [
        Dense(size.width, 3 * size.width, rows),
        Dense(size.width, size.width, rows),
        Dense(size.width, size.mlp, rows),
        Dense(size.mlp, size.width, rows),
    ]
    patches = Conv(3, size.width, size.patch, size.edge // size.patch, bias=True)
    return [patches, *block * size.depth, Dense(size.width, size.classes)]


def inputs(size: Size, phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return images (B, edge, edge, 3), normalised; in training also labels (B,)."""
    arrays = {"images": generator.standard_normal((batch, size.edge, size.edge, 3), np.float32)}
    if phase == "training":
        arrays["labels"] = generator.integers(0, size.classes, batch)
    return arrays


def parameters(size: Size) -> Count:
    """Count layers with biases, two layer norms a block and one at the end, class token, positions."""
    norms = (2 * size.depth + 1) * 2 * size.width
    return all_trained(sum(layer.parameters for layer in layers(size)) + norms + (tokens(size) + 1) * size.width)


def flops(size: Size, phase: Phase) -> float:
    """Return the FLOPs of one item: layers, and attention's scores and mixing.

    4 T^2 C a block forward, twice that backward.
    """
    attention = 4.0 * tokens(size) ** 2 * size.width * size.depth
    return phase_flops(layers(size), phase) + (3 if phase == "training" else 1) * attention


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item: image in; logits out or, in training, label in (8 bytes); weights."""
    result_bytes = 8.0 if phase == "training" else element * size.classes
    return element * size.edge**2 * 3 + result_bytes + weight_bytes(parameters(size), phase, batch, OPTIMIZER, element)


WORKLOADS = (
    Workload(
        name="vit",
        title="vision transformer ViT-B/16",
        family="vision",
        item="image",
        paper="Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929",
        phases=("inference", "training"),
        sizes={
            "tiny": Size(
                {"edge": 32, "patch": 8, "width": 32, "depth": 2, "heads": 2, "mlp": 64, "classes": 10},
                {"cpu": 4, "cuda": 4},
            ),
            # ViT-Ti of Touvron et al. 2021, https://arxiv.org/abs/2012.12877
            "small": Size(
                {"edge": 128, **_BASE, "width": 192, "heads": 3, "mlp": 768},
                {"cpu": 4, "cuda": 64},
            ),
            "base": Size({"edge": 224, **_BASE}, {"cpu": 8, "cuda": 128}),
        },
        inputs=inputs,
        flops=flops,
        flops_note="matrix products; not norms, softmax, GELU, biases, loss, optimizer, nor the gradient of the images",
        bytes=traffic,
        parameters=parameters,
        optimizer=OPTIMIZER,
        decreasing_output="loss",
    ),
)
