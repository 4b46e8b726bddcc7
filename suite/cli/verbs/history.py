"""`joulemark history`."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypedDict, Unpack

import typer

from joulemark.suite.cli import options
from joulemark.suite.cli.arguments import check_suffix, given_flags
from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.system.directories import home
from joulemark.suite.system.text import spreadsheet_cell
from joulemark.suite.terminal.console import print_json, print_message, print_text

if TYPE_CHECKING:
    from joulemark.suite.results.history.directory import Rows
    from joulemark.suite.results.history.series import Series

SERIES_FIELDS = ("case", "metric", "unit", "kind", "fingerprint", "hostname", "workload_version")
POINT_FIELDS = ("run", "started_at", "value", "low", "high", "n")


class Options(TypedDict):
    """All options but --plotlyjs, which has a default."""

    k: Annotated[
        list[str] | None,
        typer.Option("-k", metavar="EXPR", help="Cases whose id matches, as in pytest. (default: all)"),
    ]
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="throughput, step-time, energy, facility-energy, emissions, power, first-call or memory; repeatable. "
            "(default: throughput and energy)"
        ),
    ]
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            "--out",
            metavar="DIR|ADDRESS",
            help="Where the runs are: a directory, or an address such as s3://bucket/runs (needs fsspec). "
            "(default: where `run` keeps them)",
        ),
    ]
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="PAGE", help="Also write an HTML page with the charts.")
    ]
    gate: Annotated[
        bool,
        typer.Option(
            "--gate",
            help="Instead of values: what `check` said of the runs, what later runs say of its alarms, and the "
            "smallest change that would have been seen.",
        ),
    ]
    as_json: options.Json
    as_csv: Annotated[bool, typer.Option("--csv", help="One line per run and series on standard output.")]


def command(context: typer.Context, plotlyjs: options.PlotlyJs = "embed", **given: Unpack[Options]) -> None:
    """One case over time: the value of each run with its interval, and the change points between them.

    A change point is a lasting change of level; at most 1 % of cases without a change show one (docs/history.md).
    Runs of different machines, workload versions and kinds of energy form separate series. With --gate: how often
    `joulemark check` passed, alarmed and was in doubt.
    """
    from joulemark.suite.plan.case_filter import any_of, compile_keyword
    from joulemark.suite.results.history.remote import open_rows
    from joulemark.suite.results.history.series import METRIC_COLUMNS, columns_needed

    output, as_json, as_csv = given["output"], given["as_json"], given["as_csv"]
    if as_json and as_csv:
        raise UsageError("--json and --csv both write to standard output: give one of them.")
    if output is None and given_flags(context, ["plotlyjs"]):
        raise UsageError("--plotlyjs applies to the page that -o PAGE writes: give both, or neither.")
    check_suffix(output, options.PAGE_SUFFIXES)
    metrics = list(dict.fromkeys(given["metric"] or ("throughput", "energy")))
    for name in metrics:
        if name not in METRIC_COLUMNS:
            raise unknown("metric", name, METRIC_COLUMNS)
    location, keyword = given["source"] or str(home() / "runs"), any_of(given["k"])
    matches = compile_keyword(keyword) if keyword is not None else lambda _: True
    if given["gate"]:
        return _gate(location, matches, metrics if given["metric"] else None, given, plotlyjs)
    rows = open_rows(location, columns_needed(metrics))
    all_series = _series(rows, _matching_cases(rows, matches, keyword, location), metrics)
    for name, (_, reason) in rows.unreadable.items():
        print_message(f"Left out {name}: {reason}")
    if output is not None:
        from joulemark.reports.history_page import write

        print_message(f"Wrote {write(all_series, output, plotlyjs)}")
    if as_json:
        print_json(_document(all_series, rows))
    elif as_csv:
        _print_csv(all_series)
    else:
        from joulemark.suite.cli.support.history_charts import series_output

        print_text(*series_output(all_series))


def _gate(
    location: str, matches: Callable[[str], bool], metrics: Sequence[str] | None, given: Options, plotlyjs: str
) -> None:
    """Print what the gate said of the runs at `location`, and what came after its alarms."""
    from joulemark.suite.cli.support.gate_history import gate_document, gate_text, load_checks
    from joulemark.suite.results.history.gate_rates import gate_history
    from joulemark.suite.results.history.remote import open_rows
    from joulemark.suite.results.history.series import columns_needed
    from joulemark.suite.terminal.console import print_result

    if given["as_csv"]:
        raise UsageError("--csv lists values of runs: --gate has --json.")
    checks, damaged = load_checks(location, matches, metrics)
    judged = {(each.case, each.metric) for check in checks if check.how == "stored" for each in check.metrics}
    names = sorted({metric for _, metric in judged})
    rows = open_rows(location, columns_needed(names))
    history = gate_history(checks, _series(rows, sorted({case for case, _ in judged}), names) if judged else ())
    if damaged:
        print_message(f"Left out {damaged} damaged lines of verdicts in {location}.")
    if given["output"] is not None:
        from joulemark.reports.gate_history_page import write

        print_message(f"Wrote {write(history, given['output'], plotlyjs)}")
    print_result(gate_document(history, damaged), given["as_json"], lambda: gate_text(history))


def _matching_cases(rows: Rows, matches: Callable[[str], bool], keyword: str | None, location: str) -> list[str]:
    """Return the cases in `rows` that match. Raises UsageError if there are none."""
    cases = [case for (case,) in rows.select("DISTINCT case_id", "WHERE case_id IS NOT NULL ORDER BY case_id")]
    matching = [case for case in cases if matches(case)]
    if not cases:
        raise UsageError(f"no results are kept in {location}: `joulemark run` makes one, --from names another place.")
    if not matching:
        raise UsageError(f"-k {keyword!r} matches none of the {len(cases)} cases in {location}, such as {cases[0]}.")
    return matching


def _series(rows: Rows, cases: Sequence[str], metrics: Sequence[str]) -> tuple[Series, ...]:
    """Return the series of `cases`. Raises UsageError if there are none."""
    from joulemark.suite.results.history.series import columns_needed, series

    columns = columns_needed(metrics)
    values = rows.select(", ".join(columns), "WHERE case_id IN (SELECT unnest(?))", [cases])
    all_series = series((dict(zip(columns, row, strict=True)) for row in values), metrics)
    if not all_series:
        raise UsageError(f"{cases[0]} was measured in arms of A/B runs only: `joulemark compare` shows these.")
    return all_series


def _document(all_series: Sequence[Series], rows: Rows) -> dict[str, Any]:
    """Return the `--json` object."""
    return {
        "series": [_series_document(series) for series in all_series],
        "unreadable": {name: reason for name, (_, reason) in rows.unreadable.items()},
    }


def _series_document(series: Series) -> dict[str, Any]:
    return {
        **_values(series, SERIES_FIELDS),
        "runs_without_value": series.runs_without_value,
        "points": [_values(point, POINT_FIELDS) for point in series.points],
        "steps": [
            {
                **_values(change.point, ("run", "started_at")),
                **asdict(change.change_point),
                "new": {name: list(pair) for name, pair in change.new_facts.items()},
            }
            for change in series.changes
        ],
    }


def _values(subject: object, names: Sequence[str]) -> dict[str, Any]:
    """Return the fields `names` of `subject`; times, which are in UTC, as ISO 8601."""
    values = {name: getattr(subject, name) for name in names}
    return {name: f"{value.isoformat()}Z" if isinstance(value, datetime) else value for name, value in values.items()}


def _print_csv(all_series: Sequence[Series]) -> None:
    """Print one line per point; `level` numbers the stretches between change points from 0."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([*SERIES_FIELDS, *POINT_FIELDS, "level"])
    for series in all_series:
        facts = _values(series, SERIES_FIELDS).values()
        for level, (first, last) in enumerate(series.levels):
            for point in series.points[first:last]:
                cells = [*facts, *_values(point, POINT_FIELDS).values(), level]
                writer.writerow(map(spreadsheet_cell, cells))
