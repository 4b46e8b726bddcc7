"""`joulemark history`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from joulemark.suite.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from joulemark.suite.results.history.parquet import Rows
    from joulemark.suite.results.history.series import Series


def command(
    context: typer.Context,
    k: Annotated[
        list[str] | None,
        typer.Option("-k", metavar="EXPR", help="Cases whose id matches, as in pytest. (default: all)"),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="throughput, step-time, energy, facility-energy, emissions, power, first-call or memory; repeatable. "
            "(default: throughput and energy)"
        ),
    ] = None,
    place: Annotated[
        str | None,
        typer.Option(
            "--from",
            "--out",
            metavar="DIR|ADDRESS",
            help="Where the runs are: a directory, or an address such as s3://bucket/runs (needs fsspec). "
            "(default: where `run` keeps them)",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="PAGE", help="Also write an HTML page with the charts.")
    ] = None,
    plotlyjs: Annotated[
        str, typer.Option(help="Where the page finds Plotly: embed, cdn, directory, or a path ending in .js.")
    ] = "embed",
    as_json: options.Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="One line a run and series on standard output.")] = False,
) -> None:
    """One case over time: each run's value with its interval, and the steps in between.

    A step is a change of level that lasts; a flat history raises one in 1 % of cases at most (docs/history.md). Runs
    of unlike machines, workload versions and kinds of energy are series of their own.
    """
    from joulemark.suite.errors import UsageError, unknown
    from joulemark.suite.plan.case_filter import any_of
    from joulemark.suite.results.history.remote import open_rows
    from joulemark.suite.results.history.series import METRICS, needed
    from joulemark.suite.settings import runs_directory
    from joulemark.suite.terminal import console as terminal

    if as_json and as_csv:
        raise UsageError("--json and --csv are two forms of the same: give one of them.")
    if output is None and options.given_flags(context, ["plotlyjs"]):
        raise UsageError("--plotlyjs is of the page that -o PAGE writes: give both, or neither.")
    options.ending(output, options.PAGE)
    metrics = list(dict.fromkeys(metric or ("throughput", "energy")))
    for name in metrics:
        if name not in METRICS:
            raise unknown("metric", name, METRICS)
    where = place or str(runs_directory())
    rows = open_rows(where, needed(metrics))
    found = _series(rows, any_of(k), metrics, where)
    for name, (_, reason) in rows.unreadable.items():
        terminal.print_message(f"Left out {name}: {reason}")
    if output is not None:
        from joulemark.reports.over_time import write

        terminal.print_message(f"Wrote {write(found, output, plotlyjs)}")
    if as_json:
        terminal.print_json(_document(found, rows))
    elif as_csv:
        _print_csv(found)
    else:
        from joulemark.suite.cli.support.timelines import shown

        terminal.print_text(*shown(found))


def _series(rows: Rows, keyword: str | None, metrics: Sequence[str], where: str) -> tuple[Series, ...]:
    """The series of the cases that match. UsageError where there is none."""
    from joulemark.suite.errors import UsageError
    from joulemark.suite.plan.case_filter import compile_keyword
    from joulemark.suite.results.history.series import needed, series

    matches = compile_keyword(keyword) if keyword is not None else lambda _: True
    cases = [case for (case,) in rows.select("DISTINCT case_id", "WHERE case_id IS NOT NULL ORDER BY case_id")]
    chosen = [case for case in cases if matches(case)]
    if not cases:
        raise UsageError(f"no results are kept in {where}: `joulemark run` makes one, --from names another place.")
    if not chosen:
        raise UsageError(f"-k {keyword!r} matches none of the {len(cases)} cases in {where}, such as {cases[0]}.")
    columns = needed(metrics)
    found = rows.select(", ".join(columns), "WHERE case_id IN (SELECT unnest(?))", [chosen])
    made = series((dict(zip(columns, row, strict=True)) for row in found), metrics)
    if not made:
        raise UsageError(f"{chosen[0]} was measured in arms of A/B runs only: `joulemark compare` shows these.")
    return made


def _document(found: Sequence[Series], rows: Rows) -> dict[str, Any]:
    """The `--json` object."""
    return {
        "series": [
            {
                "case": one.case,
                "metric": one.metric,
                "unit": one.unit,
                "kind": one.kind,
                "fingerprint": one.fingerprint,
                "hostname": one.hostname,
                "workload_version": one.workload_version,
                "runs_without_value": one.without,
                "points": [
                    {
                        "run": point.run,
                        "started_at": f"{point.started_at.isoformat()}Z",
                        "value": point.value,
                        "low": point.low,
                        "high": point.high,
                        "n": point.n,
                    }
                    for point in one.points
                ],
                "steps": [
                    {
                        "run": change.point.run,
                        "started_at": f"{change.point.started_at.isoformat()}Z",
                        "index": change.step.index,
                        "ratio": change.step.ratio,
                        "low": change.step.low,
                        "high": change.step.high,
                        "p": change.step.p,
                        "new": {name: list(pair) for name, pair in change.new.items()},
                    }
                    for change in one.changes
                ],
            }
            for one in found
        ],
        "unreadable": {name: reason for name, (_, reason) in rows.unreadable.items()},
    }


def _print_csv(found: Sequence[Series]) -> None:
    """A line a point; `level` counts the stretches between steps from 0."""
    import csv
    import sys

    head = "case metric unit kind fingerprint hostname workload_version run started_at value low high n level"
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(head.split())
    for one in found:
        series = (one.case, one.metric, one.unit, one.kind, one.fingerprint, one.hostname, one.workload_version)
        for number, (first, last) in enumerate(one.levels):
            for point in one.points[first:last]:
                at = f"{point.started_at.isoformat()}Z"
                writer.writerow([*series, point.run, at, point.value, point.low, point.high, point.n, number])
