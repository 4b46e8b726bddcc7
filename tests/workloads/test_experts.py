"""What golden values do not show: experts that are full drop later rows, and LoRA's step by hand."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from framework_process import FRAMEWORKS, Job, Processes, make_kit, prepare
from proofs import distance, perturb

from joulemark.workloads.llama import spec as llama
from joulemark.workloads.moe import spec as moe
from joulemark.workloads.registry import builder, workloads
from joulemark.workloads.spec import Size

EACH = pytest.mark.parametrize("framework", FRAMEWORKS)
WORKLOADS = workloads()
Arrays = dict[str, np.ndarray]


def crowded() -> Size:
    """Return size `tiny`, of one block, whose experts have room for three quarters of their even share."""
    size = WORKLOADS["moe"].sizes["tiny"]
    return Size({**size.hyper, "capacity": 0.75, "depth": 1}, size.batch_size).at(4)


def mixed(framework: str) -> tuple[Arrays, np.ndarray, Arrays]:
    """Return weights, tokens, and what their prefill returns. Runs in the framework's process."""
    kit = make_kit(framework, "fp64", training=False)
    program = builder(WORKLOADS["moe"], framework)(crowded(), "prefill", kit)
    program.load_weights(perturb({name: 10 * weight for name, weight in program.weights().items()}))
    tokens = np.random.default_rng(3).integers(0, 40, (4, 8))
    outputs = program.step(tokens=kit.tensor(tokens))
    return program.weights(), tokens, {name: kit.array(tensor) for name, tensor in outputs.items()}


def normed(x: np.ndarray, gamma: np.ndarray) -> np.ndarray:
    """Return x over its root mean square, scaled."""
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + llama.EPSILON) * gamma


def silu(x: np.ndarray) -> np.ndarray:
    """Return x times its sigmoid."""
    return x / (1 + np.exp(-x))


