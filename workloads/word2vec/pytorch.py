"""Skip-gram with negative sampling in PyTorch."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size
from joulemark.workloads.word2vec import spec


class SkipGram(nn.Module):
    """Two tables of vectors; a pair's logit is the product of theirs."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.centre = kit.embedding(size.vocabulary, size.width, sparse=True)
        self.context = kit.embedding(size.vocabulary, size.width, sparse=True)

    def forward(self, centres: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
        """centres (B,), others (B, K) -> logits (B, K)."""
        return torch.bmm(self.context(others), self.centre(centres)[:, :, None])[:, :, 0]


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """centres, contexts and negatives -> loss."""
    model = kit.prepare(SkipGram(kit, size), spec.INITIAL)

    def forward(centres: torch.Tensor, contexts: torch.Tensor, negatives: torch.Tensor) -> dict[str, torch.Tensor]:
        logits = kit.widen(model(centres, torch.cat([contexts, negatives], dim=1)))  # (B, 1 + K)
        # equation 4, with its sign turned
        return {"loss": (F.softplus(-logits[:, 0]) + F.softplus(logits[:, 1:]).sum(1)).mean()}

    return kit.training(model, forward, spec.OPTIMIZER)
