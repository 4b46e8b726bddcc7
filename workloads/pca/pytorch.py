"""Principal components in PyTorch."""

from __future__ import annotations

import torch

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


def build(size: Size, _phase: Phase, kit: Kit) -> Program:
    """points (B, n, d) -> variances (B, k), components (B, k, d), scores (B, n, k)."""

    def compute(points: torch.Tensor) -> dict[str, torch.Tensor]:
        centred = points - points.mean(1, keepdim=True)
        _, singular, rows = torch.linalg.svd(centred, full_matrices=False)  # (B, d), (B, d, d)
        components = rows[:, : size.k]
        return {
            "variances": singular[:, : size.k].square() / (size.n - 1),
            "components": components,
            "scores": centred @ components.mT,
        }

    return kit.kernel(compute)
