"""Count the bytes that PyTorch's operators move, operator by operator, on real or on fake tensors.

Each operator reads its inputs once and writes its outputs once. Views move nothing. Of an input that is broadcast, each
number is read once; of a table, what is looked up in it. What an operator reads again because its cache is too small,
and what it keeps for itself, is not counted.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

VIEWS = ("empty", "new_empty", "_unsafe_view", "_reshape_alias")
"""Beginnings of names of operators that move nothing, although they seem to return new tensors."""
SELECTED = {
    **dict.fromkeys(("gather", "index", "index_select", "nll_loss_forward"), "self"),
    **dict.fromkeys(("index_add_", "index_copy_", "index_put_", "scatter_", "scatter_add_"), "self"),
    "embedding": "weight",
}
"""Operators that read or write of one argument only what an index selects: as many numbers as the largest of their
other tensors has. So do those that add a sparse tensor to another."""
NOT_READ = {
    **dict.fromkeys(("copy_", "fill_", "normal_", "uniform_", "zero_"), "self"),
    **dict.fromkeys(("new_full", "new_ones", "new_zeros", "full_like", "ones_like", "zeros_like"), "self"),
    "nll_loss_backward": "self",
}
"""Operators that overwrite one of their arguments, or need no more of it than its shape."""
NOT_WRITTEN = {"_fused_adam_": "grads", "_fused_adamw_": "grads", "_fused_sgd_": "grads"}
"""Fused optimizers write the gradients only where they take a loss scale out of them."""
UNDECLARED = {"native_batch_norm": ("running_mean", "running_var")}
"""Arguments that an operator writes in training, although its schema does not say so."""


class _Argument(NamedTuple):
    name: str
    tensors: list[torch.Tensor]
    written: bool


class TrafficCounter(TorchDispatchMode):
    """Within it, `bytes` grows by what each operator reads and writes, and `read` by what it reads, by storage."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0
        self.read: Counter[int] = Counter()

    def __torch_dispatch__(
        self, operator: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call the operator and count it; a fused optimizer, which fake tensors have no rule for, is only counted."""
        options = kwargs or {}
        name = _name(operator)
        result = None if name.startswith("_fused_") else operator(*args, **options)
        arguments = list(_arguments(operator, args, options))
        known = {storage for argument in arguments for tensor in argument.tensors for storage in storages(tensor)}
        made = [tensor for tensor in _tensors(result) if not known.intersection(storages(tensor))]
        if not name.startswith(VIEWS) and (made or any(argument.written for argument in arguments)):
            self.bytes += sum(map(tensor_bytes, made))
            for argument in arguments:
                others = [tensor for other in arguments if other is not argument for tensor in other.tensors]
                sparse = any(tensor.is_sparse for tensor in others)
                selected = max(map(_stored, (*made, *others)), default=0)
                self._count(name, argument, selected if sparse or SELECTED.get(name) == argument.name else None)
        return result

    def _count(self, name: str, argument: _Argument, selected: int | None) -> None:
        """Count one argument of the operator `name`, of which it uses `selected` numbers; None: all."""
        is_read = NOT_READ.get(name) != argument.name
        is_written = argument.written and NOT_WRITTEN.get(name) != argument.name
        for tensor in argument.tensors:
            size = tensor_bytes(tensor) if selected is None else selected * tensor.element_size()
            self.bytes += size * (is_read + is_written)
            if is_read:
                self.read.update(dict.fromkeys(storages(tensor), size))


def tensor_bytes(tensor: torch.Tensor) -> int:
    """Return the bytes of the different numbers of a tensor; of a sparse one, those that it stores."""
    if tensor.is_sparse:
        return tensor_bytes(tensor._indices()) + tensor_bytes(tensor._values())
    shape = zip(tensor.shape, tensor.stride(), strict=True)
    return tensor.element_size() * math.prod(length for length, stride in shape if stride or not length)


def storages(tensor: torch.Tensor) -> set[int]:
    """Return what identifies the memory of a tensor."""
    parts = (tensor._indices(), tensor._values()) if tensor.is_sparse else (tensor,)
    return {part.untyped_storage()._cdata for part in parts}


def _name(operator: Any) -> str:
    return str(operator.overloadpacket.__name__)


def _arguments(operator: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[_Argument]:
    """Yield the arguments that hold tensors, as the operator's schema describes them."""
    for index, argument in enumerate(operator._schema.arguments):
        tensors = _tensors(args[index] if index < len(args) else kwargs.get(argument.name))
        if tensors:
            written = argument.alias_info is not None and argument.alias_info.is_write
            if argument.name in UNDECLARED.get(_name(operator), ()):
                written = bool(args[5])  # training
            yield _Argument(argument.name, tensors, written)


def _stored(tensor: torch.Tensor) -> int:
    return (tensor._values() if tensor.is_sparse else tensor).numel()


def _tensors(value: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, torch.Tensor)]
