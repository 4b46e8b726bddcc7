"""A trial's steps stay alike: at its learning rate, loss and gradients are those of the initial weights to the end."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from framework_process import FRAMEWORKS, Job, Processes, having, prepare, proof_step

from joulemark.suite.records import Ends
from joulemark.suite.results.validity import TRAINING_DRIFT
from joulemark.suite.trial.frameworks.prepared import LEARNING_RATE_FACTOR, MOST_STEPS
from joulemark.workloads.registry import workloads
from studies.steps_alike import Moment, walk

TRAINED = [(w.id, framework) for w in workloads().values() if w.optimizer for framework in having(w)]
WARMUP = 3
# two players; sparse gradients; no loss; frozen norms; a loss scale
KINDS = [
    (name, precision, framework)
    for name, precision in (
        ("dcgan", "fp32"), ("word2vec", "fp32"), ("attention", "fp32"), ("transfer.frozen", "fp32"), ("mlp", "fp16")
    )
    for framework in having(workloads()[name])
]  # fmt: skip


def largest_change(moments: list[Moment]) -> float:
    """Return the change of loss or gradient norm, whichever is larger."""
    first, last = (moment.norms for moment in moments)
    assert "gradient_norm" in first
    return max(Ends(first=first[name], last=last[name]).change for name in first)


@pytest.mark.parametrize(("workload", "framework"), TRAINED)
def test_the_most_steps_of_a_trial_change_nothing(processes: Processes, workload: str, framework: str) -> None:
    """In 60 steps, each so much larger that together they go as far; none is lost to rounding."""
    factor = LEARNING_RATE_FACTOR * MOST_STEPS / 60
    arguments = framework, workload, "fp32", (WARMUP, 60), factor
    moments = processes.call(framework, walk, *arguments).result()
    assert largest_change(moments) < TRAINING_DRIFT
    assert moments[-1].denormal < 0.01


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(("workload", "precision"), [("resnet50", "fp32"), ("vae", "fp32"), ("mlp", "fp16")])
def test_500_steps_change_nothing(processes: Processes, workload: str, precision: str, framework: str) -> None:
    arguments = framework, workload, precision, (WARMUP, 500)
    moments = processes.call(framework, walk, *arguments).result()
    assert largest_change(moments) < 1e-3
    assert moments[-1].denormal == 0


@pytest.mark.parametrize(("workload", "denormal"), [("resnet50", False), ("vae", True)])
def test_at_the_rate_of_the_spec_they_do(processes: Processes, workload: str, denormal: bool) -> None:
    """On one batch, as it once was; the moments of units that no longer reply to it fade away."""
    steps = 3000 if denormal else 61
    moments = processes.call("pytorch", walk, "pytorch", workload, "fp32", (WARMUP, steps), 1.0, 1).result()
    assert largest_change(moments) > TRAINING_DRIFT
    assert (moments[-1].denormal > 0.01) is denormal


def norms_and_gradients(framework: str, workload: str, precision: str) -> dict[str, Any]:
    """Train a few steps at the spec's rate and start anew. Runs in the framework's process."""
    _, program, inputs = prepare(Job(framework, workload, "training", precision=precision))
    initial = program.weights()
    step = proof_step(framework, program)
    for _ in range(3):
        step(**inputs)
    moved, norms = program.weights(), program.norms(**inputs)
    outputs, gradients = program.gradients(**inputs)
    unmoved = all(np.array_equal(moved[name], array) for name, array in program.weights().items())
    program.initialise()
    return {
        "norms": norms,
        "expected": math.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in gradients.values())),
        "loss": float(outputs["loss"]) if "loss" in outputs else None,
        "unmoved": unmoved,
        "restored": all(np.array_equal(initial[name], array) for name, array in program.weights().items()),
        "at_first": program.norms(**inputs),
    }


@pytest.mark.parametrize(("workload", "precision", "framework"), KINDS)
def test_norms_are_those_of_the_gradients_and_leave_no_trace(
    processes: Processes, workload: str, precision: str, framework: str
) -> None:
    result = processes.call(framework, norms_and_gradients, framework, workload, precision).result()
    assert result["norms"]["gradient_norm"] == pytest.approx(result["expected"], rel=1e-5)
    loss = result["norms"].get("loss")
    assert loss == (None if result["loss"] is None else pytest.approx(result["loss"], rel=1e-6))
    assert result["unmoved"]
    assert result["restored"]
    assert result["norms"]["gradient_norm"] != pytest.approx(result["at_first"]["gradient_norm"], rel=1e-5)
