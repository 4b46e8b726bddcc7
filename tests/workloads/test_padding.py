"""Presets have images large enough that convolutions do not multiply padding."""

from __future__ import annotations

import numpy as np
import pytest

from joulemark.workloads.cnn import spec as cnn
from joulemark.workloads.counting import Conv
from joulemark.workloads.ddpm import spec as ddpm
from joulemark.workloads.mobilenetv2 import spec as mobilenetv2
from joulemark.workloads.multibranch_cnn import spec as multibranch_cnn
from joulemark.workloads.registry import workloads
from joulemark.workloads.resnet50 import spec as resnet50
from joulemark.workloads.spec import Size

WORKLOADS = workloads()

MAX_PADDED = 1 - (7 / 9) ** 2
"""Largest share of a convolution's FLOPs that may multiply padding, 39.5 %: that of a window of 3 x 3 on an image of
3 x 3, the smallest one with an output that sees no padding. MobileNetV2's paper goes as far, with images of 96 x 96."""


def padded(conv: Conv) -> float:
    """Return the share of a convolution's FLOPs that multiply padding, place by place; at stride 1, which has most."""
    places = np.arange(conv.edge)[:, None] + np.arange(conv.size) - conv.size // 2
    inside = np.mean((places >= 0) & (places < conv.edge))
    return float(1 - inside**2)


def padded_convolutions(workload: str, size: Size) -> list[Conv]:
    """Return the convolutions that are padded by half their window."""
    if workload == "multibranch_cnn":
        return [conv for window in multibranch_cnn.WINDOWS for conv in multibranch_cnn.branch(size, window)]
    if workload == "cnn":
        return [conv for conv, _ in cnn.convolutions(size)]
    if workload == "ddpm":
        return [layer for layer in ddpm.layers(size) if isinstance(layer, Conv)]
    return (resnet50 if workload in ("resnet50", "simclr") else mobilenetv2).convolutions(size)


@pytest.mark.parametrize("size", ["small", "base"])
@pytest.mark.parametrize(
    "workload",
    ["cnn", "multibranch_cnn", "resnet50", "simclr", "mobilenetv2", "transfer.frozen", "transfer.finetune", "ddpm"],
)
def test_convolutions_multiply_images_more_than_padding(workload: str, size: str) -> None:
    shares = [padded(conv) for conv in padded_convolutions(workload, WORKLOADS[workload].sizes[size])]
    assert 0 < max(shares) <= MAX_PADDED + 1e-12


def test_images_that_are_too_small_for_the_network_are_noticed() -> None:
    for workload, edge in (("resnet50", 64), ("transfer.finetune", 32)):
        preset = WORKLOADS[workload].sizes["small"]
        shrunk = Size({**preset.hyper, "edge": edge}, preset.batch_size)
        assert max(padded(conv) for conv in padded_convolutions(workload, shrunk)) > MAX_PADDED
