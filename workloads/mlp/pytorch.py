"""Multilayer perceptron in PyTorch."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from joulemark.workloads.kit import Kit
from joulemark.workloads.mlp import spec
from joulemark.workloads.spec import Phase, Program, Size


class Mlp(nn.Module):
    """Dense layers with ReLU between them."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.layers = nn.ModuleList(kit.dense(layer.width_in, layer.width) for layer in spec.layers(size))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 784) -> logits (B, 10)."""
        *hidden, head = self.layers
        for layer in hidden:
            x = F.relu(layer(x))
        return head(x)


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images -> logits, or images and labels -> loss."""
    model = kit.prepare(Mlp(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(model, lambda images: {"logits": model(images)})

    def forward(images: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": kit.cross_entropy(model(images), labels)}

    return kit.training(model, forward, spec.OPTIMIZER)
