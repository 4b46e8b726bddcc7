"""Trains programs on several ranks and on one, from the same weights and on the same batch, in a process of its own.

`python -m rank_parity FRAMEWORK STRATEGY[,STRATEGY] RANKS NAME...` prints, for each strategy and each name of
`rank_cases`, how far the updates of all weights are apart, ||a - b|| / ||b|| over two steps in float64, as JSON; or why
a strategy does not train it. The name `apart` is `transfer.features` by ranks that do not communicate.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from rank_cases import BATCH, SEED, case_of, share_of

from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.trial.frameworks.adapter import Adapter, Execution, UnsupportedError, load
from joulemark.suite.trial.ranks import forks, strategy
from joulemark.suite.trial.ranks.group import Group
from joulemark.workloads.registry import supports, workloads

STEPS = 2
APART = "apart"
Updates = Mapping[str, np.ndarray] | str
"""The update of each weight, or why there is none."""


def train(adapter: Adapter, framework: str, name: str, own: Sequence[int], ranks: int) -> Updates:
    """Return how some steps move the weights of the ranks that are the process's `own`, of all `ranks`."""
    case = case_of("transfer.features" if name == APART else name)
    kit = adapter.kit(SEED, True)
    try:
        program = case.build(framework, kit, BATCH // ranks)
    except UnsupportedError as error:
        return str(error)
    first = program.weights()
    step = program.step
    if name == APART and ranks > 1:
        kit.alone = True  # replicas of one process have no `alone`
        step = adapter.alone(step) if hasattr(adapter, "alone") else step
    step = adapter.compile(step)
    parts = [{key: share_of(array, rank, ranks) for key, array in case.inputs.items()} for rank in own]
    inputs = {
        key: kit.tensor(parts[0][key]) if len(parts) == 1 else kit.distribute([part[key] for part in parts])
        for key in case.inputs
    }
    for _ in range(STEPS):
        step(**inputs)
    last = program.weights()
    return {each: last[each] - first[each] for each in program.trainable()}


def distance(updates: Updates, expected: Updates) -> float | str:
    """Return how far two updates are apart, relative to the second."""
    if isinstance(updates, str) or isinstance(expected, str):
        return updates if isinstance(updates, str) else expected
    if not expected:
        return "it has no weights"
    a, b = (np.concatenate([each[name].ravel() for name in sorted(expected)]) for each in (updates, expected))
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def trained_alone(framework: str, names: Sequence[str]) -> list[Updates]:
    """Return the updates that one process makes of the whole batch."""

    def run(_rank: int) -> list[Updates]:
        adapter = load(framework)(Execution(mode_of(framework), "cpu", "fp64", 1))
        return [train(adapter, framework, name, [0], 1) for name in names]

    (updates,) = forks.launch(1, run)
    return updates


def mode_of(framework: str) -> str:
    """Return the mode that the strategies of a framework run in."""
    return next(iter(FRAMEWORKS[framework].strategies.values())).modes[0]


def trained_together(framework: str, strategy_name: str, ranks: int, names: Sequence[str]) -> list[list[Updates]]:
    """Return the updates that each process of a strategy makes."""
    chosen, module = FRAMEWORKS[framework].strategies[strategy_name], strategy.load(framework, strategy_name)
    one = Execution(chosen.modes[0], "cpu", "fp64", 1)
    group = Group(ranks)

    def run_devices(_rank: int) -> list[Updates]:
        adapter = module.Adapter(Execution(chosen.modes[0], "cpu", "fp64", 1, ranks, BATCH))
        own, count = (range(ranks), ranks) if chosen.ranks == "replicas" else ([0], 1)
        return [train(adapter, framework, name, own, count) for name in names]

    def run_rank(rank: int) -> list[Updates]:
        group.enter(rank)
        adapter = module.Adapter(one)
        adapter.join(group)
        updates = [train(adapter, framework, name, [rank], ranks) for name in names]
        group.barrier()  # or one that has ended would leave the others without its server
        return updates

    launch: Callable[[], list[list[Updates]]] = (
        (lambda: module.launch(ranks, run_rank))
        if chosen.ranks == "processes"
        else (lambda: forks.launch(1, run_devices))
    )
    return launch()


def compare(framework: str, strategies: Sequence[str], ranks: int, names: Sequence[str]) -> dict[str, Any]:
    """Return the distance of each program, by strategy: that of the rank that is farthest off."""
    load(framework)  # before any fork
    expected = trained_alone(framework, names)
    found: dict[str, Any] = {}
    for each in strategies:
        results = trained_together(framework, each, ranks, names)
        distances = [[distance(rank[i], expected[i]) for rank in results] for i in range(len(names))]
        found[each] = {
            name: of_ranks[0] if isinstance(of_ranks[0], str) else max(of_ranks)
            for name, of_ranks in zip(names, distances, strict=True)
        }
    return found


if __name__ == "__main__":
    framework, strategies, ranks, *names = sys.argv[1:]
    names = names or [
        name
        for name, each in workloads().items()
        if "training" in each.phases and each.batched and supports(each, framework)
    ]
    print(json.dumps(compare(framework, strategies.split(","), int(ranks), names)))
