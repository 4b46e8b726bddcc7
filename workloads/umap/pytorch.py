"""UMAP in PyTorch."""

from __future__ import annotations

import torch
from torch import nn

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size
from joulemark.workloads.umap import spec


class Layout(nn.Module):
    """Positions of the points in the plane."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.places = kit.embedding(size.n, 2)

    def forward(self, heads: torch.Tensor, tails: torch.Tensor) -> torch.Tensor:
        """(E,), (E, K) -> a d^(2 b) of the distance d of each pair (E, K)."""
        gaps = self.places(heads)[:, None] - self.places(tails)  # (E, K, 2)
        return spec.A * gaps.square().sum(2) ** spec.B


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """heads, tails, strengths, negatives -> loss, the fuzzy cross-entropy an edge."""
    model = kit.prepare(Layout(kit, size), spec.INITIAL)

    def forward(
        heads: torch.Tensor, tails: torch.Tensor, strengths: torch.Tensor, negatives: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        pull = torch.log1p(model(heads, tails[:, None])[:, 0])  # -log of the membership 1 / (1 + a d^2b)
        far = model(heads, negatives)
        push = torch.log1p(far) - torch.log(far + spec.EPSILON)  # -log of 1 - membership
        return {"loss": (strengths * (pull + push.sum(1))).sum() / size.n}

    return kit.training(model, forward, spec.OPTIMIZER)
