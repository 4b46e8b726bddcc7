"""Optimizers of `workloads.spec` in PyTorch."""

from __future__ import annotations

import torch
from torch import nn

from joulemark.workloads.spec import Adam, Optimizer


def make_optimizer(parameters: list[nn.Parameter], definition: Optimizer) -> torch.optim.Optimizer:
    """Return SGD or Adam by PyTorch's fused kernels: one call for all tensors, on CPU and CUDA.

    The defaults are a Python loop on the CPU and `foreach` on CUDA. PyTorch's tuning guide recommends `fused`, the only
    implementation whose step under a GradScaler does not wait for the device.
    """
    if isinstance(definition, Adam):
        return torch.optim.Adam(
            parameters,
            lr=definition.learning_rate,
            betas=(definition.beta_1, definition.beta_2),
            eps=definition.epsilon,
            fused=True,
        )
    return torch.optim.SGD(parameters, lr=definition.learning_rate, momentum=definition.momentum, fused=True)
