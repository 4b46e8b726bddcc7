"""Series over time for a terminal: a chart each, or one line each where there are many."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from joulemark.suite.results.history.series import Change, Series
from joulemark.suite.terminal import console
from joulemark.suite.terminal.tables import AdaptiveTable, Column
from joulemark.suite.terminal.timeline import CharacterSet, character_set, sparkline, timeline
from joulemark.suite.units import counted, quantity

CHARTS = 6
"""As many series are drawn; more are listed."""

HEIGHT = 11


def shown(found: Sequence[Series]) -> list[RenderableType]:
    """What is printed of `found`."""
    drawn_with = character_set(sys.stdout.encoding)
    if len(found) > CHARTS:
        return [_listed(found, drawn_with), Text("\nCharts: choose with -k and --metric. Page: -o PAGE.")]
    return [part for one in found for part in _charted(one, drawn_with)]


def _charted(one: Series, drawn_with: CharacterSet) -> list[Text]:
    lines = [Text(one.case, style="bold"), Text(one.name)]
    if not one.points:
        return [*lines, Text(f"  not measured in any of {counted(one.without, 'run')}\n")]
    first, last = one.points[0], one.points[-1]
    chart = timeline(
        [(point.value, point.low, point.high) for point in one.points],
        one.levels,
        min(console.OUT.width, 100),
        HEIGHT,
        drawn_with,
    )
    without = f", {counted(one.without, 'run')} without a value" if one.without else ""
    span = f"{counted(len(one.points), 'run')} from {first.started_at:%Y-%m-%d} to {last.started_at:%Y-%m-%d}{without}"
    said = [Text(f"  {_change(one, change)}") for change in one.changes] or [Text("  no step found")]
    return [*lines, Text(f"{one.unit}; {span}"), *(Text(line) for line in chart), *said, Text("")]


def _change(one: Series, change: Change) -> str:
    """One step in words."""
    step, point = change.step, change.point
    better = "" if one.better is None else ", better" if (step.ratio > 1) == (one.better == "higher") else ", worse"
    new = "".join(f"; {name} {before} -> {after}" for name, (before, after) in change.new.items())
    return (
        f"step at {point.run} ({point.started_at:%Y-%m-%d %H:%M} UTC): {step.ratio - 1:+.1%} "
        f"[{step.low - 1:+.1%}, {step.high - 1:+.1%}]{better}{new}"
    )


def _listed(found: Sequence[Series], drawn_with: CharacterSet) -> AdaptiveTable:
    """One line a series."""
    runs, latest = Column("Runs", right=True), Column("Latest", right=True)
    table = AdaptiveTable("Case", "Metric", "Machine", runs, "Over time", latest, Column("Last step", wrap=True))
    for one in found:
        kind = f", {one.kind}" if one.kind else ""
        last = f"{one.changes[-1].step.ratio - 1:+.1%} at {one.changes[-1].point.run}" if one.changes else "none"
        table.add(
            one.case,
            f"{one.metric}{kind}",
            one.hostname,
            str(len(one.points)),
            sparkline([point.value for point in one.points], 24, drawn_with),
            quantity(one.points[-1].value if one.points else None, one.unit),
            last if one.points else "",
        )
    return table