def turned(x: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Return heads (B, T, heads, D) as complex pairs, half a head apart, turned by the angles (T, D / 2)."""
    pairs = x.shape[-1] // 2
    z = (x[..., :pairs] + 1j * x[..., pairs:]) * np.exp(1j * angles)[:, None]
    return np.concatenate([z.real, z.imag], -1)


def attended(size: Size, weights: Arrays, x: np.ndarray) -> np.ndarray:
    """Return what attention adds to x (B, T, C): one head after the other."""
    width, length = size.width // size.heads, x.shape[1]
    q, k, v = (
        (x @ weights[f"blocks.0.attention.{name}.kernel"]).reshape(*x.shape[:2], -1, width)
        for name in ("query", "key", "value")
    )
    angles = np.outer(np.arange(length), llama.BASE ** -(np.arange(width // 2) / (width // 2)))
    q, k = turned(q, angles), turned(k, angles)
    heads = []
    for head in range(size.heads):
        other = head // (size.heads // size.kv_heads)
        scores = q[:, :, head] @ k[:, :, other].swapaxes(1, 2) / np.sqrt(width)
        odds = np.exp(np.where(np.tril(np.ones((length, length), bool)), scores, -np.inf))
        heads.append(odds / odds.sum(-1, keepdims=True) @ v[:, :, other])
    return np.concatenate(heads, -1) @ weights["blocks.0.attention.out.kernel"]


def expert_sums(size: Size, weights: Arrays, rows: np.ndarray) -> tuple[np.ndarray, float]:
    """Return what experts add to the rows (N, C), in their order, and the share of choices that found no room."""
    kernels = {name: weights[f"blocks.0.experts.{name}.kernel"] for name in ("router", "gate", "up", "down")}
    sums, taken, dropped = np.zeros_like(rows), np.zeros(size.experts, int), 0
    room = moe.room(size, len(rows))
    for index, row in enumerate(rows):
        scores = row @ kernels["router"]
        chosen = np.argsort(-scores)[: size.chosen]
        odds = np.exp(scores[chosen]) / np.exp(scores[chosen]).sum()
        for weight, expert in zip(odds, chosen, strict=True):
            if taken[expert] == room:
                dropped += 1
                continue
            taken[expert] += 1
            inner = silu(row @ kernels["gate"][expert]) * (row @ kernels["up"][expert])
            sums[index] += weight * inner @ kernels["down"][expert]
    return sums, dropped / (len(rows) * size.chosen)


@EACH
def test_full_experts_drop_later_rows(processes: Processes, framework: str) -> None:
    """The whole model in numpy, one row and one head after the other."""
    weights, tokens, outputs = processes.call(framework, mixed, framework).result()
    weights = {name: weight.astype(np.float64) for name, weight in weights.items()}
    size = crowded()
    x = weights["tokens.embeddings"][tokens]
    x = x + attended(size, weights, normed(x, weights["blocks.0.norm1.gamma"]))
    rows = normed(x, weights["blocks.0.norm2.gamma"]).reshape(-1, size.width)
    sums, dropped = expert_sums(size, weights, rows)
    x = x + sums.reshape(x.shape)
    logits = normed(x[:, -1], weights["norm.gamma"]) @ weights["tokens.embeddings"].T
    assert 0.2 < dropped < 0.8
    assert outputs["dropped"] == pytest.approx(dropped, abs=1e-12)
    assert distance(outputs["logits"], logits) < 1e-12


def test_an_expert_takes_its_share_of_the_rows_and_at_most_all() -> None:
    size = WORKLOADS["moe"].sizes["base"]
    assert [moe.room(size, rows) for rows in (1, 2, 8, 512)] == [1, 1, 4, 256]
    assert moe.room(WORKLOADS["moe"].sizes["tiny"], 16) == 16


def low_rank_step(framework: str) -> dict[str, Any]:
    """Return weights before and after a step of LoRA, and its gradients. Runs in the framework's process."""
    _, program, inputs = prepare(Job(framework, "llama.lora", "training", precision="fp64"))
    before = program.weights()
    _, gradients = program.gradients(**inputs)
    program.step(**inputs)
    return {"before": before, "after": program.weights(), "gradients": gradients, "trainable": program.trainable()}


@EACH
def test_lora_moves_its_thin_layers_alone_as_adamw_says(processes: Processes, framework: str) -> None:
    """Adam's first step is the learning rate in the gradient's direction; the rest of a projection does not move."""
    step = processes.call(framework, low_rank_step, framework).result()
    before, after = (
        {name: weight.astype(np.float64) for name, weight in step[key].items()} for key in ("before", "after")
    )
    thin = {name for name in before if name.rpartition(".")[0].rpartition(".")[2] in ("a", "b")}
    assert len(thin) == 2 * 2 * 7
    assert set(step["trainable"]) == set(step["gradients"]) == thin
    assert all(np.array_equal(before[name], after[name]) for name in before.keys() - thin)
    rate, decay = llama.LORA_OPTIMIZER.learning_rate, llama.LORA_OPTIMIZER.weight_decay
    for name in thin:
        gradient = step["gradients"][name].astype(np.float64)
        expected = before[name] * (1 - rate * decay) - rate * gradient / (abs(gradient) + llama.LORA_OPTIMIZER.epsilon)
        assert distance(after[name] - before[name], expected - before[name]) < 1e-9


def low_rank_layer(framework: str, x: np.ndarray, upstream: np.ndarray) -> tuple[Arrays, Arrays, Arrays]:
    """Return weights, outputs and gradients of one projection. Runs in the framework's process."""
    kit = make_kit(framework, "fp64")
    module = importlib.import_module(f"joulemark.workloads.llama.{framework}")
    size = WORKLOADS["llama.lora"].sizes["tiny"]
    model = kit.prepare(module.Lora(kit, size, 6, 5), lambda _name, _shape: 1.0)
    program = kit.layer(model, model)
    outputs, gradients = program.gradients(x=kit.tensor(x), upstream=kit.tensor(upstream))
    return program.weights(), {name: kit.array(tensor) for name, tensor in outputs.items()}, gradients


@EACH
def test_a_low_rank_projection_and_its_gradients_by_hand(processes: Processes, framework: str) -> None:
    """y = x W + 2 x A B; the gradients of x, A and B of a given one of y, and none of W."""
    generator = np.random.default_rng(5)
    x, upstream = generator.standard_normal((2, 3, 6)), generator.standard_normal((2, 3, 5))
    weights, outputs, gradients = processes.call(framework, low_rank_layer, framework, x, upstream).result()
    frozen, a, b = (weights[f"{name}.kernel"].astype(np.float64) for name in ("frozen", "a", "b"))
    rows, above = x.reshape(-1, 6), upstream.reshape(-1, 5)
    assert distance(outputs["output"], x @ frozen + 2 * x @ a @ b) < 1e-12
    assert distance(outputs["gradient"], upstream @ (frozen + 2 * a @ b).T) < 1e-12
    assert gradients.keys() == {"a.kernel", "b.kernel"}
    assert distance(gradients["a.kernel"], 2 * rows.T @ above @ b.T) < 1e-12
    assert distance(gradients["b.kernel"], 2 * (rows @ a).T @ above) < 1e-12
