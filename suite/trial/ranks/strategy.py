"""What an adapter of a strategy has beside what every adapter has, and how it is found."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

from joulemark.suite.system.ranks.span import Span
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.trial.frameworks.adapter import Adapter, Execution, Step
from joulemark.suite.trial.frameworks.prepared import Prepared, prepare
from joulemark.suite.trial.ranks.group import Group
from joulemark.suite.trial.request import Request


@dataclass(frozen=True)
class Meeting:
    """Where the ranks of a trial on several nodes meet."""

    node: Span
    trial: str
    """What tells the trial from all others of the job."""


RunRank = Callable[[int], Any]
"""Runs one rank and returns what it has measured, in a process of its own."""


class RankAdapter(Adapter, Protocol):
    """One framework in one rank, which is a process."""

    def join(self, group: Group) -> None:
        """Connect to the other ranks, before anything is built."""

    def alone(self, step: Step) -> Step:
        """Return a step of the program, as it was before `compile`, without communication."""

    def leave(self) -> None:
        """End the connection."""


class StrategyModule(Protocol):
    """The module of a strategy."""

    Adapter: Callable[[Execution], Any]
    """A `RankAdapter`; where one process drives all devices, an `Adapter` of them."""

    @staticmethod
    def launch(count: int, run_rank: RunRank) -> list[Any]:
        """Run `count` ranks in processes of their own and return what each returns; not where one process has all.

        Raises RankFailedError if one of them ends without a result.
        """


class SpanningModule(StrategyModule, Protocol):
    """The module of a strategy whose ranks may be on several nodes."""

    @staticmethod
    def launch(count: int, run_rank: RunRank, meeting: Meeting | None = None) -> list[Any]:
        """Run `count` ranks on this node, which work with those of other nodes if there is a `meeting`."""

    @staticmethod
    def connection(adapter: Any) -> tuple[Callable[[], object], Callable[[float], float]]:
        """Return a barrier of all ranks, and what gives a number of rank 0 to all, once the adapter has joined them."""


def one_process(request: Request) -> bool:
    """Return whether one process drives all devices of a trial: not where ranks train each for itself."""
    return (
        request.strategy is not None and FRAMEWORKS[request.framework].strategies[request.strategy].ranks != "processes"
    )


def prepare_all(request: Request) -> Prepared:
    """Build the case of `request` for all its ranks, which this process drives.

    Shards are of a program over the whole batch; a replica is a program over the batch of a rank.
    """
    assert request.ranks is not None
    assert request.strategy is not None
    ranks, batch_size = request.ranks, request.rank_batch_size * request.ranks
    module = load(request.framework, request.strategy)

    def make(execution: Execution) -> Adapter:
        adapter: Adapter = module.Adapter(replace(execution, ranks=ranks, batch_size=batch_size))
        return adapter

    if FRAMEWORKS[request.framework].strategies[request.strategy].ranks == "replicas":
        return prepare(replace(request, batch_size=request.rank_batch_size), make, range(ranks))
    return prepare(replace(request, batch_size=batch_size), make)


def load(framework: str, strategy: str) -> StrategyModule:
    """Return the module of a strategy. Imports the framework."""
    return cast(StrategyModule, importlib.import_module(FRAMEWORKS[framework].strategies[strategy].adapter))


def load_spanning(framework: str, strategy: str) -> SpanningModule:
    """Return the module of a strategy that spans nodes (`spans_nodes` in the table of frameworks)."""
    return cast(SpanningModule, load(framework, strategy))


def rank_device(device: str, rank: int) -> str:
    """Return the device of a rank: the CPU for all, or a GPU each, from that of the case on."""
    kind, _, first = device.partition(":")
    return device if kind == "cpu" else f"{kind}:{int(first or 0) + rank}"
