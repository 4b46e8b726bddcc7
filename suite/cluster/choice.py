"""Which nodes of an engine measure, and which goes on with what. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from joulemark.suite.cluster.engine import EngineNode
from joulemark.suite.cluster.identity import Identity, matches, share_machine
from joulemark.suite.cluster.job_file import JobFile
from joulemark.suite.errors import UsageError
from joulemark.suite.units import counted

MAX_NAMED = 3
"""Nodes that a message names."""


def usable(nodes: Sequence[EngineNode]) -> list[EngineNode]:
    """Return the nodes that can measure, by address: of several on one machine the first, as they would disturb it."""
    found: list[EngineNode] = []
    for node in sorted(nodes, key=lambda each: (each.address, each.key)):
        identity = node.identity
        if identity is not None and not any(share_machine(identity, _identity(other)) for other in found):
            found.append(node)
    return found


def choose(nodes: Sequence[EngineNode], count: int | None) -> list[EngineNode]:
    """Return the nodes of a new job: `count` of them, or all.

    Raises UsageError for more than there are, and, where all are asked for, if one of them cannot measure.
    """
    found = usable(nodes)
    refused = [node for node in nodes if node.identity is None]
    why = "; ".join(f"{node.label}: {node.reason}" for node in refused[:MAX_NAMED])
    why += f"; and {len(refused) - MAX_NAMED} more" if len(refused) > MAX_NAMED else ""
    if count is None and refused:
        enough = f", or give --nodes {len(found)} for the others" if found else ""
        raise UsageError(
            f"{counted(len(refused), 'node')} of {len(nodes)} cannot measure: {why}. Install the same versions "
            f"everywhere{enough}."
        )
    if not found or (count is not None and count > len(found)):
        beside = f" ({why})" if why else ""
        asked = f"--nodes {count}: " if count is not None else ""
        raise UsageError(
            f"{asked}the cluster has {counted(len(found), 'node')} that can measure{beside}. Wait until more have "
            f"joined, or give --nodes {max(1, len(found))}."
        )
    return found[:count]


def assign(job: JobFile, nodes: Sequence[EngineNode]) -> dict[int, EngineNode]:
    """Return the node of each part of an interrupted job that is not measured yet, by number.

    A part goes on where it was begun; one whose node has gone is begun on a node that has no part. Parts without a node
    are left out. Where ranks are divided among the nodes, all begin anew. Raises UsageError where one has no node.
    """
    free = usable(nodes)
    known = [part for part in job.parts if part.identity is not None]
    earlier = [part.identity for part in known if part.identity is not None]
    found = matches(earlier, [_identity(node) for node in free])
    own = {known[i].number: free[j] for i, j in found.items()}
    others = [node for node in free if node not in own.values()]
    chosen: dict[int, EngineNode] = {}
    for part in job.parts:
        if part.status != "ok" or job.spans:
            node = own.get(part.number) or (others.pop(0) if others else None)
            if node is not None:
                chosen[part.number] = node
    if job.spans and len(chosen) < job.count:
        raise UsageError(
            f"the ranks of job {job.id} are divided among {job.count} nodes, and the cluster has "
            f"{counted(len(chosen), 'node')} that can measure. Resume it when more have joined."
        )
    return chosen


def _identity(node: EngineNode) -> Identity:
    assert node.identity is not None
    return node.identity
