"""Optimizers of both frameworks against their closed forms, on gradients given from outside."""

from __future__ import annotations

import numpy as np
import pytest
from framework_process import FRAMEWORKS, Processes, make_kit
from optimizer_steps import DEFINITIONS, STEPS, closed_form
from proofs import distance

from joulemark.workloads.spec import Optimizer


def walk(framework: str, definition: Optimizer, start: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """The weight after each step. Runs in the framework's process."""
    kit = make_kit(framework, "fp64")
    seen = []
    if framework == "pytorch":
        import torch

        weight = torch.nn.Parameter(torch.from_numpy(start.copy()))
        optimizer = kit.optimizer([weight], definition)
        for gradient in gradients:
            weight.grad = torch.from_numpy(gradient)
            optimizer.step()
            seen.append(weight.detach().numpy().copy())
    else:
        import keras
        import tensorflow as tf

        variable = keras.Variable(start, dtype="float64")
        optimizer = kit.optimizer(definition)
        optimizer.build([variable])
        for gradient in gradients:
            optimizer.apply([tf.constant(gradient)], [variable])
            seen.append(variable.numpy().copy())
    return np.stack(seen)


@pytest.mark.parametrize("definition", DEFINITIONS, ids=str)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_steps_follow_the_closed_form(processes: Processes, framework: str, definition: Optimizer) -> None:
    generator = np.random.default_rng(3)
    start, gradients = generator.standard_normal(16), generator.standard_normal((STEPS, 16))
    actual = processes.call(framework, walk, framework, definition, start, gradients).result()
    expected = closed_form(definition, start, gradients)
    assert distance(actual - start, expected - start) < 1e-6
    # the proof is sharp enough to see a learning rate that is one percent off
    off = start + 1.01 * (expected - start)
    assert distance(actual - start, off - start) > 1e-6
