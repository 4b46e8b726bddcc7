"""Jobs that the runs of a report are nodes of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from joulemark.suite.records import RunFile
from joulemark.suite.results.jobs.compared import Standing
from joulemark.suite.results.jobs.members import members
from joulemark.suite.results.jobs.texts import (
    STANDING_TITLES,
    component_texts,
    emissions_text,
    energy_text,
    is_estimated,
    source_text,
    standing_texts,
    sum_text,
)
from joulemark.suite.results.jobs.total import NOT_MEASURED, JobTotal, NodeTotal, job_total
from joulemark.suite.units import counted


@dataclass(frozen=True)
class JobView:
    """One job as the page shows it."""

    title: str
    summary: str
    """Ranks, nodes, energy and emissions in a sentence."""
    components: tuple[str, ...]
    source: str
    """Where the energy comes from, in words."""
    estimated: bool
    """Whether any of it comes from a model."""
    apart: bool
    """Whether each node measured the same plan by itself."""
    titles: tuple[str, ...]
    """Of the columns between host and energy."""
    rows: tuple[tuple[str, ...], ...]
    """Of each node: its name, what `titles` says, energy, energy by component, emissions, and host."""
    total: tuple[str, ...]
    """The same of the job."""
    missing: tuple[str, ...]
    """What makes the sum a lower bound."""
    not_measured: tuple[str, ...]
    boards: tuple[tuple[str, str, str], ...]
    """Node, UUID and energy of each GPU that is charged."""
    notes: tuple[str, ...]


def are_one_job(files: Sequence[RunFile]) -> bool:
    """Return whether all `files` are of one job whose nodes did one thing together: they are not compared."""
    if any(file.node is not None and file.node.apart for file in files):
        return False
    return len(files) > 1 and len({file.node.job if file.node is not None else None for file in files} - {None}) == 1


def job_views(files: Sequence[RunFile], lost: Mapping[int, str] | None = None) -> tuple[JobView, ...]:
    """Return the jobs that `files` are of, in their order; `lost`: nodes of the only one without a run, and why."""
    by_job: dict[str, list[RunFile]] = {}
    for file in files:
        if file.node is not None:
            by_job.setdefault(file.node.job, []).append(file)
    known = lost if len(by_job) == 1 else None
    totals = [job_total(members([(file.run.id, file) for file in job]), known) for job in by_job.values()]
    return tuple(_view(number, total, len(totals)) for number, total in enumerate(totals, 1))


def _view(number: int, total: JobTotal, count: int) -> JobView:
    components = tuple(sorted({reading.component for reading in total.energy.readings}.union(total.unread)))
    standings = total.standings
    titles = ("Ranks",) if standings is None else tuple(title.replace("\n", " ") for title in STANDING_TITLES)
    ranks = _count(total.nodes[0].member.node.ranks)
    everything = ("all", *((ranks,) if standings is None else ("",) * len(titles)))
    amounts = energy_text(total.energy, total.lower_bound), *component_texts(total, components), emissions_text(total)
    return JobView(
        title="The job" if count == 1 else f"Job {number}",
        summary=_summary(total),
        components=components,
        source=source_text(total),
        estimated=is_estimated(total),
        apart=standings is not None,
        titles=titles,
        rows=tuple(
            _row(node, components, None if standings is None else standings.nodes[i])
            for i, node in enumerate(total.nodes)
        ),
        total=(*everything, *amounts, ""),
        missing=tuple(f"{entry.what}: {entry.reason}" for entry in total.missing),
        not_measured=tuple(f"{what}: {reason}" for what, reason in NOT_MEASURED),
        boards=tuple(
            (_name(node), uuid, sum_text([reading for reading in node.energy.readings if reading.scope == uuid]))
            for node in total.nodes
            for uuid in node.boards_j
        ),
        notes=(*total.notes, *(() if standings is None else (standings.note,))),
    )


def _summary(total: JobTotal) -> str:
    node, there = total.nodes[0].member.node, len(total.nodes)
    ranks = "" if node.ranks is None else f"{counted(node.ranks, 'rank')} on "
    nodes = counted(node.count or there, "node")
    known = f", of which {there} {'has' if there == 1 else 'have'} a run file" if there < (node.count or there) else ""
    text = f"{ranks}{nodes}{known}: {energy_text(total.energy, total.lower_bound)}"
    return text if total.emissions_g is None else f"{text}, {emissions_text(total)} CO₂e"


def _row(total: NodeTotal, components: Sequence[str], standing: Standing | None) -> tuple[str, ...]:
    node = total.member.node
    own = (_count(node.local_ranks),) if standing is None else standing_texts(standing)
    amounts = energy_text(total.energy, bool(total.missing)), *component_texts(total, components)
    return _name(total), *own, *amounts, emissions_text(total), node.host


def _count(number: int | None) -> str:
    return "" if number is None else str(number)


def _name(total: NodeTotal) -> str:
    rank = total.member.node.rank
    return str(rank) if rank is not None else total.member.label
