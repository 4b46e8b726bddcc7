"""Count the floating-point operations of a step in PyTorch, kernel by kernel.

`torch.utils.flop_counter` counts matrix products and convolutions alone; this one counts the arithmetic of elements:
one for each number that a kernel computes (two for x log y), one for each number that a sum takes in, two for a
multiply-add of a matrix product. Fused kernels are counted by PyTorch's own decompositions. Optimizers are left out. A
kernel that is in no table and has no decomposition is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch._refs  # registers the decompositions of norms
from torch._decomp import decomposition_table
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

COST = {
    **dict.fromkeys(("add", "sub", "rsub", "mul", "div", "neg", "reciprocal"), 1),
    **dict.fromkeys(("exp", "log", "log1p", "pow", "sqrt", "rsqrt"), 1),
    "xlogy": 2,
}
"""Operations for each number of the result; in place, the name ends in `_`."""
SUMS = {"sum": 1, "var": 3, "embedding_dense_backward": 1}
"""Operations for each number of the first argument."""
MOVES = {
    "alias",
    "broadcast_in_dim",
    "convert_element_type",
    "copy_",
    "detach",
    "embedding",
    "empty",
    "empty_like",
    "empty_strided",
    "expand",
    "eye",
    "full",
    "full_like",
    "ones_like",
    "select",
    "select_backward",
    "squeeze",
    "t",
    "transpose",
    "unsqueeze",
    "view",
    "zeros_like",
}


class OperationCounter(TorchDispatchMode):
    """Within it, `operations` grows by what each kernel computes."""

    def __init__(self) -> None:
        super().__init__()
        self.operations = 0

    def __torch_dispatch__(
        self, kernel: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        options = kwargs or {}
        if kernel.namespace == "profiler" or kernel.overloadpacket.__name__.startswith("_fused_sgd"):
            return kernel(*args, **options)
        name = kernel.overloadpacket.__name__
        if name not in MOVES and operations(name, args, 0) is None:
            with self:
                parts = decomposition_table.get(kernel, kernel.decompose)(*args, **options)
            if parts is NotImplemented:
                raise KeyError(f"no count for the kernel {kernel}")
            return parts
        result = kernel(*args, **options)
        numbers = sum(t.numel() for t in tree_leaves(result) if isinstance(t, torch.Tensor) and t.is_floating_point())
        self.operations += operations(name, args, numbers) or 0
        return result


def operations(name: str, args: tuple[Any, ...], numbers: int) -> int | None:
    """Return the operations of a kernel whose result has so many numbers; None for one that is in no table."""
    if name == "mm":
        return 2 * args[0].shape[1] * numbers
    if name == "pow" and args[1] == 1:
        return 0
    if name in SUMS:
        return SUMS[name] * args[0].numel()
    cost = COST.get(name.removesuffix("_"))
    return None if cost is None else cost * numbers


def count_operations(step: Callable[[], Any]) -> int:
    """Return the floating-point operations of a call of `step`."""
    with OperationCounter() as counter:
        step()
    return counter.operations
