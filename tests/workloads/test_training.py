"""Training in half precision and in other modes updates weights as eager fp32 does; planted faults are detected.

A few cases: one of each optimizer, with and without loss scaling, and each mode. `every_mode.py` has them all.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from framework_process import FRAMEWORKS, PROOF_MODE, Processes, Weights, having
from proofs import falls
from training_proofs import COMPARABLE, UNIT, Agreement, agreement, overflows, reference_job, tolerances

from joulemark.workloads.registry import workloads

BOTH = [
    ("cnn", "bf16"),  # SGD with momentum, batch norm
    ("mlp", "fp16"),  # Adam
    ("gpt2", "bf16"),  # AdamW
    ("vit", "fp16"),  # gradients are clipped when they are no longer scaled
    ("word2vec", "fp16"),  # plain SGD, sparse gradients
    ("layernorm", "fp16"),  # no loss, which could be scaled
]
CASES = [
    *(
        (framework, workload, PROOF_MODE[framework], precision)
        for workload, precision in BOTH
        for framework in having(workloads()[workload])
    ),
    ("pytorch", "transfer.features", "compile", "fp32"),
    ("pytorch", "transfer.features", "compile", "fp16"),
    ("tensorflow", "mlp", "graph", "fp16"),
    ("tensorflow", "word2vec", "xla", "fp16"),
    ("tensorflow", "layernorm", "xla", "fp32"),
    ("jax", "mlp", "eager", "fp16"),
]
FAULTS = [
    ("pytorch", "NeverUpdates", "mlp", "eager", "fp16"),
    ("tensorflow", "NeverUpdates", "mlp", "eager", "fp16"),
    ("pytorch", "NeverUpdates", "cnn", "eager", "bf16"),
    ("tensorflow", "NeverUpdates", "cnn", "eager", "bf16"),
    ("pytorch", "DoubleUpdate", "word2vec", "eager", "fp16"),
    ("tensorflow", "DoubleUpdate", "word2vec", "eager", "fp16"),
    ("pytorch", "NoCompiledUpdate", "transfer.features", "compile", "fp32"),
    ("tensorflow", "NoCompiledUpdate", "layernorm", "graph", "fp32"),
    ("tensorflow", "NoCompiledUpdate", "layernorm", "xla", "fp32"),
    ("jax", "NeverUpdates", "mlp", "jit", "fp16"),
    ("jax", "DoubleUpdate", "cnn", "jit", "bf16"),
    ("jax", "NoCompiledUpdate", "layernorm", "jit", "fp32"),
]
MODULE = {"pytorch": "faulty_training", "tensorflow": "faulty_kits", "jax": "faulty_jax"}

allowed = cache(tolerances)


def trained(
    processes: Processes,
    framework: str,
    workload: str,
    mode: str,
    precision: str,
    *,
    fault: str | None = None,
    weights: Weights | None = None,
    overflowing: bool = True,
) -> Agreement:
    """Return how the updates of a case agree with those of eager fp32; the case may run a kit with a planted fault."""
    job = reference_job(framework, workload, weights)
    reference = processes.run(job)
    case = replace(
        job,
        mode=mode,
        precision=precision,
        overflows=overflows(precision, reference) if overflowing else 0,
        kit=fault and f"{MODULE[framework]}:{fault}",
    )
    given = () if weights is None else (weights,)
    limits = (tolerances if given else allowed)(processes, workload, precision, *given)
    return agreement(reference, processes.run(case), limits)


@pytest.mark.parametrize(
    ("framework", "workload", "mode", "precision"), [each for each in CASES if each[0] in FRAMEWORKS]
)
def test_updates_are_those_of_eager_fp32(
    processes: Processes, framework: str, workload: str, mode: str, precision: str
) -> None:
    seen = trained(processes, framework, workload, mode, precision)
    assert seen.differences() == []
    assert len(seen.compared()) > len(seen.tolerances) / 2


@pytest.mark.parametrize(
    ("framework", "fault", "workload", "mode", "precision"), [each for each in FAULTS if each[0] in FRAMEWORKS]
)
def test_planted_faults_are_detected(
    processes: Processes, framework: str, fault: str, workload: str, mode: str, precision: str
) -> None:
    lines = trained(processes, framework, workload, mode, precision, fault=fault).differences()
    assert any(line.startswith("all updates: ") for line in lines), lines


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_gradients_that_underflow_without_a_loss_scale_are_detected(processes: Processes, framework: str) -> None:
    """A classifier of 2^-12 of its size behind a norm of 2^-4 makes gradients of 6e-8, fp16's smallest number."""
    drawn = processes.run(replace(reference_job(framework, "cnn"), steps=0)).before
    shrunk = {"head.kernel": 2.0**-12, "blocks.1.norm.gamma": 2.0**-4}
    weights = {name: (shrunk.get(name, 1.0) * weight).astype(np.float32) for name, weight in drawn.items()}
    sound, faulty = (
        trained(
            processes, framework, "cnn", PROOF_MODE[framework], "fp16", fault=fault, weights=weights, overflowing=False
        )
        for fault in (None, "NoLossScale")
    )
    assert sound.differences() == []
    assert any(line.startswith("update blocks.0.norm.beta") for line in faulty.differences()), faulty
    overflowed = trained(processes, framework, "cnn", PROOF_MODE[framework], "fp16", fault="NoLossScale").differences()
    assert "a step that overflows is not skipped" in overflowed


def products(unit: float, factors: int, count: int) -> np.ndarray:
    """Return products of `factors` ones, each with random roundings. Runs in PyTorch's process."""
    import torch
    from random_rounding import RandomRounding

    product = torch.ones(count)
    with RandomRounding(unit, 0):
        for _ in range(factors):
            product = product * 1.0
    return product.numpy()


def test_random_roundings_add_up_like_their_root(processes: Processes) -> None:
    """Each is uniform between -unit and unit, with a variance of unit^2 / 3; 5 standard errors."""
    unit, factors, count = UNIT["bf16"], 100, 10_000
    logs = np.log(processes.call("pytorch", products, unit, factors, count).result().astype(np.float64))
    expected = unit * math.sqrt(factors / 3)
    assert abs(logs.std() / expected - 1) < 5 / math.sqrt(2 * count)
    assert abs(logs.mean()) < 5 * expected / math.sqrt(count)


def test_a_bias_without_a_gradient_is_not_compared(processes: Processes) -> None:
    """Softmax ignores what is added to all scores of a row, which is all that the key's bias does."""
    limits = tolerances(processes, "attention", "bf16")
    keys = [tolerance for name, tolerance in limits.items() if name.endswith("key.bias")]
    assert keys
    assert min(keys) > COMPARABLE


def test_a_loss_that_fluctuates_below_its_first_value_does_not_descend() -> None:
    """These are simclr's losses at size small where the learning rate is ten times too large, and its own."""
    fluctuating = "4.146 4.125 4.126 4.132 4.134 4.136 4.135 4.138 4.136 4.143 4.135 4.137 4.142 4.138 4.137 4.136"
    falling = "4.147 4.127 4.112 4.099 4.083 4.069 4.065 4.050 4.049 4.035 4.026 4.020 4.006 4.002 3.989 3.982"
    assert falls([float(loss) for loss in falling.split()])
    learnt_by_heart = "3.8 5.9 1.3 4.5 5.2 0.7 3.5 4.1 2.6 2e-5 0 0 0 0 0 0 2e-8 2e-7 1e-6 8e-6"
    assert falls([float(loss) for loss in learnt_by_heart.split()])
    assert not falls([float(loss) for loss in fluctuating.split()])
