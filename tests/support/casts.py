"""Which tensors a step casts to another floating-point precision: their shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Shapes = set[tuple[int, ...]]


def in_pytorch(step: Callable[..., Any], inputs: Mapping[str, Any]) -> Shapes:
    """Return the shapes that an eager step casts."""
    from torch.utils._python_dispatch import TorchDispatchMode

    shapes: Shapes = set()

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, kernel: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = kernel(*args, **(kwargs or {}))
            if kernel.overloadpacket.__name__ == "_to_copy" and args[0].is_floating_point():
                shapes.add(tuple(args[0].shape))
            return result

    with Watch():
        step(**inputs)
    return shapes


def in_tensorflow(step: Callable[..., Any], inputs: Mapping[str, Any]) -> Shapes:
    """Return the shapes that a graph of the step casts, or casts the rows of."""
    import tensorflow as tf

    graph = tf.function(step, autograph=False).get_concrete_function(**inputs).graph
    casts = [operation.inputs[0] for operation in graph.get_operations() if operation.type == "Cast"]
    return {tuple(x.shape) for x in casts if x.dtype.is_floating and x.shape.rank is not None}


def in_jax(step: Any, inputs: Mapping[str, Any]) -> Shapes:
    """Return the shapes that a step casts, or casts the rows of."""
    import jax
    import jax.numpy as jnp

    from joulemark.suite.trial.frameworks.jax_counts import inner_traces

    def of(trace: Any) -> Shapes:
        casts = [each.invars[0].aval for each in trace.eqns if each.primitive.name == "convert_element_type"]
        inner = [of(each) for equation in trace.eqns for each in inner_traces(equation)]
        return {x.shape for x in casts if jnp.issubdtype(x.dtype, jnp.floating)}.union(*inner)

    return of(jax.make_jaxpr(step.compute)(step.state, step.fixed, inputs).jaxpr)
