"""A PyTorch step in Monte Carlo arithmetic: how far do roundings of a precision take its results?

Each weight, each input and the result of each operation, forward and backward, is moved at random by up to one rounding
of the precision (Pierce, Eggert and Parker 2000, https://doi.org/10.1109/5992.852391). The optimizer's own arithmetic,
which is float32 in every precision, stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

from joulemark.workloads.spec import Program

Tensors = Mapping[str, torch.Tensor]


class RandomRounding(TorchDispatchMode):
    """Moves each float32 number x that an operation returns to x (1 + e), e uniform between -unit and unit."""

    def __init__(self, unit: float, seed: int) -> None:
        super().__init__()
        self.unit = unit
        self.generator = torch.Generator().manual_seed(seed)

    def move(self, x: Any) -> Any:
        """Return x moved; anything but a dense float32 tensor is returned as it is."""
        if not isinstance(x, torch.Tensor) or x.dtype != torch.float32 or x.layout != torch.strided:
            return x
        error = torch.empty_like(x, dtype=torch.float64).uniform_(-self.unit, self.unit, generator=self.generator)
        return (x.double() * (1 + error)).float()

    def __torch_dispatch__(self, kernel: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call the kernel; views, and what is changed in place, are not new numbers."""
        result = kernel(*args, **(kwargs or {}))
        if any(returned.alias_info is not None for returned in kernel._schema.returns):
            return result
        return tree_map(self.move, result)


def moved_at_random(
    program: Program, inputs: Tensors, unit: float, seed: int
) -> tuple[Callable[..., Tensors], Tensors]:
    """Move the program's weights; return its step with results moved, and the inputs moved.

    oneDNN is not used: its LSTM is one operation, with hundreds of roundings inside.
    """
    rounding = RandomRounding(unit, seed)
    program.load_weights({name: rounding.move(torch.from_numpy(w)).numpy() for name, w in program.weights().items()})

    def step(**inputs: torch.Tensor) -> Tensors:
        fused, torch.backends.mkldnn.enabled = torch.backends.mkldnn.enabled, False
        try:
            with rounding:
                return program.step(**inputs)
        finally:
            torch.backends.mkldnn.enabled = fused

    return step, {name: rounding.move(tensor) for name, tensor in inputs.items()}
