"""The energy of a job: the sum over its nodes and their components, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from joulemark.suite.energy.attribution import EnergySum, energy_sum
from joulemark.suite.records import EnergyReading, Quantity
from joulemark.suite.results.jobs.alignment import ClockOffset, clock_offsets
from joulemark.suite.results.jobs.compared import Standings, compare_nodes
from joulemark.suite.results.jobs.counted_once import CountedNode, count_once
from joulemark.suite.results.jobs.members import Member
from joulemark.suite.results.summary import facility_and_emissions

NOT_MEASURED: Final = (
    ("network", "no sensor reads the adapters and links between nodes"),
    ("switches", "no sensor of a node reads them"),
)
"""What takes power in every job and is in no sum of it, with the reason."""


@dataclass(frozen=True)
class Missing:
    """Something of a job that was not measured, or not to its end."""

    what: str
    """`node 2`, `rank 5`, `dram of node 0`."""
    reason: str


@dataclass(frozen=True)
class NodeTotal:
    """One node's part of a job."""

    member: Member
    energy: EnergySum
    emissions: Quantity
    """Grams of CO2-equivalent."""
    missing: tuple[Missing, ...]
    unread: tuple[str, ...]
    """The components of which a part, or all, was not read."""
    offset: ClockOffset
    counted_before_s: float
    """How much of its windows another file of the same machine counts, seconds."""

    @property
    def emissions_g(self) -> float | None:
        """Grams of CO2-equivalent; None where they are not known."""
        return self.emissions.value

    @property
    def components_j(self) -> dict[str, float]:
        """Joules by component: those of a kind are added up."""
        return by_component(self.energy.readings)

    @property
    def boards_j(self) -> dict[str, float | None]:
        """Joules by UUID of each GPU that is charged; None where not measured."""
        energy_j: dict[str, float | None] = dict.fromkeys(self.member.node.boards)
        for reading in self.energy.readings:
            if reading.scope in energy_j:
                energy_j[reading.scope] = (energy_j[reading.scope] or 0.0) + (reading.energy_j or 0.0)
        return energy_j

    @property
    def window_s(self) -> tuple[float, float] | None:
        """Begin of the first window and end of the last, seconds since the start of its run; None without any."""
        windows = [t.window_s for case in self.member.run_file.cases for t in case.trials if t.window_s is not None]
        return (min(begin for begin, _ in windows), max(end for _, end in windows)) if windows else None


@dataclass(frozen=True)
class JobTotal:
    """A job."""

    nodes: tuple[NodeTotal, ...]
    energy: EnergySum
    emissions_g: float | None
    """Grams of CO2-equivalent, each node with the intensity and PUE of its run; None where no node has any."""
    missing: tuple[Missing, ...]
    notes: tuple[str, ...]
    standings: Standings | None = None
    """The nodes beside each other, where each measured the same plan by itself; None for one thing on all of them."""

    @property
    def job(self) -> str:
        """The name of the job, which its run files share."""
        return self.nodes[0].member.node.job

    @property
    def unread(self) -> tuple[str, ...]:
        """The components that a node, or a part of one, lacks; with a whole node, that is all of them."""
        nodes = max((node.member.node.count or 0 for node in self.nodes), default=0)
        everything = {reading.component for reading in self.energy.readings} if len(self.nodes) < nodes else set()
        return tuple(sorted(everything.union(*(node.unread for node in self.nodes))))

    @property
    def lower_bound(self) -> bool:
        """Whether the job has used more than its sum."""
        return bool(self.missing)


def job_total(members: Sequence[Member], lost: Mapping[int, str] | None = None) -> JobTotal:
    """Return the total of the job that `members` are; `lost`: why nodes have no file, by their number, if known."""
    offsets = clock_offsets(members)
    nodes = tuple(_node_total(node, offset) for node, offset in zip(count_once(members), offsets, strict=True))
    grams = [node.emissions.value for node in nodes if node.emissions.value is not None]
    return JobTotal(
        nodes=nodes,
        energy=energy_sum([reading for node in nodes for reading in node.energy.readings]),
        emissions_g=sum(grams) if grams else None,
        missing=(*_missing_nodes(members, lost or {}), *(entry for node in nodes for entry in node.missing)),
        notes=tuple(_notes(nodes)),
        standings=compare_nodes([node.member for node in nodes]) if nodes[0].member.node.apart else None,
    )


def by_component(readings: Sequence[EnergyReading]) -> dict[str, float]:
    """Return joules by component."""
    energy_j: dict[str, float] = {}
    for reading in readings:
        energy_j[reading.component] = energy_j.get(reading.component, 0.0) + (reading.energy_j or 0.0)
    return energy_j


def _node_total(counted: CountedNode, offset: ClockOffset) -> NodeTotal:
    member = counted.member
    energy = energy_sum(counted.readings)
    it_energy = Quantity(
        value=energy.energy_j, unit="J", n=len(energy.readings), kind=energy.kind, reason=energy.reason
    )
    return NodeTotal(
        member=member,
        energy=energy,
        emissions=facility_and_emissions(it_energy, member.run_file.emissions)[1],
        missing=tuple(dict.fromkeys(_missing_of(counted))),
        unread=tuple(sorted({component for (_, component, _), _, _ in counted.unread})),
        offset=offset,
        counted_before_s=counted.counted_before_s,
    )


def _missing_of(counted: CountedNode) -> Iterator[Missing]:
    """Yield what one node lacks: ranks that died, windows that did not end, components that were not read."""
    member = counted.member
    for lost in member.node.lost:
        name = f"rank {lost.rank}" if lost.rank is not None else f"local rank {lost.local_rank} of {member.label}"
        yield Missing(name, f"it {lost.reason}")
    for case in member.run_file.cases:
        yield from (
            Missing(member.label, trial.reason or "a trial failed") for trial in case.trials if trial.status != "ok"
        )
        if not any(trial.window_s is not None for trial in case.trials):
            yield Missing(member.label, case.reason or "nothing was measured")
    for (_, component, _), _, reading in counted.unread:
        yield Missing(f"{component} of {member.label}", reading.reason or "not measured")


def _missing_nodes(members: Sequence[Member], lost: Mapping[int, str]) -> Iterator[Missing]:
    """Yield the nodes of the job that have no file."""
    count = max((member.node.count or 0 for member in members), default=0)
    numbers = {member.node.rank for member in members}
    if None not in numbers:
        yield from (Missing(f"node {n}", lost.get(n, "it has no run file")) for n in range(count) if n not in numbers)
    elif len(members) < count:
        yield Missing(f"{count - len(members)} of {count} nodes", "they have no run files")


def _notes(nodes: Sequence[NodeTotal]) -> Iterator[str]:
    """Yield what else a reader has to know."""
    if any(node.member.node.count is None for node in nodes):
        yield "The launcher does not tell the number of nodes: one without a run file would not be noticed."
    for node in nodes:
        if node.counted_before_s > 0:
            yield (
                f"{node.member.label} is on the same machine as another file: {node.counted_before_s:.3g} s of its "
                "windows are counted there."
            )
    if nodes[0].member.node.apart:
        return  # each took its time, and one may have been resumed days later
    spans = [(node, node.window_s) for node in nodes]
    utc = [(node.member.utc(span[0]), node.member.utc(span[1])) for node, span in spans if span is not None]
    if len(utc) > 1 and max(begin for begin, _ in utc) > min(end for _, end in utc):
        yield "The windows of some nodes have no time in common: are these files of one job?"
