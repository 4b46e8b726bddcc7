"""An engine whose nodes are directories on this machine: each runs the real `joulemark run`, with a home of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from command import environment

from joulemark.suite.cluster.engine import Assignment, EngineNode, NodeEvent, Outcome
from joulemark.suite.cluster.identity import Identity
from joulemark.suite.cluster.on_node import NodeRun


def node(number: int, machine: str | None = None, boot_id: str | None = None, **fields: object) -> EngineNode:
    """Return a node with an identity of its own."""
    identity = Identity(machine=machine or f"machine{number}", boot_id=boot_id or f"boot{number}")
    given = {"key": str(number), "host": "node", "address": f"10.0.0.{number + 1}", "identity": identity}
    return EngineNode(**{**given, **fields})  # type: ignore[arg-type]


class LocalNodes:
    """The engine."""

    def __init__(self, root: Path, count: int) -> None:
        self.root = root
        self.offered = [node(number) for number in range(count)]
        self.runs: dict[int, NodeRun] = {}
        self.seen: dict[int, int] = {}
        self.assignments: list[Assignment] = []
        self.lost: set[int] = set()

    def nodes(self) -> list[EngineNode]:
        return self.offered

    def start(self, node: EngineNode, assignment: Assignment) -> None:
        self.assignments.append(assignment)
        self.runs[assignment.number] = NodeRun(assignment, environment(self.root / f"node{node.key}"))
        self.seen[assignment.number] = 0
        self.runs[assignment.number].start()

    def events(self, timeout_s: float) -> Iterator[NodeEvent]:
        time.sleep(0.05)
        for number, run in list(self.runs.items()):
            if number in self.lost:
                run.stop()
                yield NodeEvent(number, outcome=Outcome(None, "its node was lost"))
                continue
            found = run.events(0.01, self.seen[number])
            self.seen[number] += len(found)
            yield from found

    def release(self, number: int) -> None:
        run = self.runs.pop(number)
        if number not in self.lost:
            run.discard()

    def stop(self) -> None:
        for run in self.runs.values():
            run.stop()

    def close(self) -> None:
        self.stop()
