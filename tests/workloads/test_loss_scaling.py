"""Training in fp16: a step that overflows is skipped, and leaves nothing in the optimizer for the steps after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from framework_process import FRAMEWORKS, Job, Processes, prepare
from optimizer_steps import DEFINITIONS, closed_form, numbers, walk
from proofs import distance

from joulemark.workloads.registry import workloads
from joulemark.workloads.spec import Optimizer

WORKLOADS = workloads()
# those without a loss (a layer's forward and backward) have no loss scaling
SCALED = [w.id for w in WORKLOADS.values() if "fp16" in w.precisions and w.optimizer and w.decreasing_output]


@contextmanager
def uninitialised_memory_is_nan(framework: str) -> Iterator[None]:
    """Make PyTorch fill what `torch.empty` returns with NaN; TensorFlow has no uninitialised tensors."""
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


def train_after_overflow(framework: str, workload: str, steps: int) -> tuple[bool, list[str]]:
    """Return whether a step at enormous weights was skipped, and what is not finite in `steps` more."""
    with uninitialised_memory_is_nan(framework):
        kit, program, inputs = prepare(Job(framework, workload, "training", precision="fp16"))
        weights = program.weights()
        enormous = {name: (1e30 * array).astype(array.dtype) for name, array in weights.items()}
        program.load_weights(enormous)
        program.step(**inputs)
        after = program.weights()
        skipped = all(np.array_equal(after[name], enormous[name]) for name in program.trainable())
        program.load_weights(weights)
        wrong = []
        for step in range(steps):
            outputs = {name: kit.array(tensor) for name, tensor in program.step(**inputs).items()}
            wrong += [f"step {step}: {name}" for name, array in outputs.items() if not np.isfinite(array).all()]
        wrong += [name for name, array in program.weights().items() if not np.isfinite(array).all()]
    return skipped, wrong


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("workload", SCALED)
def test_training_stays_finite_after_a_first_step_that_overflows(
    processes: Processes, framework: str, workload: str
) -> None:
    skipped, wrong = processes.call(framework, train_after_overflow, framework, workload, 20).result()
    assert skipped
    assert wrong == []
