"""SimCLR in PyTorch."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from joulemark.workloads.kit import Kit
from joulemark.workloads.resnet50.pytorch import Encoder
from joulemark.workloads.simclr import spec
from joulemark.workloads.spec import Phase, Program, Size


class SimClr(nn.Module):
    """Encoder and projection head."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.encoder = Encoder(kit, size)
        first, second = spec.head(size)
        self.project1 = kit.dense(first.width_in, first.width)
        self.project2 = kit.dense(second.width_in, second.width)

    def forward(self, views: torch.Tensor) -> torch.Tensor:
        """(2 B, edge, edge, 3) -> (2 B, projection)."""
        return self.project2(F.relu(self.project1(self.encoder(views))))


def nt_xent(kit: Kit, z: torch.Tensor) -> torch.Tensor:
    """Return the loss of equation 1, the mean over all views of z (2 B, C): image i has views i and B + i."""
    count = z.shape[0]
    z = F.normalize(kit.widen(z), dim=1)
    itself = torch.eye(count, dtype=torch.bool, device=z.device)
    with torch.autocast(z.device.type, enabled=False):  # which would halve the precision of a loss's product too
        similarities = (z @ z.mT / spec.TEMPERATURE).masked_fill(itself, -torch.inf)  # (2 B, 2 B)
    partners = torch.arange(count, device=z.device).roll(count // 2)
    return kit.cross_entropy(similarities, partners)


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """views -> loss."""
    model = kit.prepare(SimClr(kit, size), spec.initial)
    return kit.training(model, lambda views: {"loss": nt_xent(kit, model(views))}, spec.OPTIMIZER)
