"""Read and set weights of Keras layers by neutral name.

Names come from the attributes that hold the layers; the neutral axes are Keras's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from joulemark.workloads.spec import Arrays

# Weights whose names in Keras are not the neutral ones.
_LEAVES: Mapping[type[keras.Layer], Mapping[str, str]] = {
    keras.layers.DepthwiseConv2D: {"kernel": "depthwise_kernel"},
    keras.layers.RMSNormalization: {"scale": "gamma"},
}


def entries(model: keras.Layer, path: str = "") -> Iterator[tuple[str, keras.Variable]]:
    """Yield (neutral name, variable) of every weight."""
    children = dict(_children(model))
    below = {id(weight) for child in children.values() for weight in child.weights}
    renamed = next((leaves for kind, leaves in _LEAVES.items() if isinstance(model, kind)), {})
    for weight in model.weights:
        if id(weight) not in below:
            yield path + renamed.get(weight.name, weight.name), weight
    for name, child in children.items():
        # An RNN layer's weights are its cell's: a level that PyTorch does not have.
        yield from entries(child, path if isinstance(model, keras.layers.RNN) else f"{path}{name}.")


def _children(layer: keras.Layer) -> Iterator[tuple[str, keras.Layer]]:
    """Yield the layers in attributes, lists and dicts by name, such as `blocks.0`, as PyTorch names them."""
    for attribute, value in vars(layer).items():
        if not attribute.startswith("_"):
            yield from _held(attribute, value)


def _held(name: str, value: Any) -> Iterator[tuple[str, keras.Layer]]:
    if isinstance(value, keras.Layer):
        yield name, value
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _held(f"{name}.{index}", item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _held(f"{name}.{key}", item)


def read(model: keras.Layer) -> dict[str, np.ndarray]:
    """Return copies of all weights by neutral name, in float32 at least."""
    return {
        name: np.array(v.numpy(), np.float32 if v.dtype.endswith("float16") else None) for name, v in entries(model)
    }


def load(model: keras.Layer, arrays: Arrays) -> None:
    """Set all weights. KeyError for missing or unknown names, ValueError for a wrong shape."""
    own = dict(entries(model))
    if own.keys() != arrays.keys():
        raise KeyError(
            f"missing weights {sorted(own.keys() - arrays.keys())}, unknown {sorted(arrays.keys() - own.keys())}"
        )
    for name, variable in own.items():
        if arrays[name].shape != tuple(variable.shape):
            raise ValueError(f"{name} has shape {tuple(variable.shape)}, not {arrays[name].shape}")
        variable.assign(arrays[name])


@contextmanager
def preserved(model: keras.Layer) -> Iterator[None]:
    """Restore the model's running statistics at the end."""
    before = [variable.numpy() for variable in model.non_trainable_variables]
    yield
    for variable, value in zip(model.non_trainable_variables, before, strict=True):
        variable.assign(value)


def read_gradients(
    model: keras.Layer, variables: Sequence[keras.Variable], gradients: Sequence[Any], scale: float = 1.0
) -> dict[str, np.ndarray]:
    """Return gradients by neutral name, divided by a loss scale; weights without a gradient are left out."""
    names = {id(variable): name for name, variable in entries(model)}
    pairs = zip(variables, gradients, strict=True)
    return {names[id(v)]: tf.convert_to_tensor(g).numpy() / scale for v, g in pairs if g is not None}
