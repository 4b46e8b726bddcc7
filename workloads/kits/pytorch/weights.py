"""Convert weights of PyTorch modules to and from neutral names and axes.

Names come from the module tree, axes from each module's class; the neutral axes are Keras's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from joulemark.workloads.spec import Arrays

_NORM = {"weight": ("gamma", None), "bias": ("beta", None)}
# (weight of the module) -> (neutral name, order of axes that makes it neutral); Keras has the neutral order.
_LEAVES: dict[type[nn.Module], dict[str, tuple[str, tuple[int, ...] | None]]] = {
    nn.Conv2d: {"weight": ("kernel", (2, 3, 1, 0)), "bias": ("bias", None)},
    nn.ConvTranspose2d: {"weight": ("kernel", (2, 3, 1, 0)), "bias": ("bias", None)},
    nn.Linear: {"weight": ("kernel", (1, 0)), "bias": ("bias", None)},
    nn.LSTM: {  # gates in Keras's order: input, forget, cell, output
        "weight_ih_l0": ("kernel", (1, 0)),
        "weight_hh_l0": ("recurrent_kernel", (1, 0)),
        "bias_ih_l0": ("bias", None),
    },
    nn.Embedding: {"weight": ("embeddings", None)},
    nn.LayerNorm: _NORM,
    nn.RMSNorm: _NORM,
    nn.GroupNorm: _NORM,
    nn.modules.batchnorm._BatchNorm: {
        **_NORM,
        "running_mean": ("moving_mean", None),
        "running_var": ("moving_variance", None),
    },
}
_DEPTHWISE = {"weight": ("depthwise_kernel", (2, 3, 0, 1)), "bias": ("bias", None)}
# Only PyTorch has these: a count of batches, unused with a fixed momentum, and a second bias of an LSTM, zero.
_UNSHARED = ("num_batches_tracked", "bias_hh_l0")


@dataclass(frozen=True)
class Entry:
    """One parameter or buffer of a model."""

    name: str
    """Neutral name: `block1.conv.kernel`."""
    tensor: torch.Tensor
    axes: tuple[int, ...] | None
    """Permutation from the module's axes to the neutral ones; None where they agree."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape on neutral axes."""
        own = tuple(self.tensor.shape)
        return tuple(own[i] for i in self.axes) if self.axes else own

    def neutral(self, tensor: torch.Tensor) -> np.ndarray:
        """Return a tensor of this layout as a numpy array on neutral axes, in float32 at least."""
        tensor = tensor.detach().cpu()
        array = (tensor.float() if tensor.element_size() == 2 else tensor).numpy()
        return np.ascontiguousarray(array.transpose(self.axes) if self.axes else array)

    def assign(self, array: np.ndarray) -> None:
        """Copy a neutral array into the tensor. ValueError for a wrong shape."""
        if array.shape != self.shape:
            raise ValueError(f"{self.name} has shape {self.shape}, not {array.shape}")
        own = array.transpose(np.argsort(self.axes)) if self.axes else array
        with torch.no_grad():
            self.tensor.copy_(torch.from_numpy(np.ascontiguousarray(own)))


def entries(model: nn.Module) -> Iterator[Entry]:
    """Yield the parameters and buffers that all frameworks have."""
    for path, module in model.named_modules():
        leaves = _leaves(module)
        own = {**module._parameters, **module._buffers}
        for attribute, tensor in own.items():
            if tensor is None or attribute in _UNSHARED:
                continue
            leaf, axes = leaves.get(attribute, (attribute, None))
            yield Entry(f"{path}.{leaf}" if path else leaf, tensor, axes)


def _leaves(module: nn.Module) -> dict[str, tuple[str, tuple[int, ...] | None]]:
    if isinstance(module, nn.Conv2d) and module.groups > 1:
        return _DEPTHWISE
    for kind, leaves in _LEAVES.items():
        if isinstance(module, kind):
            return leaves
    return {}


def read(model: nn.Module) -> dict[str, np.ndarray]:
    """Return copies of all weights by neutral name."""
    return {entry.name: entry.neutral(entry.tensor).copy() for entry in entries(model)}


def load(model: nn.Module, arrays: Arrays) -> None:
    """Set all weights. KeyError for missing or unknown names, ValueError for a wrong shape."""
    own = {entry.name: entry for entry in entries(model)}
    if own.keys() != arrays.keys():
        raise KeyError(
            f"missing weights {sorted(own.keys() - arrays.keys())}, unknown {sorted(arrays.keys() - own.keys())}"
        )
    for name, entry in own.items():
        entry.assign(arrays[name])


@contextmanager
def preserved(model: nn.Module) -> Iterator[None]:
    """Restore the model's buffers at the end, and clear gradients."""
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    model.zero_grad(set_to_none=True)
    yield
    model.zero_grad(set_to_none=True)
    for name, buffer in model.named_buffers():
        buffer.copy_(buffers[name])


def read_gradients(model: nn.Module, scale: float = 1.0) -> dict[str, np.ndarray]:
    """Return gradients by neutral name, divided by a loss scale; weights without a gradient are left out."""
    return {e.name: e.neutral(e.tensor.grad.to_dense() / scale) for e in entries(model) if e.tensor.grad is not None}


def train(model: nn.Module) -> None:
    """Set training mode, except for frozen modules: as in Keras, a frozen batch norm uses its running statistics."""
    model.train()
    for module in model.modules():
        own = list(module.parameters(recurse=False))
        if own and not any(parameter.requires_grad for parameter in own):
            module.eval()
