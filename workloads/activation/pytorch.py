"""Activation functions in PyTorch."""

from __future__ import annotations

from functools import partial

import torch
from torch.nn import functional as F

from joulemark.workloads.activation import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size

_FUNCTIONS = {
    "relu": F.relu,
    "leaky_relu": partial(F.leaky_relu, negative_slope=spec.SLOPE),
    "gelu": F.gelu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """x (B, width) -> output (B, width); in training also upstream -> gradient, both (B, width)."""
    function = _FUNCTIONS[size.function]
    if phase == "inference":
        return kit.kernel(lambda x: {"output": function(x)})
    return kit.layer(function)
