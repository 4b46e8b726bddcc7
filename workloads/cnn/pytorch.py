"""Small convolutional network in PyTorch."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from joulemark.workloads.cnn import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


class Block(nn.Module):
    """Convolution 3 x 3, batch norm, ReLU."""

    def __init__(self, kit: Kit, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv = kit.conv(width_in, width, 3, stride, bias=False)
        self.norm = kit.batch_norm(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, width_in, H, W) -> (B, width, H / stride, W / stride)."""
        return F.relu(self.norm(self.conv(x)))


class Cnn(nn.Module):
    """Blocks, mean over the image, classifier."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit = kit
        self.blocks = nn.ModuleList(Block(kit, c.width_in, c.width, stride) for c, stride in spec.convolutions(size))
        self.head = kit.dense(size.widths[-1], spec.CLASSES)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(B, 32, 32, 3) -> logits (B, 10)."""
        x = self.kit.to_image_layout(images)  # (B, 3, 32, 32)
        for block in self.blocks:
            x = block(x)
        return self.head(self.kit.mean_pool(x))


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images -> logits, or images and labels -> loss."""
    model = kit.prepare(Cnn(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(model, lambda images: {"logits": model(images)})

    def forward(images: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": kit.cross_entropy(model(images), labels)}

    return kit.training(model, forward, spec.OPTIMIZER)
