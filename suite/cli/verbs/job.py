"""`joulemark job`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from joulemark.suite.cli import options
from joulemark.suite.errors import UsageError
from joulemark.suite.system.directories import find_runs
from joulemark.suite.system.text import one_line
from joulemark.suite.terminal.console import print_result
from joulemark.suite.terminal.tables import AdaptiveTable, Column

if TYPE_CHECKING:
    from joulemark.suite.results.jobs.total import JobTotal, NodeTotal


def command(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="DIR|RUN...",
            help="Runs of the job's nodes as `show` takes one, or their directory.",
            autocompletion=options.a_run,
        ),
    ],
    out: options.Out = None,
    as_json: options.Json = False,
) -> None:
    """Add up one job of several nodes or ranks from the run files of its nodes.

    Every joule is counted once. The sum is a lower bound where a node has no file, a rank died or a component was not
    read. The network and its switches are never measured.
    """
    from joulemark.suite.cli.named_runs import named_runs
    from joulemark.suite.results.jobs.document import job_document
    from joulemark.suite.results.jobs.members import members
    from joulemark.suite.results.jobs.total import job_total

    found = named_runs(runs, find_runs(out), is_wanted=lambda run_file: run_file.node is not None)
    if not found:
        raise UsageError(
            f"no run file of a job in {', '.join(runs)}. `Meter.save`, the callbacks' `save` and `joulemark measure` "
            "write one a node in ranks of torchrun, accelerate, srun or mpirun."
        )
    total = job_total(members([(str(path), run_file) for path, run_file in found]))
    print_result(job_document(total), as_json, lambda: [_table(total), "\n".join(_lines(total))])


def _table(total: JobTotal) -> AdaptiveTable:
    from joulemark.suite.results.jobs.texts import (
        RANGE_TITLE,
        component_texts,
        emissions_text,
        energy_text,
        is_estimated,
    )

    def amounts(of: JobTotal | NodeTotal) -> list[str]:
        return [
            energy_text(of.energy, bool(of.missing), separator="\n"),
            *component_texts(of, components),
            emissions_text(of),
        ]

    components = sorted({reading.component for reading in total.energy.readings}.union(total.unread))
    energy = f"Energy\n{RANGE_TITLE}" if is_estimated(total) else "Energy"
    titles = [Column(name, right=True) for name in ("Ranks", energy, *components, "Emissions")]
    table = AdaptiveTable("Node", "Host", *titles)
    for node in total.nodes:
        record = node.member.node
        name = str(record.rank) if record.rank is not None else node.member.label
        ranks = _count(record.local_ranks)
        table.add(name, one_line(record.host), ranks, *amounts(node))
    ranks = _count(total.nodes[0].member.node.ranks)
    table.add("all", "", ranks, *amounts(total))
    return table


def _count(number: int | None) -> str:
    return "" if number is None else str(number)


def _lines(total: JobTotal) -> Iterator[str]:
    """Yield where the energy comes from, what is missing or never measured, and how well the clocks are aligned."""
    from joulemark.suite.results.jobs.texts import source_text
    from joulemark.suite.results.jobs.total import NOT_MEASURED

    yield one_line(f"Energy: {source_text(total)}.")
    if total.missing:
        yield "≥ lacks:"
        yield from (f"  {one_line(entry.what)}: {one_line(entry.reason)}" for entry in total.missing)
    yield "Not measured: " + "; ".join(f"{what} ({reason})" for what, reason in NOT_MEASURED) + "."
    for node in total.nodes:
        ahead_s, error_s = node.offset.offset_s, node.offset.error_s
        if ahead_s is not None and error_s:
            yield f"Clock of {node.member.label}: {ahead_s:+.6f} s, within {error_s:.2g} s, by a shared mark."
    if len(total.nodes) > 1 and all(node.offset.offset_s is None for node in total.nodes):
        yield "Clocks: as the nodes have them (no mark: see Meter.align)."
    yield from total.notes
