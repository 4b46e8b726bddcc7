"""The actor on a node. One method waits for events; others get through meanwhile, since it has two threads."""

from __future__ import annotations

from joulemark.suite.cluster.engine import Assignment, NodeEvent
from joulemark.suite.cluster.on_node import NodeRun
from joulemark.suite.cluster.ray.worker import restore_niceness, users_environment

CONCURRENCY = 2


class Actor:
    """Measures one part of a job on the node that it is on. What it starts is started by the thread that makes it."""

    def __init__(self, assignment: Assignment) -> None:
        restore_niceness()
        self._run = NodeRun(assignment, users_environment())
        self._run.start()

    def events(self, timeout_s: float, seen: int) -> list[NodeEvent]:
        """Return what has happened after the first `seen` events."""
        return self._run.events(timeout_s, seen)

    def stop(self) -> None:
        """Interrupt the run."""
        self._run.stop()

    def discard(self) -> None:
        """Remove what the part has left on the node."""
        self._run.discard()
