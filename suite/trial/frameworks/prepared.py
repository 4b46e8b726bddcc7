"""A case that is ready to run: its framework set up, its program built, its inputs on the device."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from joulemark.suite.trial import timing
from joulemark.suite.trial.frameworks import mode_class
from joulemark.suite.trial.frameworks.adapter import Adapter, Execution, Step, UnsupportedError, load
from joulemark.suite.trial.request import Request


@dataclass(frozen=True)
class Prepared:
    """A case that is ready to run."""

    adapter: Adapter
    kit: Any
    step: Step
    """The step as its mode executes it."""
    inputs: dict[str, Any]
    """Inputs of the step, on their device."""
    items_per_step: int
    context_s: float
    """Time to set up the framework and the device: on a GPU, mostly the creation of its context."""


def prepare(request: Request) -> Prepared:
    """Build the case of `request`. The adapter comes first: it sets threads and flags before anything is computed."""
    start = timing.CLOCK()
    adapter = load(request.framework)(Execution(request.mode, request.device, request.precision, request.threads))
    adapter.synchronize()
    return _build(adapter, request, timing.CLOCK() - start)


def at_batch_size(case: Prepared, request: Request, batch_size: int) -> Prepared:
    """Build the case again, in the same process, at another batch size. UnsupportedError if its workload has none."""
    from joulemark.workloads.registry import workloads

    kind = request.device.partition(":")[0]
    compiled = mode_class(request.framework, request.mode) == "compiled"
    refusal = workloads()[request.workload].refusal(kind, request.precision, batch_size, compiled)
    if refusal is not None:
        raise UnsupportedError(refusal)
    return _build(case.adapter, replace(request, batch_size=batch_size), context_s=0.0)


def _build(adapter: Adapter, request: Request, context_s: float) -> Prepared:
    """Build the program of `request` and its inputs."""
    import numpy as np

    from joulemark.workloads.registry import builder, workloads

    workload = workloads()[request.workload]
    size = workload.sizes[request.size].at(request.batch_size)
    phase: Any = request.phase
    kit = adapter.kit(request.seed)
    program = builder(workload, request.framework)(size, phase, kit)
    arrays = workload.inputs(size, phase, request.batch_size, np.random.default_rng(request.seed))
    inputs = {name: kit.tensor(array) for name, array in arrays.items()}
    items_per_step = request.batch_size * workload.items_per_sample(size, phase)
    return Prepared(adapter, kit, adapter.compile(program.step), inputs, items_per_step, context_s)
