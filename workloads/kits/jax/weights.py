"""Read, set and lend the weights of Flax NNX modules by neutral name.

Names come from the attributes that hold the modules; the neutral axes are Keras's, which are Flax's too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from joulemark.workloads.spec import Arrays

Values = dict[str, jax.Array]
"""Values of variables by neutral name."""
_NORM = {"scale": "gamma", "bias": "beta"}
_LEAVES: dict[type[nnx.Module], dict[str, str]] = {
    nnx.Embed: {"embedding": "embeddings"},
    nnx.LayerNorm: _NORM,
    nnx.GroupNorm: _NORM,
    nnx.RMSNorm: _NORM,
}


class Frozen(nnx.Variable):
    """A weight that training leaves as it is."""


@dataclass(frozen=True)
class Slot:
    """The attribute of a module that holds a variable."""

    name: str
    """Neutral name: `block1.conv.kernel`."""
    module: nnx.Module
    attribute: str

    @property
    def variable(self) -> nnx.Variable:
        """The variable that is there now."""
        variable: nnx.Variable = vars(self.module)[self.attribute]
        return variable

    def put(self, variable: nnx.Variable) -> None:
        """Put another variable there. Not by assignment: NNX would ask in which trace the module was made."""
        vars(self.module)[self.attribute] = variable


def slots(model: nnx.Module, path: str = "") -> Iterator[Slot]:
    """Yield the places of all variables."""
    leaves = next((leaves for kind, leaves in _LEAVES.items() if isinstance(model, kind)), {})
    for attribute, value in list(vars(model).items()):
        if isinstance(value, nnx.Variable):
            yield Slot(path + leaves.get(attribute, attribute), model, attribute)
        else:
            for name, child in _held(attribute, value):
                yield from slots(child, f"{path}{name}.")


def _held(name: str, value: object) -> Iterator[tuple[str, nnx.Module]]:
    """Yield the modules in an attribute, in lists and dicts too, such as `blocks.0`, as PyTorch names them."""
    if isinstance(value, (nnx.List, list, tuple)):
        for index, item in enumerate(value):
            yield from _held(f"{name}.{index}", item)
    elif isinstance(value, (nnx.Dict, Mapping)):
        for key, item in value.items():
            yield from _held(f"{name}.{key}", item)
    elif isinstance(value, nnx.Module):
        yield name, value


def modules(model: nnx.Module) -> Iterator[nnx.Module]:
    """Yield each module that holds a variable."""
    yield from {id(slot.module): slot.module for slot in slots(model)}.values()


class Variables:
    """The variables of a model. A step takes their values and returns those that it changes."""

    def __init__(self, model: nnx.Module) -> None:
        self.slots: Sequence[Slot] = tuple(slots(model))

    def names(self, kind: type[nnx.Variable]) -> list[str]:
        """Return the names of the variables of one kind, such as `nnx.Param`: the trainable weights."""
        return [slot.name for slot in self.slots if isinstance(slot.variable, kind)]

    def values(self) -> Values:
        """Return the values that are there now."""
        return {slot.name: slot.variable[...] for slot in self.slots}

    @contextmanager
    def lent(self, values: Mapping[str, jax.Array]) -> Iterator[None]:
        """Let the model compute with these values, which may be those of a trace, instead of its own."""
        own = [slot.variable for slot in self.slots]
        for slot, variable in zip(self.slots, own, strict=True):
            slot.put(type(variable)(values[slot.name]))
        try:
            yield
        finally:
            for slot, variable in zip(self.slots, own, strict=True):
                slot.put(variable)


def neutral(array: jax.Array) -> np.ndarray:
    """Return a copy of an array for numpy, in float32 at least."""
    return np.array(array, np.float32 if array.dtype.itemsize == 2 else None)


def fitted(arrays: Arrays, values: Mapping[str, jax.Array]) -> Values:
    """Return the arrays as new values, in the type and on the device of the old ones.

    Raises:
        KeyError: Names are missing or unknown.
        ValueError: An array has a wrong shape.
    """
    if values.keys() != arrays.keys():
        raise KeyError(
            f"missing weights {sorted(values.keys() - arrays.keys())}, unknown {sorted(arrays.keys() - values.keys())}"
        )
    for name, value in values.items():
        if arrays[name].shape != value.shape:
            raise ValueError(f"{name} has shape {value.shape}, not {arrays[name].shape}")
    return {name: jnp.array(arrays[name], value.dtype) for name, value in values.items()}


def part(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the values of some names."""
    return {name: values[name] for name in names}
