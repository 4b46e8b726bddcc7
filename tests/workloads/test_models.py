"""What golden values do not show: attention alone, adversaries one by one, schedules, and losses in half precision."""

from __future__ import annotations

import contextlib
import importlib

import numpy as np
import pytest
from framework_process import FRAMEWORKS, Job, Processes, make_kit, prepare, proof_step
from proofs import distance

from joulemark.workloads.ddpm import spec as ddpm

EACH = pytest.mark.parametrize("framework", FRAMEWORKS)


def attend(framework: str, q: np.ndarray, k: np.ndarray, v: np.ndarray, causal: bool) -> np.ndarray:
    """The kit's attention. Runs in the framework's process."""
    kit = make_kit(framework, "fp64")
    return kit.array(kit.attention(kit.tensor(q), kit.tensor(k), kit.tensor(v), causal=causal))


@EACH
@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_that_of_the_paper(processes: Processes, framework: str, causal: bool) -> None:
    q, k, v = np.random.default_rng(0).standard_normal((3, 2, 3, 5, 4))  # (B, heads, T, D)
    scores = np.einsum("bhtd,bhsd->bhts", q, k) / np.sqrt(4)
    if causal:
        scores = np.where(np.tril(np.ones((5, 5), bool)), scores, -np.inf)
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    expected = np.einsum("bhts,bhsd->bhtd", weights, v)
    actual = processes.call(framework, attend, framework, q, k, v, causal).result()
    assert distance(actual, expected) < 1e-12


def test_ddpm_schedule_by_hand() -> None:
    schedule = ddpm.schedule()
    assert schedule.beta[0] == 1e-4
    assert schedule.beta[-1] == 0.02
    assert schedule.kept[1] == pytest.approx((1 - 1e-4) * (1 - (1e-4 + (0.02 - 1e-4) / 999)))


def adversaries(framework: str, learning: str) -> list[float]:
    """The loss of the part that learns, step by step, the other part put back after each. Runs in the process."""
    kit, program, inputs = prepare(Job(framework, "dcgan", "training"))
    start, losses, step = program.weights(), [], proof_step(framework, program)
    for _ in range(15):
        outputs = step(**inputs)
        losses.append(float(kit.array(outputs[f"{learning}_loss"])))
        kept = program.weights()
        program.load_weights({name: (kept if name.startswith(learning) else start)[name] for name in start})
    return losses


@EACH
@pytest.mark.parametrize("learning", ["discriminator", "generator"])
def test_each_adversary_learns_against_the_other_frozen(processes: Processes, framework: str, learning: str) -> None:
    losses = processes.call(framework, adversaries, framework, learning).result()
    assert losses[-1] < losses[0]


def contrast(framework: str, z: np.ndarray, precision: str) -> float:
    """The framework's NT-Xent, as a step of that precision computes it. Runs in its process."""
    kit = make_kit(framework, precision)
    module = importlib.import_module(f"joulemark.workloads.simclr.{framework}")
    with kit.autocast() if framework == "pytorch" else contextlib.nullcontext():
        return float(kit.array(module.nt_xent(kit, kit.tensor(z))))


@EACH
def test_a_loss_is_of_float32_in_half_precision_too(processes: Processes, framework: str) -> None:
    z = np.random.default_rng(2).integers(-99, 99, (16, 32)).astype(np.float32)  # which bf16 holds exactly
    half, single = (processes.call(framework, contrast, framework, z, p).result() for p in ("bf16", "fp32"))
    assert half == pytest.approx(single, rel=1e-6)
