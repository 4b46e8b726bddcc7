"""A mixture of experts with Mixtral's routing (Jiang et al. 2024): Llama whose blocks have eight gated MLPs, of which
each token passes two, weighted by the softmax of their two scores. Phases and inputs are llama's. `base` has as many
parameters at work as llama's: two experts of half its width; `gpu` is Mixtral 8x7B.

Shapes are static, as compilers need them: an expert takes `capacity` times its even share of the rows of a step, and at
most all of them. A row beyond that, in the order of rows, is dropped: the expert adds nothing to it. Each step returns
the share that was dropped, over all blocks. The capacity of 2 is that of Zoph et al. 2022 (section 3.3) outside of
training; `tiny` has room for all, so that it is Mixtral itself. Without a loss for balance, of which the paper tells
nothing."""

from __future__ import annotations

import math

from joulemark.workloads.counting import Dense, of_response
from joulemark.workloads.initial import normal
from joulemark.workloads.llama import spec as llama
from joulemark.workloads.spec import Adam, Count, Phase, Size, Workload

OPTIMIZER = Adam(learning_rate=3e-4, beta_2=0.95, weight_decay=0.1, clip_norm=1.0)
"""Llama's: the paper tells nothing of its own."""
INITIAL = normal(0.02)


def room(size: Size, rows: int) -> int:
    """Return how many of the rows of a step each expert takes."""
    return min(rows, math.ceil(size.capacity * size.chosen * rows / size.experts))


def router(size: Size) -> Dense:
    """Return the layer that scores the experts, for one token."""
    return Dense(size.width, size.experts, bias=False)


def passed(size: Size) -> list[Dense]:
    """Return the projections of a block that one token passes."""
    return [*llama.attention(size), router(size), *size.chosen * llama.mlp(size)]


def parameters(size: Size) -> Count:
    """Count llama's with all experts; `active` are those that one token passes."""
    around = llama.around(size) + size.depth * 2 * size.width
    active = around + size.depth * sum(layer.parameters for layer in passed(size))
    resting = size.depth * (size.experts - size.chosen) * sum(layer.parameters for layer in llama.mlp(size))
    return Count(total=active + resting, trainable=active + resting, active=active)


def flops(size: Size, phase: Phase) -> float:
    """Return the FLOPs of one token in the experts that it passes; places that no row takes do not count."""
    if phase == "response":
        return of_response(size, flops(size, "prefill"), flops(size, "generation"))
    forward = sum(llama.forward_parts(size, phase, passed(size)))
    return (3 if phase == "training" else 1) * forward / llama.items(size, phase)


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one token: its share of what a sample moves, and of the weights of all experts."""
    if phase == "response":
        return of_response(size, *(traffic(size, part, batch, element) for part in ("prefill", "generation")))
    weights = llama.read_bytes(size, phase, batch, element, parameters(size))
    return (llama.data_bytes(size, phase, element) + weights) / llama.items(size, phase)


def mixture(size: Size, capacity: float, **changed: int) -> Size:
    """Return one of llama's sizes with eight experts, of which a token passes two."""
    return Size({**size.hyper, "experts": 8, "chosen": 2, "capacity": capacity, **changed}, size.batch_size)


WORKLOADS = (
    Workload(
        name="moe",
        title="mixture of eight experts, two at work, 1B active",
        family="language",
        item="token",
        paper="Jiang et al. 2024, https://arxiv.org/abs/2401.04088",
        phases=("prefill", "training", "generation", "response"),
        sizes={
            "tiny": mixture(llama.SIZES["tiny"], 4.0),
            "small": mixture(llama.SIZES["small"], 2.0),
            "base": mixture(llama.SIZES["base"], 2.0, inner=4096),
            "gpu": mixture(llama.SIZES["gpu"], 2.0, vocabulary=32_000),
        },
        inputs=llama.inputs,
        flops=flops,
        flops_note=llama.NOTE + "; the places of experts that no row takes do not",
        bytes=traffic,
        parameters=parameters,
        kept_bytes=llama.kept_bytes,
        items_per_sample=llama.items,
        optimizer=OPTIMIZER,
        decreasing_output="loss",
    ),
)
