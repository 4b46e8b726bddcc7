"""The cluster as Ray has it: its nodes, and an actor on each that measures. Imports Ray."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from typing import Any, Final

from joulemark.suite.cluster.engine import Assignment, NodeEvent, Outcome
from joulemark.suite.cluster.ray import probe
from joulemark.suite.cluster.ray.actor import CONCURRENCY, Actor
from joulemark.suite.errors import UsageError
from joulemark.suite.system.text import one_line

CONNECT_S: Final = 5.0
PROBE_S: Final = 120.0
"""How long a node may take to say what it is: Ray starts a process there, which imports Ray."""
EVENTS_S: Final = 20.0
"""How long an actor waits for an event before it answers that there is none."""
AGAIN_S: Final = 1.0
"""After which time an actor that cannot be reached is asked again."""
HEAD_NODE: Final = "node:__internal_head__"


class Cluster:
    """The nodes of a Ray cluster and what runs there."""

    def __init__(self) -> None:
        self._ray: Any = None
        self._nodes: dict[str, dict[str, Any]] = {}
        self.actors: dict[int, Any] = {}
        self._pending: dict[Any, int] = {}
        self._seen: dict[int, int] = {}

    def connect(self, address: str) -> list[dict[str, Any]]:
        """Join the cluster and return what each of its nodes says of itself. Raises UsageError."""
        address = address or os.environ.get("RAY_ADDRESS", "") or "auto"
        _check_address(address)
        try:
            import ray
        except Exception as error:  # noqa: BLE001  a package that it imports may be broken
            raise UsageError(f"Ray cannot be imported: {type(error).__name__}: {one_line(str(error))}.") from None
        try:
            ray.init(address=address, log_to_driver=False, logging_level="ERROR", configure_logging=False)
        except Exception as error:  # noqa: BLE001  Ray raises many kinds
            raise UsageError(_refusal(address, error)) from None
        self._ray = ray
        ray.cloudpickle.register_pickle_by_value(probe)
        alive = [node for node in ray.nodes() if node["Alive"]]
        self._nodes = {node["NodeID"]: node for node in alive}
        described = {self._remote(key, probe.describe, num_cpus=0).remote(): key for key in self._nodes}
        silent = {"reason": f"it has not answered within {PROBE_S:g} s"}
        answers: dict[str, dict[str, Any]] = dict.fromkeys(self._nodes, silent)
        ready, _ = ray.wait(list(described), num_returns=len(described), timeout=PROBE_S)
        for reference in ready:
            answers[described[reference]] = self._answer(reference)
        return [{"key": key, "address": self._nodes[key]["NodeManagerAddress"], **answers[key]} for key in answers]

    def _answer(self, reference: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._ray.get(reference)
            return answer
        except self._ray.exceptions.RayError as error:
            return {"reason": _first_line(error)}

    def _remote(self, node: str, definition: Any, **options: Any) -> Any:
        """Return a function or class that runs on `node` and nowhere else."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        strategy = NodeAffinitySchedulingStrategy(node, soft=False)
        return self._ray.remote(definition).options(scheduling_strategy=strategy, **options)

    def start(self, node: str, assignment: Assignment) -> None:
        """Start an actor that has all of a node: its cores, its GPUs, and the resource that Ray has of each node."""
        resources = self._nodes[node]["Resources"]
        own = {name: 1.0 for name in resources if name.startswith("node:") and name != HEAD_NODE}
        whole = {"num_cpus": resources.get("CPU", 0), "num_gpus": resources.get("GPU", 0), "resources": own}
        remote = self._remote(node, Actor, max_concurrency=CONCURRENCY, max_restarts=0, **whole)
        self.actors[assignment.number] = remote.remote(assignment)
        self._ask(assignment.number)

    def _ask(self, number: int) -> None:
        seen = self._seen.setdefault(number, 0)
        self._pending[self.actors[number].events.remote(EVENTS_S, seen)] = number

    def events(self, timeout_s: float) -> Iterator[NodeEvent]:
        """Yield what has happened on the nodes, after `timeout_s` at most."""
        if not self._pending:
            return
        ready, _ = self._ray.wait(list(self._pending), num_returns=len(self._pending), timeout=timeout_s)
        unreachable = []
        for reference in ready:
            number = self._pending.pop(reference)
            try:
                found: list[NodeEvent] = self._ray.get(reference)
            except self._ray.exceptions.ActorUnavailableError:  # perhaps only slow: Ray says later if its node is lost
                unreachable.append(number)
                continue
            except self._ray.exceptions.RayError as error:
                self.actors.pop(number)
                yield NodeEvent(number, outcome=Outcome(None, _lost(error)))
                continue
            self._seen[number] += len(found)
            yield from found
            if not any(event.outcome is not None for event in found):
                self._ask(number)
        if unreachable:
            time.sleep(AGAIN_S)
        for number in unreachable:
            self._ask(number)

    def release(self, number: int) -> None:
        """Remove the run of a part, which has come home, from its node, and let go of that."""
        actor = self.actors.pop(number, None)
        if actor is not None:
            self._ray.wait([actor.discard.remote()], timeout=CONNECT_S)
            self._ray.kill(actor)

    def stop(self) -> None:
        """Interrupt what runs. An actor that still waits for its node ends at once, which is its event."""
        for number in self._pending.values():
            if self._seen[number]:
                self.actors[number].stop.remote()
            else:
                self._ray.kill(self.actors[number])


def _check_address(address: str) -> None:
    """Raise UsageError where nothing answers at `address`: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        if address != "auto":
            raise UsageError(f"--on ray: an address is HOST:PORT, such as 10.0.0.1:6379, found {address!r:.80}.")
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"no Ray cluster answers at {address}: {reason}. `ray start --head` starts one and prints its address; "
            "`ray status` shows it."
        ) from None


def _refusal(address: str, error: Exception) -> str:
    text = one_line(str(error)).rstrip(".")
    if address == "auto":
        return (
            "no Ray cluster runs on this machine. Give its address, --on ray:HOST:PORT, or start one with "
            f"`ray start --head` ({text[:200]})."
        )
    return f"cannot join the Ray cluster at {address}: {text[:400]}."


def _lost(error: Exception) -> str:
    """Return how a part was lost, in words."""
    text = _first_line(error)
    return f"its node or Ray's process there was lost: {text}" if "died" in text or "dead" in text else text


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return one_line(lines[0])[:300] if lines else type(error).__name__
