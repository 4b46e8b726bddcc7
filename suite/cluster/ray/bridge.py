"""The process that talks to Ray: JSON lines on its standard input and output, of and for `ray_engine`.

Requests: `connect` with an address (answer: the nodes, or an error), `start`, `release`, `stop`. Events follow by
themselves. It ends with its input; Ray then ends the actors, and these their runs.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final, TextIO

from joulemark.suite.cluster.engine import Assignment, NodeEvent, Outcome
from joulemark.suite.cluster.ray.cluster import Cluster
from joulemark.suite.errors import JoulemarkError
from joulemark.suite.trial.processes import READ_BYTES, claim_stdout

POLL_S: Final = 0.2
"""How long it waits for Ray before it looks for requests."""


class Bridge:
    """Answers requests, and passes events on."""

    def __init__(self, output: TextIO) -> None:
        self._output = output
        self._cluster = Cluster()
        self._received = b""

    def run(self) -> None:
        """Serve until the input ends."""
        while self._serve_requests(0.0 if self._cluster.actors else 1.0):
            for event in self._cluster.events(POLL_S):
                self._send(event=encoded(event))

    def _serve_requests(self, timeout_s: float) -> bool:
        """Carry out what has been asked for; return False at the end of the input."""
        while select.select([0], [], [], timeout_s)[0]:
            if not (block := os.read(0, READ_BYTES)):
                return False
            self._received += block
            *lines, self._received = self._received.split(b"\n")
            for line in lines:
                self._carry_out(**json.loads(line))
            timeout_s = 0.0
        return True

    def _carry_out(self, request: str, **given: Any) -> None:
        if request == "connect":
            try:
                self._send(nodes=self._cluster.connect(given["address"]))
            except JoulemarkError as error:
                self._send(error=str(error))
        elif request == "start":
            self._cluster.start(given["node"], assignment(given["assignment"]))
        elif request == "release":
            self._cluster.release(given["number"])
        elif request == "stop":
            self._cluster.stop()

    def _send(self, **message: Any) -> None:
        self._output.write(json.dumps(message) + "\n")
        self._output.flush()


def encoded(record: Assignment | NodeEvent | Outcome) -> dict[str, Any]:
    """Return a record as plain data."""

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: plain(each) for name, each in value.items()}
        return base64.b64encode(value).decode() if isinstance(value, bytes) else value

    fields: dict[str, Any] = plain(asdict(record))
    return fields


def assignment(fields: Mapping[str, Any]) -> Assignment:
    """Return the assignment in plain data."""
    data = base64.b64decode(fields["run_data"])
    return Assignment(**{**fields, "options": tuple(fields["options"]), "run_data": data})


def event(fields: Mapping[str, Any]) -> NodeEvent:
    """Return the event in plain data."""
    outcome = fields["outcome"]
    if outcome is not None:
        outcome = Outcome(**{**outcome, "run_data": base64.b64decode(outcome["run_data"])})
    return NodeEvent(fields["number"], fields["line"], outcome)


def main() -> None:
    """Serve the head."""
    output = claim_stdout()
    with contextlib.suppress(BrokenPipeError):
        Bridge(output).run()
    sys.stderr.flush()
    os._exit(0)  # Ray's own end takes seconds; the cluster notices, and ends the actors


if __name__ == "__main__":
    main()
