"""Series over time for a terminal: one chart each, or one line each if there are many."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from joulemark.suite.results.history.series import Change, Series
from joulemark.suite.system.text import one_line
from joulemark.suite.terminal.console import OUT
from joulemark.suite.terminal.tables import AdaptiveTable, Column
from joulemark.suite.terminal.timeline import CharacterSet, character_set, sparkline, timeline
from joulemark.suite.units import counted, quantity

MAX_CHARTS = 6
"""More series than this are listed instead of drawn."""
MAX_WIDTH = 100
HEIGHT = 11


def series_output(all_series: Sequence[Series]) -> list[RenderableType]:
    """Return what `joulemark history` prints."""
    characters = character_set(sys.stdout.encoding)
    if len(all_series) > MAX_CHARTS:
        return [_table(all_series, characters), Text("\nCharts: choose with -k and --metric. Page: -o PAGE.")]
    return [line for series in all_series for line in _chart(series, characters)]


def _chart(series: Series, characters: CharacterSet) -> list[Text]:
    head = [Text(one_line(series.case), style="bold"), Text(one_line(series.name))]
    if not series.points:
        return [*head, Text(f"  not measured in any of {counted(series.runs_without_value, 'run')}\n")]
    first, last = series.points[0], series.points[-1]
    values = [(point.value, point.low, point.high) for point in series.points]
    chart = timeline(values, series.levels, min(OUT.width, MAX_WIDTH), HEIGHT, characters)
    without = f", {counted(series.runs_without_value, 'run')} without a value" if series.runs_without_value else ""
    dates = f"{first.started_at:%Y-%m-%d} to {last.started_at:%Y-%m-%d}"
    span = f"{series.unit}; {counted(len(series.points), 'run')} from {dates}{without}"
    changes = [f"  {_change_text(series, change)}" for change in series.changes] or ["  no change point found"]
    return [*head, *(Text(line) for line in (span, *chart, *changes, ""))]


def _change_text(series: Series, change: Change) -> str:
    """Return a sentence about one change point."""
    step, point = change.change_point, change.point
    improved = (step.ratio > 1) == (series.better == "higher")
    verdict = "" if series.better is None else ", better" if improved else ", worse"
    new = "".join(f"; {name} {before} -> {after}" for name, (before, after) in change.new_facts.items())
    return one_line(
        f"change at {point.run} ({point.started_at:%Y-%m-%d %H:%M} UTC): {step.ratio - 1:+.1%} "
        f"[{step.low - 1:+.1%}, {step.high - 1:+.1%}]{verdict}{new}"
    )


def _table(all_series: Sequence[Series], characters: CharacterSet) -> AdaptiveTable:
    """Return a table with one line per series."""
    runs, latest = Column("Runs", right=True), Column("Latest", right=True)
    table = AdaptiveTable(
        "Case", "Metric", "Machine", runs, "Over time", latest, Column("Last change point", wrap=True)
    )
    for series in all_series:
        kind = f", {series.kind}" if series.kind else ""
        last = "none" if series.points else ""
        if series.points and series.changes:
            change = series.changes[-1]
            last = f"{change.change_point.ratio - 1:+.1%} at {change.point.run}"
        table.add(
            one_line(series.case),
            f"{series.metric}{kind}",
            one_line(series.hostname),
            str(len(series.points)),
            sparkline([point.value for point in series.points], 24, characters),
            quantity(series.points[-1].value if series.points else None, series.unit),
            last,
        )
    return table
