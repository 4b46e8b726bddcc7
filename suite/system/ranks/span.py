"""The nodes that the ranks of a run are divided among, from the variables that torchrun sets on each of them."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from joulemark.suite.errors import UsageError

JOB: Final = "TORCHELASTIC_RUN_ID"
NODE: Final = "GROUP_RANK"
NODES: Final = "GROUP_WORLD_SIZE"
ADDRESS: Final = "MASTER_ADDR"
PORT: Final = "MASTER_PORT"
FIRST_PORT: Final = 20_000
PORTS: Final = 10_000
"""Below those that Linux gives to connections (ip_local_port_range, from 32768 on)."""


@dataclass(frozen=True)
class Span:
    """This node among those that a run's ranks are divided among."""

    job: str
    """What all of them call the run."""
    node: int
    """Number of this one, from 0."""
    nodes: int
    address: str
    """Of node 0."""
    port: int
    """The first of those on which node 0 may be asked: each trial has another, since the last one may linger."""

    def variables(self) -> dict[str, str]:
        """Return the variables that tell a node of this."""
        return {
            JOB: self.job,
            NODE: str(self.node),
            NODES: str(self.nodes),
            ADDRESS: self.address,
            PORT: str(self.port),
        }

    def trial_id(self, trial: str) -> str:
        """Return a name for a trial that all nodes agree on, and that a file may have."""
        return hashlib.sha256(f"{self.job} {trial}".encode()).hexdigest()[:16]

    def endpoint(self, trial: str) -> str:
        """Return where the ranks of a trial meet: the same on every node."""
        return f"{self.address}:{self.port + zlib.crc32(trial.encode()) % 500}"

    @property
    def order_seed(self) -> int:
        """A seed for the order of trials, which has to be the same on all nodes."""
        return zlib.crc32(self.job.encode()) % 2**31


def find(environment: Mapping[str, str] = os.environ) -> Span | None:
    """Return which node this is; None where the variables tell of one node alone, or of no job.

    Raises UsageError where they are not whole.
    """
    if environment.get(NODES, "1") in ("", "1"):
        return None
    names = (NODE, NODES, PORT)
    missing = [name for name in (JOB, NODE, ADDRESS, PORT) if not environment.get(name)]
    missing += [name for name in names if name not in missing and not environment[name].isdecimal()]
    if missing:
        raise UsageError(f"{NODES} tells of several nodes: set {' and '.join(missing)} too, as torchrun does.")
    node, nodes, port = (int(environment[name]) for name in names)
    if node >= nodes:
        raise UsageError(f"{NODE} is {node}, and {NODES} {nodes}: nodes are numbered from 0.")
    return Span(environment[JOB], node, nodes, environment[ADDRESS], port)


def first_port(job: str) -> int:
    """Return the first port of a job."""
    return FIRST_PORT + zlib.crc32(job.encode()) % PORTS
