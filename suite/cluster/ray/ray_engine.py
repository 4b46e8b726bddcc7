"""The head's side of Ray: what a run on several nodes asks of the engine, through the process that talks to Ray."""

from __future__ import annotations

import json
import os
import select
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Final

from joulemark import __version__
from joulemark.suite.cluster.engine import Assignment, EngineNode, NodeEvent
from joulemark.suite.cluster.identity import Identity
from joulemark.suite.cluster.ray.bridge import encoded, event
from joulemark.suite.errors import UsageError
from joulemark.suite.system.text import one_line
from joulemark.suite.trial.processes import READ_BYTES, send_json, start_module, stop
from joulemark.suite.trial.request import protocol

ANSWER_S: Final = 300.0
END_S: Final = 5.0


class RayEngine:
    """A Ray cluster."""

    def __init__(self, address: str) -> None:
        """`address`: HOST:PORT of the cluster; empty for RAY_ADDRESS, or the one on this machine."""
        if find_spec("ray") is None:
            raise UsageError("Ray is not installed here: pip install 'joulemark[ray]', here and on the nodes.")
        self.address = address
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed with the process
        self._process = start_module("joulemark.suite.cluster.ray.bridge", stderr=self._errors.fileno(), secrets=True)
        self._received = b""
        self._lines: deque[bytes] = deque()

    def nodes(self) -> Sequence[EngineNode]:
        """Return the nodes of the cluster, those with the same versions as here usable. Raises UsageError."""
        self._request("connect", address=self.address)
        for message in self._messages(ANSWER_S):
            if "error" in message:
                raise UsageError(message["error"])
            return [_node(fields) for fields in message["nodes"]]
        raise UsageError(f"the Ray cluster {self._place()} has not answered within {ANSWER_S:g} s: see `ray status`.")

    def start(self, node: EngineNode, assignment: Assignment) -> None:
        """Have a node do its part as soon as Ray has it free."""
        self._request("start", node=node.key, assignment=encoded(assignment))

    def events(self, timeout_s: float) -> Iterator[NodeEvent]:
        """Yield what has happened. Raises UsageError where Ray is lost."""
        for message in self._messages(timeout_s):
            yield event(message["event"])

    def release(self, number: int) -> None:
        """Let go of a part's node, which need not keep its run any more."""
        self._request("release", number=number)

    def stop(self) -> None:
        """Interrupt all parts."""
        self._request("stop")

    def close(self) -> None:
        """Let go of the cluster; what still runs there ends."""
        stop(self._process, END_S)
        self._errors.close()

    def _request(self, name: str, **given: Any) -> None:
        send_json(self._process, {"request": name, **given})

    def _messages(self, timeout_s: float) -> Iterator[dict[str, Any]]:
        """Yield the messages that are there, or the first ones within `timeout_s`."""
        assert self._process.stdout is not None
        while self._lines:  # Ctrl-C may have come before all were taken
            yield json.loads(self._lines.popleft())
        descriptor = self._process.stdout.fileno()
        while b"\n" not in self._received:
            if not select.select([descriptor], [], [], timeout_s)[0]:
                return
            if not (block := os.read(descriptor, READ_BYTES)):
                raise UsageError(self._loss())
            self._received += block
        *lines, self._received = self._received.split(b"\n")
        self._lines.extend(lines)
        while self._lines:
            yield json.loads(self._lines.popleft())

    def _place(self) -> str:
        return f"at {self.address}" if self.address else "of this machine"

    def _loss(self) -> str:
        """Return why Ray has ended its process: it writes its reason first, then a stack."""
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").splitlines()
        reason = next((line.partition("] ")[2] or line for line in lines if line.strip()), "it gave no reason")
        return (
            f"Ray has ended at the cluster {self._place()}: {one_line(reason)[:300]}. Run this on a node of the "
            "cluster that `ray status` shows."
        )


def _node(fields: Mapping[str, Any]) -> EngineNode:
    identity = fields.get("identity")
    reason = fields.get("reason", "")
    if not reason and (fields["version"], fields["protocol"]) != (__version__, protocol()):
        reason = (
            f"it has joulemark {fields['version']} (protocol {fields['protocol']}), and here is {__version__} "
            f"(protocol {protocol()})"
        )
    return EngineNode(
        key=fields["key"],
        host=fields.get("host", ""),
        address=fields["address"],
        identity=None if identity is None or reason else Identity.model_validate(identity),
        reason=reason,
    )
