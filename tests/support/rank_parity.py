"""Trains workloads on several ranks and on one, from the same weights and on the same batch, in a process of its own.

`python -m rank_parity FRAMEWORK STRATEGY RANKS WORKLOAD...` prints, for each workload, how far the updates of all
weights are apart, ||a - b|| / ||b|| over two steps in float64, as JSON; or the error of a rank.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.trial.frameworks.adapter import Adapter, Execution, load
from joulemark.suite.trial.ranks import forks, strategy
from joulemark.suite.trial.ranks.group import Group
from joulemark.workloads.registry import builder, supports, workloads

BATCH, SEED, STEPS = 8, 7, 2
Weights = Mapping[str, np.ndarray]


def batch_of(workload: Any, rank: int, ranks: int) -> Mapping[str, np.ndarray]:
    """Return the part of a batch that a rank has: the next rank's begins where it ends."""
    size = workload.sizes["tiny"].at(BATCH)
    arrays = workload.inputs(size, "training", BATCH, np.random.default_rng(SEED))
    return {name: share_of(array, rank, ranks) for name, array in arrays.items()}


def share_of(array: np.ndarray, rank: int, ranks: int) -> np.ndarray:
    """Return the part of an input that a rank has; its first axis may hold the batch several times, as views do."""
    share, times = BATCH // ranks, len(array) // BATCH
    assert len(array) == times * BATCH
    parts = array.reshape(times, BATCH, *array.shape[1:])[:, rank * share : (rank + 1) * share]
    return parts.reshape(times * share, *array.shape[1:])


def train(adapter: Adapter, framework: str, name: str, rank: int, ranks: int) -> tuple[Weights, Weights] | str:
    """Return the first weights and those after some steps, or why there are none."""
    workload = workloads()[name]
    try:
        kit = adapter.kit(SEED, True)
        program = builder(workload, framework)(workload.sizes["tiny"].at(BATCH // ranks), "training", kit)
        first = program.weights()
        step = adapter.compile(program.step)
        inputs = {key: kit.tensor(array) for key, array in batch_of(workload, rank, ranks).items()}
        for _ in range(STEPS):
            step(**inputs)
        trainable = set(program.trainable())
        return tuple({k: v for k, v in each.items() if k in trainable} for each in (first, program.weights()))
    except Exception as error:
        if type(error).__name__ == "UnsupportedError":
            return f"UnsupportedError: {error}"
        raise


def executions(framework: str, mode: str, ranks: int) -> tuple[Execution, Execution]:
    """Return how one process executes a case in float64, and how one of `ranks` devices does."""
    one = Execution(mode, "cpu", "fp64", 1)
    return one, Execution(mode, "cpu", "fp64", 1, ranks, BATCH)


def distance(pair: Any, reference: Any) -> float | str:
    """Return how far two updates are apart, relative to the second."""
    if isinstance(pair, str) or isinstance(reference, str):
        return pair if isinstance(pair, str) else reference
    moved, expected = (
        np.concatenate([(after[name] - first[name]).ravel() for name in sorted(first)])
        for first, after in (pair, reference)
    )
    return float(np.linalg.norm(moved - expected) / np.linalg.norm(expected))


def compare(framework: str, strategy_name: str, ranks: int, names: list[str]) -> dict[str, Any]:
    """Return the distance of each workload."""
    load(framework)  # before any fork
    chosen = FRAMEWORKS[framework].strategies[strategy_name]
    one, several = executions(framework, chosen.modes[0], ranks)
    module = strategy.load(framework, strategy_name)

    def alone(_rank: int) -> list[Any]:
        adapter = load(framework)(one)
        return [train(adapter, framework, name, 0, 1) for name in names]

    def together(_rank: int) -> list[Any]:
        adapter = module.Adapter(several)
        return [train(adapter, framework, name, 0, 1) for name in names]

    group = Group(ranks)

    def run_rank(rank: int) -> list[Any]:
        group.enter(rank)
        adapter = module.Adapter(one)
        adapter.join(group)
        return [train(adapter, framework, name, rank, ranks) for name in names]

    launch: Callable[[], list[Any]] = (
        (lambda: forks.launch(1, together)) if chosen.one_process else (lambda: module.launch(ranks, run_rank))
    )
    (reference,) = forks.launch(1, alone)
    results = launch()
    found = {name: [distance(rank[i], reference[i]) for rank in results] for i, name in enumerate(names)}
    return {name: each[0] if isinstance(each[0], str) else max(each) for name, each in found.items()}


if __name__ == "__main__":
    framework, strategy_name, ranks, *names = sys.argv[1:]
    names = names or [
        name
        for name, each in workloads().items()
        if "training" in each.phases and each.batched and supports(each, framework)
    ]
    print(json.dumps(compare(framework, strategy_name, int(ranks), names)))
