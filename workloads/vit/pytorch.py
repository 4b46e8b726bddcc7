"""Vision transformer in PyTorch."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size
from joulemark.workloads.vit import spec


class Block(nn.Module):
    """Self-attention and MLP, each after a norm, in a residual branch."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit, self.heads = kit, size.heads
        self.norm1 = kit.layer_norm(size.width, epsilon=spec.EPSILON)
        self.qkv = kit.dense(size.width, 3 * size.width)
        self.out = kit.dense(size.width, size.width)
        self.norm2 = kit.layer_norm(size.width, epsilon=spec.EPSILON)
        self.up = kit.dense(size.width, size.mlp)
        self.down = kit.dense(size.mlp, size.width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, T, C) -> (B, T, C)."""
        q, k, v = (self.kit.split_heads(part, self.heads) for part in self.qkv(self.norm1(x)).chunk(3, dim=-1))
        x = x + self.out(self.kit.merge_heads(self.kit.attention(q, k, v)))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Vit(nn.Module):
    """Patches, class token, positions, blocks, classifier on the class token."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit = kit
        self.patches = kit.conv(3, size.width, size.patch, size.patch, padding=0)
        self.token = nn.Parameter(torch.empty(1, 1, size.width))
        self.positions = nn.Parameter(torch.empty(1, spec.tokens(size), size.width))
        self.blocks = nn.ModuleList(Block(kit, size) for _ in range(size.depth))
        self.norm = kit.layer_norm(size.width, epsilon=spec.EPSILON)
        self.head = kit.dense(size.width, size.classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(B, edge, edge, 3) -> logits (B, classes)."""
        x = self.patches(self.kit.to_image_layout(images))  # (B, C, edge / patch, edge / patch)
        x = self.kit.from_image_layout(x).flatten(1, 2)  # (B, T - 1, C)
        token = self.token.expand(len(x), -1, -1).to(x.dtype)
        x = torch.cat([token, x], dim=1) + self.positions  # (B, T, C)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x[:, 0]))


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images -> logits, or images and labels -> loss."""
    model = kit.prepare(Vit(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(model, lambda images: {"logits": model(images)})

    def forward(images: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": kit.cross_entropy(model(images), labels)}

    return kit.training(model, forward, spec.OPTIMIZER)
