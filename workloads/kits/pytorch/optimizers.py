"""Optimizers of `workloads.spec` in PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from joulemark.workloads.spec import Adam, Optimizer, refuse_state


def decay_groups(parameters: list[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """Return groups of parameters with and without weight decay; one group where nothing decays."""
    if not weight_decay:
        return [{"params": parameters, "weight_decay": 0.0}]
    decaying, others = ([p for p in parameters if (p.ndim > 1) == decays] for decays in (True, False))
    groups: list[dict[str, Any]] = [
        {"params": decaying, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def clip_gradients(parameters: list[nn.Parameter], definition: Optimizer) -> None:
    """Scale the gradients down where their norm exceeds the definition's limit; PyTorch adds 1e-6 to the norm."""
    if definition.clip_norm is not None:
        nn.utils.clip_grad_norm_(parameters, definition.clip_norm, foreach=True)


def make_optimizer(
    parameters: list[nn.Parameter], definition: Optimizer, sparse: bool = False
) -> torch.optim.Optimizer:
    """Return SGD or Adam by PyTorch's fused kernels: one call for all tensors, on CPU and CUDA.

    The defaults are a Python loop on the CPU and `foreach` on CUDA. PyTorch's tuning guide recommends `fused`, the only
    implementation whose step under a GradScaler does not wait for the device. They take no sparse gradients: the
    default SGD does, and reads and writes only their rows.

    Raises:
        ValueError: Gradients are sparse, and the optimizer has a state, which would be dense.
    """
    if sparse:
        refuse_state(definition)
        return torch.optim.SGD(parameters, lr=definition.learning_rate)
    groups = decay_groups(parameters, definition.weight_decay)
    if isinstance(definition, Adam):
        return (torch.optim.AdamW if definition.weight_decay else torch.optim.Adam)(
            groups,
            lr=definition.learning_rate,
            betas=(definition.beta_1, definition.beta_2),
            eps=definition.epsilon,
            fused=True,
        )
    sgd = torch.optim.SGD(groups, lr=definition.learning_rate, momentum=definition.momentum, fused=True)
    if definition.momentum:
        # PyTorch 2.13 allocates the momentum by empty_like and fills it in the kernel of the first step. When that step
        # overflows in fp16, the kernel does nothing, and the next step reads uninitialised memory.
        for parameter in parameters:
            sgd.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return sgd
