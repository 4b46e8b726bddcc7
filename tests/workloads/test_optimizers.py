"""Optimizers of all frameworks against their closed forms, on gradients given from outside."""

from __future__ import annotations

from dataclasses import replace

import pytest
from framework_process import FRAMEWORKS, Processes
from optimizer_steps import DEFINITIONS, closed_form, numbers, walk
from proofs import distance

from joulemark.workloads.spec import Optimizer


@pytest.mark.parametrize("definition", DEFINITIONS, ids=str)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_steps_follow_the_closed_form(processes: Processes, framework: str, definition: Optimizer) -> None:
    start, gradients = numbers()
    actual = processes.call(framework, walk, framework, "fp64", definition, start, gradients).result()
    expected = closed_form(definition, start, gradients)
    # PyTorch adds 1e-6 to the norm that it clips by, here about 4: 2.5e-7 of the gradients
    assert distance(actual - start, expected - start) < 1e-6
    # the proof is sharp enough to see a learning rate that is one percent off, and what is left out
    others = [replace(definition, learning_rate=1.01 * definition.learning_rate)]
    others += [replace(definition, weight_decay=0.0)] if definition.weight_decay else []
    others += [replace(definition, clip_norm=None)] if definition.clip_norm else []
    for other in others:
        assert distance(actual - start, closed_form(other, start, gradients) - start) > 1e-3, other
