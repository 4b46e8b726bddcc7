"""`joulemark list`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from suite.commands import options


def command(
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
    given = options.asked(locals())
    from suite import terminal
    from suite.errors import UsageError

    if cases and runs:
        raise UsageError("--cases and --runs list different things: give one of them.")
    if runs:
        from suite.settings import runs_directory

        _show(terminal.runs_table, {"runs": _runs(runs_directory(out))}, as_json)
        return
    if cases:
        from suite.commands.planning import prepare

        prepared = prepare(given)
        _show(terminal.cases_table, prepared.plan.outline(), as_json)
        return
    if selected := list(given):
        option = f"-{selected[0][0]}" if selected[0] == "keyword" else f"--{selected[0].replace('_', '-')}"
        raise UsageError(f"{option} selects cases: add --cases.")
    _show(terminal.workloads_table, {"workloads": _workloads()}, as_json)


def _show(render: Any, document: dict[str, Any], as_json: bool) -> None:
    from suite import terminal

    if as_json:
        terminal.print_json(document)
    else:
        terminal.show(render(document))


def _workloads() -> list[dict[str, Any]]:
    """What there is, by workload."""
    from suite.frameworks import FRAMEWORKS
    from workloads.registry import supports, workloads

    return [
        {
            "name": workload.id,
            "title": workload.title,
            "family": workload.family,
            "item": workload.item,
            "paper": workload.paper,
            "version": workload.version(),
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


def _runs(directory: Any) -> list[dict[str, Any]]:
    """The runs in `directory`; one that cannot be read is listed with its error."""
    from suite.errors import UsageError
    from suite.results.store import kept_runs, load_path

    found: list[dict[str, Any]] = []
    for path in kept_runs(directory):
        try:
            file = load_path(path)
        except UsageError as error:
            found.append({"id": path.stem, "path": str(path), "error": str(error)})
            continue
        found.append(
            {
                "id": file.run.id,
                "path": str(path),
                "started_at": file.run.started_at,
                "profile": file.run.profile,
                "complete": file.run.complete,
                "hostname": file.machine.hostname,
                "cases": {
                    status: sum(case.status == status for case in file.cases) for status in ("ok", "failed", "skipped")
                },
            }
        )
    return found
