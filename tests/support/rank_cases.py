"""What the ranks of a parity proof train: workloads, and small programs of what no workload has by itself.

`contrast` has SimCLR's loss over two views of each sample, without batch norm; `dropout` draws its masks in the step;
`tight_moe` is the mixture of experts with room for half of its rows.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from joulemark.workloads.initial import normal
from joulemark.workloads.registry import builder, workloads
from joulemark.workloads.spec import Program, Sgd

BATCH, SEED, WIDTH = 8, 7, 6
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class RankCase:
    """One program: its inputs for all ranks together, and what builds it for a batch."""

    inputs: Arrays
    build: Callable[[str, Any, int], Program]
    """Takes a framework, its kit and a batch size."""


def case_of(name: str) -> RankCase:
    """Return a small program, or the workload, called `name`."""
    if name in _SMALL:
        views = np.random.default_rng(SEED).standard_normal((2 * BATCH, WIDTH))
        return RankCase({"views": views}, lambda framework, kit, _batch: _dense(framework, kit, _SMALL[name]))
    if name == "tight_moe":
        return _workload("moe", capacity=0.5)
    return _workload(name)


def share_of(array: np.ndarray, rank: int, ranks: int) -> np.ndarray:
    """Return the part of an input that a rank has; its first axis may hold the batch several times, as views do."""
    share, times = BATCH // ranks, len(array) // BATCH
    assert len(array) == times * BATCH
    parts = array.reshape(times, BATCH, *array.shape[1:])[:, rank * share : (rank + 1) * share]
    return parts.reshape(times * share, *array.shape[1:])


def _workload(name: str, **changed: Any) -> RankCase:
    workload = workloads()[name]
    size = workload.sizes["tiny"].at(BATCH, **changed)
    inputs = workload.inputs(size, "training", BATCH, np.random.default_rng(SEED))

    def build(framework: str, kit: Any, batch: int) -> Program:
        return builder(workload, framework)(workload.sizes["tiny"].at(batch, **changed), "training", kit)

    return RankCase(inputs, build)


def _dense(framework: str, kit: Any, loss: Callable[[str, Any, Any], Any]) -> Program:
    layer = kit.prepare(kit.dense(WIDTH, 4), normal(0.5))
    return kit.training(layer, lambda views: {"loss": loss(framework, kit, layer(views))}, Sgd(0.1))


def _contrast(framework: str, kit: Any, z: Any) -> Any:
    return importlib.import_module(f"joulemark.workloads.simclr.{framework}").nt_xent(kit, z)


def _dropout(framework: str, kit: Any, z: Any) -> Any:
    if framework == "pytorch":
        import torch.nn.functional

        kept = torch.nn.functional.dropout(z, 0.5)
    elif framework == "tensorflow":
        import tensorflow as tf

        kept = tf.nn.dropout(z, 0.5)
    else:
        import jax

        kept = z * 2 * jax.random.bernoulli(jax.random.key(SEED), 0.5, z.shape)
    return kit.squared_error(kept, kit.widen(z) * 0 + 1)


_SMALL = {"contrast": _contrast, "dropout": _dropout}
