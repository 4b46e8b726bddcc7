"""Training in fp16: a step that overflows is skipped, and leaves nothing in the optimizer for the steps after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from framework_process import FRAMEWORKS, Job, Processes, Result, having, perform
from optimizer_steps import DEFINITIONS, closed_form, numbers, walk
from proofs import check_descent, check_outputs, distance

from joulemark.workloads.registry import workloads
from joulemark.workloads.spec import Optimizer

WORKLOADS = workloads()
# those without a loss (a layer's forward and backward) have no loss scaling
SCALED = [
    (w.id, framework)
    for w in WORKLOADS.values()
    if "fp16" in w.precisions and w.optimizer and w.decreasing_output
    for framework in having(w)
]


@contextmanager
def uninitialised_memory_is_nan(framework: str) -> Iterator[None]:
    """Make PyTorch fill what `torch.empty` returns with NaN; the others have no uninitialised tensors."""
    if framework != "pytorch":
        yield
        return
    import torch

    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


def scaled_walk(framework: str, definition: Optimizer, start: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Return the weights after each step of the kit's fp16 training."""
    with uninitialised_memory_is_nan(framework):
        return walk(framework, "fp16", definition, start, gradients)


@pytest.mark.parametrize("definition", DEFINITIONS, ids=str)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_skipped_step_changes_nothing_after_it(processes: Processes, framework: str, definition: Optimizer) -> None:
    """The first step and the one in the middle overflow; the others follow the closed form without them."""
    start, gradients = numbers()
    overflow = np.full((1, 16), np.inf)
    fed = np.concatenate([overflow, gradients[:2], overflow, gradients[2:]])
    actual = processes.call(framework, scaled_walk, framework, definition, start, fed).result()
    expected = closed_form(definition, start, gradients)
    assert np.array_equal(actual[0], start.astype(np.float32))
    assert np.array_equal(actual[3], actual[2])
    assert distance(np.delete(actual, (0, 3), axis=0) - start, expected - start) < 1e-5


def perform_on_nan(job: Job) -> Result:
    """Run a job where uninitialised memory is NaN. Called in the framework's process."""
    with uninitialised_memory_is_nan(job.framework):
        return perform(job)


@pytest.mark.parametrize(("workload", "framework"), SCALED)
def test_training_descends_after_a_first_step_that_overflows(
    processes: Processes, workload: str, framework: str
) -> None:
    job = Job(framework, workload, "training", mode="eager", precision="fp16", steps=20, overflows=1)
    result = processes.call(framework, perform_on_nan, job).result()
    assert result.skipped
    check_outputs(result)
    check_descent(result)
    assert [name for name, array in result.after.items() if not np.isfinite(array).all()] == []
