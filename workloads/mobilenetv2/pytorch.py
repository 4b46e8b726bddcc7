"""MobileNetV2 in PyTorch."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from joulemark.workloads.kit import Kit
from joulemark.workloads.mobilenetv2 import spec
from joulemark.workloads.spec import Phase, Program, Size


class InvertedResidual(nn.Module):
    """Expand 1 x 1, filter each channel 3 x 3, project 1 x 1; residual where the shapes allow it."""

    def __init__(self, kit: Kit, block: spec.Block) -> None:
        super().__init__()
        self.expands = block.expansion > 1
        self.shortcut = block.stride == 1 and block.width_in == block.width
        if self.expands:
            self.expand = kit.conv(block.width_in, block.hidden, 1, bias=False)
            self.expand_norm = kit.batch_norm(block.hidden)
        self.filter = kit.depthwise_conv(block.hidden, 3, block.stride)
        self.filter_norm = kit.batch_norm(block.hidden)
        self.project = kit.conv(block.hidden, block.width, 1, bias=False)
        self.project_norm = kit.batch_norm(block.width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, width_in, H, W) -> (B, width, H / stride, W / stride)."""
        y = x
        if self.expands:
            y = F.relu6(self.expand_norm(self.expand(y)), inplace=True)
        y = F.relu6(self.filter_norm(self.filter(y)), inplace=True)
        y = self.project_norm(self.project(y))
        return x + y if self.shortcut else y


class Encoder(nn.Module):
    """Stem, inverted residual blocks, last 1 x 1, and the mean over the image."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit = kit
        self.stem = kit.conv(3, size.stem, 3, 2, bias=False)
        self.stem_norm = kit.batch_norm(size.stem)
        self.blocks = nn.ModuleList(InvertedResidual(kit, block) for block in spec.blocks(size))
        self.last = kit.conv(spec.blocks(size)[-1].width, size.features, 1, bias=False)
        self.last_norm = kit.batch_norm(size.features)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(B, edge, edge, 3) -> features (B, features)."""
        x = self.kit.to_image_layout(images)  # (B, 3, edge, edge)
        x = F.relu6(self.stem_norm(self.stem(x)), inplace=True)
        for block in self.blocks:
            x = block(x)
        x = F.relu6(self.last_norm(self.last(x)), inplace=True)
        return self.kit.mean_pool(x)


class MobileNet(nn.Module):
    """Encoder and classifier."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.encoder = Encoder(kit, size)
        self.head = kit.dense(size.features, size.classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(B, edge, edge, 3) -> logits (B, classes)."""
        return self.head(self.encoder(images))


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images -> logits, or images and labels -> loss."""
    model = kit.prepare(MobileNet(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(model, lambda images: {"logits": model(images)})

    def forward(images: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": kit.cross_entropy(model(images), labels)}

    return kit.training(model, forward, spec.OPTIMIZER)
