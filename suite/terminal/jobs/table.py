"""A job of several nodes as a table and lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from joulemark.suite.results.jobs.texts import (
    RANGE_TITLE,
    STANDING_TITLES,
    component_texts,
    emissions_text,
    energy_text,
    is_estimated,
    source_text,
    standing_texts,
)
from joulemark.suite.results.jobs.total import NOT_MEASURED, JobTotal, NodeTotal
from joulemark.suite.system.text import one_line
from joulemark.suite.terminal.tables import AdaptiveTable, Column


def job_table(total: JobTotal) -> AdaptiveTable:
    """Return the table of a job's nodes, with their sum."""

    def amounts(of: JobTotal | NodeTotal) -> list[str]:
        return [
            energy_text(of.energy, bool(of.missing), separator="\n"),
            *component_texts(of, components),
            emissions_text(of),
        ]

    components = sorted({reading.component for reading in total.energy.readings}.union(total.unread))
    energy = f"Energy\n{RANGE_TITLE}" if is_estimated(total) else "Energy"
    standings = total.standings
    ahead = STANDING_TITLES if standings is not None else ("Ranks",)
    table = AdaptiveTable(
        "Node", "Host", *(Column(name, right=True) for name in (*ahead, energy, *components, "Emissions"))
    )
    for i, node in enumerate(total.nodes):
        record = node.member.node
        name = str(record.rank) if record.rank is not None else node.member.label
        ranks = (_count(record.local_ranks),)
        own: tuple[str, ...] = standing_texts(standings.nodes[i]) if standings is not None else ranks
        table.add(name, one_line(record.host), *own, *amounts(node))
    own = ("",) * len(ahead) if standings is not None else (_count(total.nodes[0].member.node.ranks),)
    table.add("all", "", *own, *amounts(total))
    return table


def _count(number: int | None) -> str:
    return "" if number is None else str(number)


def job_lines(total: JobTotal) -> Iterator[str]:
    """Yield where the energy comes from, what is missing or never measured, and how well the clocks are aligned."""
    yield one_line(f"Energy: {source_text(total)}.")
    if total.missing:
        yield "≥ lacks:"
        yield from (f"  {one_line(entry.what)}: {one_line(entry.reason)}" for entry in total.missing)
    yield "Not measured: " + "; ".join(f"{what} ({reason})" for what, reason in NOT_MEASURED) + "."
    if total.standings is not None:
        yield total.standings.note
        yield from total.notes
        return
    for node in total.nodes:
        ahead_s, error_s = node.offset.offset_s, node.offset.error_s
        if ahead_s is not None and error_s:
            yield f"Clock of {node.member.label}: {ahead_s:+.6f} s, within {error_s:.2g} s, by a shared mark."
    if len(total.nodes) > 1 and all(node.offset.offset_s is None for node in total.nodes):
        yield "Clocks: as the nodes have them (no mark: see Meter.align)."
    yield from total.notes
