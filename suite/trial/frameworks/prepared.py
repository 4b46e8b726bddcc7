"""A case that is ready to run: its framework set up, its program built, its inputs on the device."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from joulemark.suite.trial import timing
from joulemark.suite.trial.frameworks import mode_class
from joulemark.suite.trial.frameworks.adapter import Adapter, Execution, Step, UnsupportedError, load
from joulemark.suite.trial.frameworks.response import WholeResponse
from joulemark.suite.trial.request import Request

if TYPE_CHECKING:
    from joulemark.workloads.spec import Arrays, Program, Size, Workload

FEWEST_BATCHES: Final = 4
MOST_BATCHES: Final = 16
RING_BYTES: Final = 1 << 30
"""Batches beyond the fewest are made only as far as all of them fit this, in float32."""
MOST_STEPS: Final = 10_000_000
"""A trial has fewer: a window of a minute and a half has as many of 10 us, less than any training step takes."""
LEARNING_RATE_FACTOR: Final = 1e-9
"""What learning rates are multiplied by in a trial, so that its last step computes with the weights of its first.

Adam moves a weight by about its learning rate a step, at most 0.002 in the workloads: over MOST_STEPS by 2e-5, 0.1 % of
the smallest standard deviation of initial weights, 0.02. SGD moves it by gradient x learning rate / (1 - momentum). A
test takes all workloads as far as MOST_STEPS would, and neither loss nor gradient norm changes by 10 %. In float32 the
weights stay closer still, since most steps are below half a unit in the last place. The factor is not 0, or a compiler
could leave the update out.
"""


@dataclass(frozen=True)
class Prepared:
    """A case that is ready to run."""

    adapter: Adapter
    kit: Any
    program: Program
    step: Step
    """The step as its mode executes it."""
    ring: tuple[Mapping[str, Any], ...]
    """The batches that the steps take in turn: inputs of a step each, on their device."""
    ring_bytes: int
    """Their size on the device."""
    items_per_step: int
    context_s: float
    """Time to set up the framework and the device: on a GPU, mostly the creation of its context."""

    def stepper(self, step: Step | None = None) -> Callable[[], Mapping[str, Any]]:
        """Return a function that runs the case's step, or `step`, on the next batch of the ring, from the first on."""
        batches = itertools.cycle(self.ring)
        step = step or self.step
        return lambda: step(**next(batches))


def prepare(
    request: Request, make: Callable[[Execution], Adapter] | None = None, ranks: Sequence[int] = (0,)
) -> Prepared:
    """Build the case of `request`, or what some of its `ranks` have of it, a batch each.

    The adapter comes first: it sets threads and flags before anything is computed. `make` makes it, where it is not the
    framework's own.
    """
    start = timing.CLOCK()
    make = make or load(request.framework)
    adapter = make(Execution(request.mode, request.device, request.precision, request.threads))
    adapter.synchronize()
    return _build(adapter, request, timing.CLOCK() - start, ranks)


def at_batch_size(case: Prepared, request: Request, batch_size: int) -> Prepared:
    """Build the case again, in the same process, at another batch size. UnsupportedError if its workload has none."""
    from joulemark.workloads.registry import workloads

    kind = request.device.partition(":")[0]
    compiled = mode_class(request.framework, request.mode) == "compiled"
    refusal = workloads()[request.workload].refusal(kind, request.precision, batch_size, compiled)
    if refusal is not None:
        raise UnsupportedError(refusal)
    return _build(case.adapter, replace(request, batch_size=batch_size), context_s=0.0)


def batches(workload: Workload, size: Size, phase: Any, batch: int, seed: int, rank: int = 0) -> Iterator[Arrays]:
    """Yield the batches of the ring, each drawn from a seed of its own: the same in every framework and precision.

    A workload without inputs has one. Each rank has batches of its own.
    """
    import numpy as np

    def draw(index: int) -> Arrays:
        return workload.inputs(size, phase, batch, np.random.default_rng([seed, index, *([rank] if rank else [])]))

    first = draw(0)
    size_bytes = sum(array.nbytes for array in first.values())
    count = min(MOST_BATCHES, max(FEWEST_BATCHES, RING_BYTES // size_bytes)) if size_bytes else 1
    yield first
    del first  # or it would lie in memory beside the others
    yield from map(draw, range(1, count))


def _build(adapter: Adapter, request: Request, context_s: float, ranks: Sequence[int] = (0,)) -> Prepared:
    """Build the program of `request` and its inputs."""
    from joulemark.workloads.registry import builder, workloads
    from joulemark.workloads.spec import ELEMENT_BYTES

    workload = workloads()[request.workload]
    given = {"length": request.prompt, "new_tokens": request.new_tokens}
    changed = {name: tokens for name, tokens in given.items() if tokens is not None}
    size = workload.sizes[request.size].at(request.batch_size, **changed)
    phase: Any = request.phase
    kit = adapter.kit(request.seed, request.phase == "training", LEARNING_RATE_FACTOR)
    program = builder(workload, request.framework)(size, phase, kit)
    ring, ring_bytes = [], 0
    drawn = zip(
        *(batches(workload, size, phase, request.batch_size, request.seed, rank) for rank in ranks), strict=True
    )
    for of_ranks in itertools.islice(drawn, 1 if request.one_batch else None):
        first = of_ranks[0]
        if len(of_ranks) == 1:
            ring.append({name: kit.tensor(array) for name, array in first.items()})
        else:
            ring.append({name: kit.distribute([arrays[name] for arrays in of_ranks]) for name in first})
        element = ELEMENT_BYTES[request.precision]  # of floating-point inputs, as `Kit.tensor` makes them
        of_rank = sum(a.size * (element if a.dtype.kind == "f" else a.itemsize) for a in first.values())
        ring_bytes += len(of_ranks) * of_rank
    items_per_step = len(ranks) * request.batch_size * workload.items_per_sample(size, phase)
    step: Step
    if program.prefill is None:
        step = adapter.compile(program.step)
    else:
        prefill, decode = adapter.compile(program.prefill), adapter.compile(program.step)
        step = WholeResponse(prefill, decode, kit.array, size.length, size.new_tokens)
    return Prepared(adapter, kit, program, step, tuple(ring), ring_bytes, items_per_step, context_s)
