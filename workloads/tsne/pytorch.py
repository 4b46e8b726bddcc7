"""t-SNE in PyTorch."""

from __future__ import annotations

import torch
from torch import nn

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size
from joulemark.workloads.tsne import spec


class Places(nn.Module):
    """Positions of the points in the plane."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.places = nn.Parameter(torch.zeros(size.n, 2))

    def forward(self, affinities: torch.Tensor) -> torch.Tensor:
        """(n, n) -> divergence of the places' affinities from them, equation 2."""
        squares = self.places.square().sum(1)
        distances = squares[:, None] + squares - 2 * self.places @ self.places.mT
        logs = -torch.log1p(distances)
        others = 1 - torch.eye(len(logs), dtype=logs.dtype, device=logs.device)
        logs = logs - (logs.exp() * others).sum().log()  # of q, equation 4; the diagonal is not used
        return (torch.xlogy(affinities, affinities) - affinities * logs).sum()


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """affinities -> loss."""
    model = kit.prepare(Places(size), spec.INITIAL)
    return kit.training(model, lambda affinities: {"loss": model(affinities)}, spec.OPTIMIZER)
