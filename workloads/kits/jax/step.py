"""Steps: pure functions of a state, and what keeps the state between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax

Outputs = Mapping[str, jax.Array]
State = dict[str, Any]
Compute = Callable[[State, State, Mapping[str, jax.Array]], tuple[Outputs, State]]
"""(state, what steps only read, inputs) -> outputs, next state."""


class Step:
    """A step of a program, which replaces its state. Called as it is, JAX executes its operators one by one."""

    def __init__(self, compute: Compute, state: State, fixed: State) -> None:
        self.compute, self.state, self.fixed = compute, state, fixed
        self.latest: Outputs = {}
        """Outputs of the last call."""
        self.traces = 0
        """How often the compiled step was traced."""
        self.jitted = jax.jit(self._traced, donate_argnums=0)

    def _traced(self, state: State, fixed: State, inputs: Mapping[str, jax.Array]) -> tuple[Outputs, State]:
        self.traces += 1
        return self.compute(state, fixed, inputs)

    def __call__(self, **inputs: jax.Array) -> Outputs:
        """Take a step, operator by operator."""
        return self._take(self.compute, inputs)

    def compiled(self, **inputs: jax.Array) -> Outputs:
        """Take a step as one compiled function, which reuses the buffers of the state."""
        return self._take(self.jitted, inputs)

    def _take(self, compute: Compute, inputs: Mapping[str, jax.Array]) -> Outputs:
        self.latest, self.state = compute(self.state, self.fixed, inputs)
        return self.latest

    def values(self) -> dict[str, jax.Array]:
        """Return the present values of the model's variables: those that steps replace, and those that they read."""
        return {**self.fixed.get("variables", {}), **self.state.get("variables", {})}

    def wait(self) -> None:
        """Wait until the last step is done."""
        jax.block_until_ready((self.latest, self.state))


class Follower(Step):
    """A step that takes over the state of another one, and leaves it its own."""

    def __init__(self, compute: Compute, leader: Step) -> None:
        self.leader = leader
        super().__init__(compute, leader.state, leader.fixed)

    @property
    def state(self) -> State:
        """The state of both."""
        return self.leader.state

    @state.setter
    def state(self, state: State) -> None:
        self.leader.state = state

    @property
    def fixed(self) -> State:
        """What both only read."""
        return self.leader.fixed

    @fixed.setter
    def fixed(self, fixed: State) -> None:
        self.leader.fixed = fixed
