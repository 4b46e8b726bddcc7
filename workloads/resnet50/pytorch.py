"""ResNet-50 in PyTorch."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from joulemark.workloads.kit import Kit
from joulemark.workloads.resnet50 import spec
from joulemark.workloads.spec import Phase, Program, Size


class Bottleneck(nn.Module):
    """Residual block of 1 x 1, 3 x 3 and 1 x 1 convolution, each with batch norm."""

    def __init__(self, kit: Kit, width_in: int, width: int, strides: tuple[int, int], *, project: bool) -> None:
        super().__init__()
        width_out = spec.EXPANSION * width
        self.conv1 = kit.conv(width_in, width, 1, strides[0], bias=False)
        self.norm1 = kit.batch_norm(width)
        self.conv2 = kit.conv(width, width, 3, strides[1], bias=False)
        self.norm2 = kit.batch_norm(width)
        self.conv3 = kit.conv(width, width_out, 1, bias=False)
        self.norm3 = kit.batch_norm(width_out)
        self.project = project
        if project:
            self.shortcut_conv = kit.conv(width_in, width_out, 1, strides[0] * strides[1], bias=False)
            self.shortcut_norm = kit.batch_norm(width_out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, width_in, H, W) -> (B, 4 width, H / stride, W / stride)."""
        shortcut = self.shortcut_norm(self.shortcut_conv(x)) if self.project else x
        x = F.relu(self.norm1(self.conv1(x)), inplace=True)
        x = F.relu(self.norm2(self.conv2(x)), inplace=True)
        x = self.norm3(self.conv3(x))
        return F.relu(x + shortcut, inplace=True)


class Encoder(nn.Module):
    """Stem and four stages, then the mean over the image."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit = kit
        self.stem_conv = kit.conv(3, size.stem, 7, 2, bias=False)
        self.stem_norm = kit.batch_norm(size.stem)
        self.blocks = nn.ModuleList()
        width_in = size.stem
        for stage, depth in enumerate(size.depths):
            width = size.stem * 2**stage
            for block in range(depth):
                strides = spec.strides(size, stage, block)
                self.blocks.append(Bottleneck(kit, width_in, width, strides, project=not block))
                width_in = spec.EXPANSION * width

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(B, edge, edge, 3) -> features (B, 32 stem)."""
        x = self.kit.to_image_layout(images)  # (B, 3, edge, edge)
        x = F.relu(self.stem_norm(self.stem_conv(x)), inplace=True)  # (B, stem, edge / 2, edge / 2)
        x = self.kit.max_pool(x, 3, 2, padding=1)
        for block in self.blocks:
            x = block(x)
        return self.kit.mean_pool(x)


class ResNet(nn.Module):
    """Encoder and classifier."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.encoder = Encoder(kit, size)
        self.head = kit.dense(spec.features(size), size.classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(B, edge, edge, 3) -> logits (B, classes)."""
        return self.head(self.encoder(images))


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images -> logits, or images and labels -> loss."""
    model = kit.prepare(ResNet(kit, size), spec.initial)
    if phase == "inference":
        return kit.inference(model, lambda images: {"logits": model(images)})

    def forward(images: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": kit.cross_entropy(model(images), labels)}

    return kit.training(model, forward, spec.OPTIMIZER)
