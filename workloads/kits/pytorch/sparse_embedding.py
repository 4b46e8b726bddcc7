"""An embedding with a sparse gradient. Importing it imports PyTorch's compiler, which takes a second."""

from __future__ import annotations

import torch
from torch import nn


class SparseEmbedding(nn.Embedding):
    """Embedding with a sparse gradient, outside compiled graphs: Inductor of PyTorch 2.13 has no sparse tensors."""

    def __init__(self, count: int, width: int) -> None:
        super().__init__(count, width, sparse=True)

    @torch.compiler.disable
    def forward(self, indices: torch.Tensor) -> torch.Tensor:
        """Return the rows (..., width) of the indices (...)."""
        return super().forward(indices)
