"""What an engine does for a run on several nodes, and what it tells of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from joulemark.suite.cluster.identity import Identity


@dataclass(frozen=True)
class EngineNode:
    """A node that an engine offers."""

    key: str
    """What the engine calls it."""
    host: str
    """Host name, for people: several may have the same."""
    address: str
    identity: Identity | None
    """None where the node cannot be used."""
    reason: str = ""
    """Why it cannot be used; empty if it can."""

    @property
    def label(self) -> str:
        """Its host name and address."""
        return f"{self.host} ({self.address})" if self.host else self.address


@dataclass(frozen=True)
class Assignment:
    """What a node is to do. Goes to the node by the engine's own means, never in arguments of a process."""

    job: str
    number: int
    """Of the part, from 0."""
    place: str
    """Name of the directory that the node keeps its run in: the same in each attempt on one node."""
    settings: str
    """The settings file."""
    options: tuple[str, ...]
    """Options of `joulemark run` that are no keys of a settings file."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables that hold secrets, such as tokens, or that are for this run alone."""
    run_id: str | None = None
    """The run that an earlier attempt has begun on this node; None to start a new one."""
    run_data: bytes = field(default=b"", repr=False)
    """Its run file as it came home, compressed; empty if it did not."""
    address: str = ""
    """By which the other nodes reach this one, where its ranks talk to theirs; empty where they do not."""
    fresh: bool = False
    """Whether what an earlier attempt has left on the node is removed: ranks have to do the same on all nodes."""
    dry_run: bool = False
    """Whether the node only says what it would run."""


@dataclass(frozen=True)
class NodeEvent:
    """Something that happened on a node."""

    number: int
    """Of the part."""
    line: str | None = None
    """A line of progress."""
    outcome: Outcome | None = None
    """The end of the part; nothing follows it."""


@dataclass(frozen=True)
class Outcome:
    """How a part ended on its node, or with its node."""

    exit_code: int | None
    """Of `joulemark run`; None where the node or the process was lost."""
    reason: str = ""
    """Its last message, or how it was lost; empty where all went well."""
    run_data: bytes = field(default=b"", repr=False)
    """The run file, or the plan of a dry run, compressed; empty if there is none."""


class Engine(Protocol):
    """An engine that runs processes on other nodes."""

    def nodes(self) -> Sequence[EngineNode]:
        """Return the nodes that there are. UsageError where the engine cannot be reached."""

    def start(self, node: EngineNode, assignment: Assignment) -> None:
        """Have a node do its part as soon as the engine has it free for that alone."""

    def events(self, timeout_s: float) -> Iterator[NodeEvent]:
        """Yield what has happened, after `timeout_s` at most. Raises UsageError where the engine itself is lost."""

    def release(self, number: int) -> None:
        """Let go of a part's node: its outcome is kept here, and the node need not keep its run any more."""

    def stop(self) -> None:
        """End all parts as Ctrl-C does: each still ends with an outcome."""

    def close(self) -> None:
        """Let go of the engine. What still runs on nodes ends."""
