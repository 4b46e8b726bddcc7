"""Batch normalisation in PyTorch."""

from __future__ import annotations

import torch
from torch import nn

from joulemark.workloads.batchnorm import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


class BatchNorm(nn.Module):
    """One normalisation."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit = kit
        self.norm = kit.batch_norm(size.shape[-1])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, H, W, C) -> the same."""
        return self.kit.from_image_layout(self.norm(self.kit.to_image_layout(x)))


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """x -> output; in training also upstream -> gradient; all (B, H, W, C)."""
    model = kit.prepare(BatchNorm(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(model, lambda x: {"output": model(x)})
    return kit.layer(model, model, spec.OPTIMIZER)
