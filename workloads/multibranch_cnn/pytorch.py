"""Convolutional network of several branches and two outputs in PyTorch."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from joulemark.workloads.kit import Kit
from joulemark.workloads.multibranch_cnn import spec
from joulemark.workloads.spec import Phase, Program, Size


class Branch(nn.Module):
    """Feature extractor with one size of window."""

    def __init__(self, kit: Kit, size: Size, window: int) -> None:
        super().__init__()
        self.kit = kit
        self.conv1, self.conv2 = (kit.conv(c.width_in, c.width, window) for c in spec.branch(size, window))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(B, 3, 64, 64) -> (B, 2 width)."""
        x = self.kit.max_pool(F.relu(self.conv1(images)), 4, 4)  # (B, width, 16, 16)
        return self.kit.mean_pool(F.relu(self.conv2(x)))


class MultiBranch(nn.Module):
    """Branches on one image, merged, then a class and a score."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit = kit
        self.branches = nn.ModuleList(Branch(kit, size, window) for window in spec.WINDOWS)
        dense = spec.dense(size)
        self.merge, self.label, self.score = (kit.dense(layer.width_in, layer.width) for layer in dense.values())

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, 64, 64, 3) -> logits (B, 10), scores (B, 1)."""
        x = self.kit.to_image_layout(images)
        features = torch.cat([branch(x) for branch in self.branches], dim=1)  # (B, 6 width)
        hidden = F.relu(self.merge(features))  # (B, hidden)
        return self.label(hidden), self.score(hidden)


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images -> logits and scores, or images, labels and scores -> loss."""
    model = kit.prepare(MultiBranch(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(model, lambda images: dict(zip(("logits", "scores"), model(images), strict=True)))

    def forward(images: torch.Tensor, labels: torch.Tensor, scores: torch.Tensor) -> dict[str, torch.Tensor]:
        logits, guesses = model(images)
        return {"loss": kit.cross_entropy(logits, labels) + spec.SCORE_WEIGHT * kit.squared_error(guesses, scores)}

    return kit.training(model, forward, spec.OPTIMIZER)
