"""`joulemark list`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from joulemark.suite.cli import options


def command(
    context: typer.Context,
    cases: Annotated[bool, typer.Option("--cases", help="What `run` with the same options would run.")] = False,
    runs: Annotated[bool, typer.Option("--runs", help="The runs that are kept.")] = False,
    profile: options.Profile = None,
    workload: options.Workload = None,
    size: options.Size = None,
    phase: options.Phase = None,
    framework: options.Framework = None,
    mode: options.Mode = None,
    device: options.Device = None,
    precision: options.Precision = None,
    batch_size: options.BatchSize = None,
    k: options.Keyword = None,
    threads: options.Threads = None,
    allocator: options.Allocator = None,
    rounds: options.Rounds = None,
    python: options.Python = None,
    out: options.Out = None,
    as_json: options.Json = False,
) -> None:
    """List the workloads, or the cases of a selection, or the runs that are kept."""
    given = options.settings_from_context(context, locals())
    from joulemark.suite.errors import UsageError
    from joulemark.suite.terminal.listings import cases_table, runs_table, workloads_table

    if cases and runs:
        raise UsageError("--cases and --runs list different things: give one of them.")
    if out is not None and not runs:
        raise UsageError("--out is where --runs looks for runs: add --runs, or leave --out out.")
    selected = options.given_flags(context, given)
    if selected and not cases:
        cure = "; --runs lists all that are kept: leave it out" if runs else ": add --cases"
        raise UsageError(f"{selected[0]} selects cases{cure}.")
    if runs:
        from joulemark.suite.settings import runs_directory

        _show(runs_table, {"runs": _runs(runs_directory(out))}, as_json)
        return
    if cases:
        from joulemark.suite.cli.support.prepare import prepare

        prepared = prepare(given)
        _show(cases_table, prepared.plan.outline(), as_json)
        return
    _show(workloads_table, {"workloads": _workloads()}, as_json)


def _show(render: Any, document: dict[str, Any], as_json: bool) -> None:
    from joulemark.suite.terminal import console

    if as_json:
        console.print_json(document)
    else:
        console.print_text(render(document))


def _workloads() -> list[dict[str, Any]]:
    """What there is, by workload."""
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


def _runs(directory: Path) -> list[dict[str, Any]]:
    """The runs in `directory`, oldest first; one that cannot be read is listed with its error."""
    from joulemark.suite.results.history.parquet import open_directory, source_path

    shared = ("run_id", "started_at", "profile", "complete", "hostname")
    kept = open_directory(directory, [*shared, "status", "trials_lost"])
    found: list[dict[str, Any]] = [
        {"id": name, "path": str(path), "error": why} for name, (path, why) in kept.unreadable.items()
    ]
    values = [f"any_value({name})" for name in shared]
    counts = [f"count(*) FILTER (status = '{status}')" for status in _STATUSES]
    lost = "coalesce(sum(trials_lost) FILTER (status = 'ok'), 0)::INTEGER"  # those of a failed case are counted in it
    for file, run_id, started_at, profile, complete, hostname, trials_lost, *numbers in kept.select(
        ", ".join(["file", *values, lost, *counts]), "GROUP BY file"
    ):
        found.append(
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
    return sorted(found, key=lambda run: Path(run["path"]).name)
