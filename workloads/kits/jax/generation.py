"""Generation in JAX: caches of keys and values, and a state that passes from step to step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax

from joulemark.workloads.kits.jax.step import Follower, Outputs, Step
from joulemark.workloads.kits.jax.step import State as StepState
from joulemark.workloads.kits.jax.weights import Values, Variables
from joulemark.workloads.spec import Program

State = Mapping[str, jax.Array]
Kept = list[tuple[jax.Array, jax.Array]]
"""Keys and values of each cache."""


class Cache:
    """Keys and values of a fixed number of places, (B, heads, S, D) each; zeros until they are written.

    A compiled step writes in place: it takes over the buffers of the step before.
    """

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        self.keys, self.values = (jnp.zeros(shape, dtype) for _ in range(2))

    def fill(self, k: jax.Array, v: jax.Array) -> None:
        """Write k, v (B, heads, T, D) to the first T places."""
        self._write(0, k, v)

    def extend(self, place: jax.Array, k: jax.Array, v: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Write k, v (B, heads, 1, D) to the place (1,) and return those of all places."""
        self._write(place[0], k, v)
        return self.whole()

    def _write(self, place: int | jax.Array, k: jax.Array, v: jax.Array) -> None:
        self.keys, self.values = (
            lax.dynamic_update_slice_in_dim(kept, x, place, axis=2) for kept, x in ((self.keys, k), (self.values, v))
        )

    def whole(self) -> tuple[jax.Array, jax.Array]:
        """Return keys and values of all places."""
        return self.keys, self.values


@contextmanager
def lent(caches: Sequence[Cache], kept: Kept) -> Iterator[None]:
    """Let the caches hold these keys and values, which may be those of a trace, instead of their own."""
    own = [cache.whole() for cache in caches]
    for cache, tensors in zip(caches, kept, strict=True):
        cache.keys, cache.values = tensors
    try:
        yield
    finally:
        for cache, tensors in zip(caches, own, strict=True):
            cache.keys, cache.values = tensors


class Generation:
    """What the kit gives to generation."""

    compute_dtype: Any
    caches: list[Cache]
    program: Callable[..., Program]

    def cache(self, batch: int, heads: int, length: int, width: int) -> Cache:
        """Return a cache of `length` places, with heads of `width`."""
        self.caches.append(Cache((batch, heads, length, width), self.compute_dtype))
        return self.caches[-1]

    def kept(self) -> Kept:
        """Return the keys and values of all caches."""
        return [cache.whole() for cache in self.caches]

    def generation(
        self, model: nnx.Module, begin: Callable[[], State], follow: Callable[..., tuple[Outputs, State]], count: int
    ) -> Program:
        """Return a sampling step, in evaluation mode, that starts where the step before has ended.

        `begin()` returns the first state, once the program is built and whenever its weights are set. `follow(index=,
        **state, **inputs)` returns outputs and the next state; `index` (1,) counts the steps from 0. After `count`
        steps both start anew.
        """
        variables = Variables(model)

        @jax.jit
        def first(values: Values, kept: Kept) -> tuple[State, Kept]:
            with variables.lent(values), lent(self.caches, kept):
                return {**begin(), "index": jnp.zeros(1, int)}, self.kept()

        def compute(state: StepState, fixed: StepState, inputs: State) -> tuple[Outputs, StepState]:
            with variables.lent(fixed["variables"]), lent(self.caches, state["caches"]):
                outputs, following = follow(**state["now"], **inputs)
                kept = self.kept()
            index = state["now"]["index"] + 1
            over = index == count
            now = {
                name: jnp.where(over, state["first"][name], tensor)
                for name, tensor in {**following, "index": index}.items()
            }
            return outputs, {"now": now, "first": state["first"], "caches": kept}

        step = Step(compute, {}, {"variables": variables.values()})

        def restart() -> None:
            beginning, kept = first(step.fixed["variables"], self.kept())
            step.state = {"now": jax.tree.map(jnp.copy, beginning), "first": beginning, "caches": kept}

        restart()
        return self.program(step, variables, changed=restart)

    def response(
        self,
        model: nnx.Module,
        prompt: Mapping[str, jax.Array],
        read: Callable[..., tuple[Outputs, State]],
        follow: Callable[..., tuple[Outputs, State]],
        count: int,
    ) -> Program:
        """Return a prefill, and the generation that goes on from it.

        `read(**prompt)` returns outputs and the first state: of `prompt` once the program is built and whenever its
        weights are set, then of what each prefill is given. `follow` and `count` are as in `generation`.
        """
        variables = Variables(model)
        decoding = self.generation(model, lambda: read(**prompt)[1], follow, count)
        step: Step = decoding.step  # type: ignore[assignment]

        def prefill(state: StepState, fixed: StepState, inputs: State) -> tuple[Outputs, StepState]:
            with variables.lent(fixed["variables"]), lent(self.caches, state["caches"]):
                outputs, first = read(**inputs)
                kept = self.kept()
            # Copies: a step may write into its state, and outputs are kept.
            begin = {name: jnp.copy(tensor) for name, tensor in first.items()} | {"index": jnp.zeros(1, int)}
            return outputs, {"now": begin, "first": jax.tree.map(jnp.copy, begin), "caches": kept}

        def rewind(index: int) -> None:
            step.state["now"]["index"] = jnp.full(1, index, int)

        return replace(decoding, prefill=Follower(prefill, step), rewind=rewind)
