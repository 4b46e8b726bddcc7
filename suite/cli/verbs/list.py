"""`joulemark list`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Unpack

import typer

from joulemark.suite.cli import options
from joulemark.suite.cli.arguments import given_flags, settings_from_context
from joulemark.suite.cli.option_groups import Distribution, Selection
from joulemark.suite.errors import UsageError
from joulemark.suite.system.directories import find_runs
from joulemark.suite.terminal.console import print_result


class Options(Selection, Distribution):
    """The options of `run` that decide which cases are run."""

    python: options.Python
    out: options.Out
    as_json: options.Json


def command(
    context: typer.Context,
    cases: Annotated[bool, typer.Option("--cases", help="What `run` with the same options would run.")] = False,
    runs: Annotated[bool, typer.Option("--runs", help="The runs that are kept.")] = False,
    **given: Unpack[Options],
) -> None:
    """List the workloads, or the cases of a selection, or the runs that are kept."""
    from joulemark.suite.terminal import listings

    settings, out, as_json = settings_from_context(context, given), given["out"], given["as_json"]
    if cases and runs:
        raise UsageError("--cases and --runs list different things: give one of them.")
    if out is not None and not runs:
        raise UsageError("--out is where --runs looks for runs: add --runs, or leave --out out.")
    flags = given_flags(context, settings)
    if flags and not cases:
        fix = "; --runs lists all that are kept: leave it out" if runs else ": add --cases"
        raise UsageError(f"{flags[0]} selects cases{fix}.")
    if runs:
        document: dict[str, Any] = {"runs": _runs(find_runs(out))}
        print_result(document, as_json, lambda: [listings.runs_table(document)])
    elif cases:
        from joulemark.suite.cli.support.prepare import prepare_run

        document = prepare_run(settings, measures=False).plan.outline()
        print_result(document, as_json, lambda: [listings.cases_table(document)])
    else:
        document = {"workloads": _workloads()}
        print_result(document, as_json, lambda: [listings.workloads_table(document)])


def _workloads() -> list[dict[str, Any]]:
    """Return the facts of each workload."""
    from joulemark.suite.trial.frameworks import FRAMEWORKS
    from joulemark.workloads.registry import supports, workloads

    return [
        {
            "name": workload.id,
            "title": workload.title,
            "family": workload.family,
            "item": workload.item,
            "items": {phase: workload.counts(phase) for phase in workload.phases},
            "paper": workload.paper,
            "versions": {name: workload.version(name) for name in FRAMEWORKS if supports(workload, name)},
            "phases": list(workload.phases),
            "frameworks": {
                name: list(framework.modes) for name, framework in FRAMEWORKS.items() if supports(workload, name)
            },
            "sizes": {
                name: {
                    "hyper": dict(size.hyper),
                    "batch_size": dict(size.batch_size),
                    "parameters": workload.parameters(size).total,
                    "trainable": workload.parameters(size).trainable,
                    "flops_per_item": {phase: workload.flops(size, phase) for phase in workload.phases},
                }
                for name, size in workload.sizes.items()
            },
        }
        for workload in workloads().values()
    ]


_STATUSES = ("ok", "failed", "skipped")


def _runs(directory: Path | None) -> list[dict[str, Any]]:
    """Return the runs in `directory`, oldest first; one that cannot be read has an `error`."""
    from joulemark.suite.results.history.directory import open_directory
    from joulemark.suite.results.history.parquet import source_path

    if directory is None:
        return []
    columns = ("run_id", "started_at", "profile", "complete", "hostname")
    rows = open_directory(directory, [*columns, "status", "trials_lost"])
    runs: list[dict[str, Any]] = [
        {"id": name, "path": str(path), "error": reason} for name, (path, reason) in rows.unreadable.items()
    ]
    values = [f"any_value({name})" for name in columns]
    counts = [f"count(*) FILTER (status = '{status}')" for status in _STATUSES]
    lost = "coalesce(sum(trials_lost) FILTER (status = 'ok'), 0)::INTEGER"  # failed cases are counted as such
    for file, run_id, started_at, profile, complete, hostname, trials_lost, *numbers in rows.select(
        ", ".join(["file", *values, lost, *counts]), "GROUP BY file"
    ):
        runs.append(
            {
                "id": run_id,
                "path": str(source_path(file)),
                "started_at": f"{started_at.isoformat()}Z",
                "profile": profile,
                "complete": complete,
                "hostname": hostname,
                "cases": dict(zip(_STATUSES, numbers, strict=True)),
                "trials_lost": trials_lost,
            }
        )
    return sorted(runs, key=lambda run: Path(run["path"]).name)
