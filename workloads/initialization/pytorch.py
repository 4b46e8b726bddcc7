"""Initialisation of ResNet-50's parameters in PyTorch."""

from __future__ import annotations

import torch
from torch import nn

from joulemark.workloads.initialization import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size

_RULES = {
    "he": lambda tensor: nn.init.kaiming_normal_(tensor, nonlinearity="relu"),
    "glorot": nn.init.xavier_normal_,
}


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """no inputs -> kernels, drawn again into the same memory: (out, in, height, width) or (out, in)."""
    torch.manual_seed(kit.seed)
    kernels = {
        # PyTorch's own order of axes: its initialisers read the fans from it
        name: torch.empty(tuple(shape[i] for i in (-1, -2, *range(len(shape) - 2))), dtype=kit.dtype, device=kit.device)
        for name, shape in spec.shapes(size).items()
    }
    initialise = _RULES[size.rule]
    return kit.kernel(lambda: {name: initialise(kernel) for name, kernel in kernels.items()})
