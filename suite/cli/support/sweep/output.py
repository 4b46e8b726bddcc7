"""A sweep in the terminal: a table of all settings, their joules as bars, and what is best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.text import Text

from joulemark.suite.energy.attribution import is_simulated
from joulemark.suite.records import RunFile
from joulemark.suite.stats.intervals import GeometricMean
from joulemark.suite.stats.sweep.analysis import TaskSweep
from joulemark.suite.stats.sweep.points import Point
from joulemark.suite.stats.sweep.sentences import (
    choice_sentences,
    goal_marks,
    host_sentence,
    plateau_sentence,
    settings_text,
)
from joulemark.suite.terminal.chart import Bar, interval_chart
from joulemark.suite.terminal.console import OUT, PIPED_WIDTH, print_text
from joulemark.suite.terminal.notices import notice_lines
from joulemark.suite.terminal.tables import AdaptiveTable, Column
from joulemark.suite.units import quantity, significant

SIMULATED: Final = "The energy is that of a simulated sensor."


def print_sweep(run_file: RunFile, found: Sequence[TaskSweep]) -> None:
    """Print what a sweep found, task by task, and the notices of its run."""
    print_findings(run_file, found)
    print_text(*notice_lines(run_file))


def print_findings(run_file: RunFile, found: Sequence[TaskSweep]) -> None:
    """Print what a sweep found, task by task."""
    for sweep in found:
        print_text(Text(sweep.task, style="bold"), _table(sweep), Text(""), *_bars(sweep), *_sentences(sweep, run_file))


LARGEST_FACTOR = 100
"""The ends of an interval that is wider, as of two rounds that disagree, say nothing more."""


def _table(sweep: TaskSweep) -> AdaptiveTable:
    item = sweep.points[0].case.item if sweep.points else "item"
    node = any(point.node_joules for point in sweep.points)
    columns = [Column(f"{item}s/s", right=True), Column(f"J per {item}", right=True)]
    columns += [Column("J of the machine", right=True)] if node else []
    table = AdaptiveTable("Setting", *columns, Column("", wrap=True))
    for point in sweep.points:
        cells = [_number(point.speed), _joules(point)]
        cells += [_number(point.node_energy_j)] if node else []
        table.add(settings_text(point), *cells, ", ".join(marks(point, sweep)))
    return table


def marks(point: Point, sweep: TaskSweep) -> list[str]:
    """Return what is said of a point: default, front, beaten, and the sets that it is in."""
    words = ["default"] if point.is_default else []
    if point.case.id in sweep.front:
        words.append("Pareto front")
    elif point.case.id in sweep.beaten:
        words.append("beaten")
    return words + goal_marks(point, sweep)


def _number(mean: GeometricMean | None) -> str:
    if mean is None:
        return "not measured"
    if mean.low is None or mean.high is None:
        return significant(mean.value)
    if mean.high > LARGEST_FACTOR * mean.value or mean.low < mean.value / LARGEST_FACTOR:
        return f"{significant(mean.value)} (uncertain by over {LARGEST_FACTOR} times)"
    return f"{significant(mean.value)} [{significant(mean.low)}, {significant(mean.high)}]"


def _joules(point: Point) -> str:
    """Return the joules of an item; an estimate with its mark, as in other tables, also where it is not ranked."""
    mean = point.shown_energy_j
    if mean is None or not point.is_estimated:
        return _number(mean)
    return f"~{significant(mean.value, 2)}"


def _bars(sweep: TaskSweep) -> list[Text]:
    """Return the joules of an item at each setting as bars."""
    measured = [(point, mean) for point in sweep.points if (mean := point.energy_j) is not None]
    bars = [
        Bar(
            settings_text(point),
            f"{'~' if point.is_estimated else ''}{quantity(mean.value, 'J')}",
            mean.value,
            mean.low,
            mean.high,
        )
        for point, mean in measured
    ]
    width = min(100, OUT.width if OUT.is_terminal else PIPED_WIDTH)
    blocks = OUT.is_terminal and not OUT.no_color and OUT.encoding.startswith("utf")
    return [Text("\n".join(interval_chart(bars, width, ascii=not blocks)) + "\n")] if bars else []


def _sentences(sweep: TaskSweep, run_file: RunFile) -> list[Text]:
    lines = [*choice_sentences(sweep, run_file.settings.slowdown), plateau_sentence(sweep)]
    lines += [
        host_sentence(sweep) if sweep.front else "",
        sweep.unranked or "",
        *(f"left out: {reason}" for reason in sweep.reasons),
    ]
    lines += [SIMULATED] if any(is_simulated(point.case) for point in sweep.points) else []
    return [Text("\n".join(line[:1].upper() + line[1:] for line in lines if line) + "\n")]
