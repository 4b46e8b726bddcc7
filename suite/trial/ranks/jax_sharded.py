"""JAX's sharding: one process, its batch divided among several devices, its weights a copy on each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from joulemark.suite.trial.frameworks import jax as jax_adapter
from joulemark.suite.trial.frameworks.adapter import Execution, Step, UnsupportedError
from joulemark.suite.trial.work_counts import Counts
from joulemark.workloads.kits import jax as kits
from joulemark.workloads.kits.jax.step import Step as KitStep

AXIS = "ranks"
"""Name of the only axis of the mesh."""


class Kit(kits.Kit):
    """The kit whose inputs are divided among the devices of a mesh, by their first axis."""

    def __init__(self, mesh: Mesh, batch: int, *arguments: Any) -> None:
        """`batch`: batch size of all devices together."""
        super().__init__(*arguments)
        self.mesh, self.batch = mesh, batch

    def tensor(self, array: np.ndarray) -> jax.Array:
        """Return the array on the devices: divided where its first axis holds the batch, else a copy on each."""
        divided = array.ndim > 0 and array.shape[0] % self.batch == 0  # views are twice the batch
        sharding = NamedSharding(self.mesh, PartitionSpec(AXIS) if divided else PartitionSpec())
        return jax.device_put(super().tensor(array), sharding)


class Adapter(jax_adapter.Adapter):
    """Drives JAX on several devices: CPUs that XLA makes of one, or GPUs."""

    def __init__(self, execution: Execution) -> None:
        if execution.device == "cpu":
            jax.config.update("jax_num_cpu_devices", execution.ranks)
        # One pool of threads for all CPU devices of the process, with those of all ranks.
        super().__init__(replace(execution, threads=execution.threads * execution.ranks))
        devices = jax.devices("cuda" if self.cuda else "cpu")
        if len(devices) < execution.ranks:
            raise UnsupportedError(f"JAX sees {len(devices)} devices, and the case has {execution.ranks} ranks")
        self.mesh = Mesh(np.array(devices[: execution.ranks]), (AXIS,))

    def kit(self, seed: int, training: bool, learning_rate_factor: float = 1.0) -> Kit:
        """Return the kit for these devices and precision."""
        device = "cuda" if self.cuda else "cpu"
        own = device, self.execution.precision, seed, training, learning_rate_factor
        return Kit(self.mesh, self.execution.batch_size, *own)

    def compile(self, step: Step) -> Step:
        """Return the step under `jax.jit`, with a copy of the state on each device, before and after.

        On CPUs it returns when it is done. Their devices share a pool of threads, which several steps in flight would
        fill with those of one device: they would wait for ever to meet the other's in a collective (jaxlib 0.10).
        """
        copies = NamedSharding(self.mesh, PartitionSpec())
        if isinstance(step, KitStep):
            step.state, step.fixed = jax.device_put((step.state, step.fixed), copies)
            step.jitted = jax.jit(step._traced, donate_argnums=0, out_shardings=(None, copies))
        run = super().compile(step)

        def one_at_a_time(**inputs: jax.Array) -> Mapping[str, jax.Array]:
            outputs = run(**inputs)
            self.synchronize()
            return outputs

        return run if self.cuda else one_at_a_time

    def count_work(self, step: Step, inputs: Mapping[str, Any]) -> Iterator[Counts]:  # noqa: ARG002  it may be a wrapper
        """Count the work of the one step that was compiled."""
        return super().count_work(self._steps[-1].compiled, inputs)

    def read_back(self) -> dict[str, str]:
        """Return the settings, and the devices of the mesh."""
        return {**super().read_back(), "devices": str(self.mesh.devices.size)}
