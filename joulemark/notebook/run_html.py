"""A run in a notebook: its cases as a table, and their energy, or speed, with intervals as a small plot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from joulemark.notebook.style import COLOURS, frame, notices, svg, table, text
from joulemark.suite.records import RunFile
from joulemark.suite.results.table import Column, Row
from joulemark.suite.results.table import table as run_table
from joulemark.suite.units import counted, quantity

KEYS = ("throughput", "energy_per_item_j", "power_w", "emissions_g_per_1000_items")
MOST = 40
"""Cases that are shown: a page has all of them."""
WIDTH, LINE, LEFT, RIGHT = 560, 18, 34, 110
WIDE = 20.0
"""A ratio of values beyond which the axis is logarithmic."""
MOST_BEYOND = 4.0
"""How far beyond all values the axis goes for the sake of intervals, as a factor."""
PLOTTED = ("energy_per_item_j", "throughput")


def run_html(run_file: RunFile) -> str:
    """Return the display of a run."""
    run, machine, intensity = run_file.run, run_file.machine, run_file.emissions.intensity
    shown = run_table(run_file)
    columns = [column for column in shown.columns if column.key in KEYS]
    rows = shown.rows[:MOST]
    left_out = len(shown.rows) - len(rows)
    place = f" in {intensity.zone}" if intensity.zone else ""
    head = [
        machine.cpu.model,
        *dict.fromkeys(gpu.name for gpu in machine.gpus),
        f"{quantity(intensity.g_per_kwh)} g/kWh{place}",
        "" if run.complete else "not complete",
    ]
    return frame(
        f'<p class="total">{text(run.id)}</p>',
        f'<p class="minor">{text(" · ".join(filter(None, head)))}</p>',
        table(
            ["#", "Case", *(text(f"{column.title} ({column.unit})") for column in columns)],
            ([str(number), text(row.case.id), *_cells(row, columns)] for number, row in enumerate(rows, 1)),
            text_columns=(1,),
        ),
        f'<p class="minor">{counted(left_out, "case")} more: `joulemark report` has all.</p>' if left_out > 0 else "",
        _plot(rows, columns),
        notices([f"{notice.message} {notice.remedy}" for notice in run_file.notices]),
    )


def run_text(run_file: RunFile) -> str:
    """Return a run as lines of text, where no page can be shown."""
    shown = run_table(run_file)
    columns = [column for column in shown.columns if column.key in KEYS[:2]]
    lines = [f"{run_file.run.id}: {counted(len(shown.rows), 'case')}"]
    for row in shown.rows[:MOST]:
        cells = (f"{row.cells[c.key].mark}{row.cells[c.key].text} {c.unit}" for c in columns)
        lines.append(f"  {row.case.id}: {', '.join(cells) if row.status == 'ok' else row.reason}")
    if len(shown.rows) > MOST:
        lines.append(f"  and {len(shown.rows) - MOST} more")
    return "\n".join(lines)


def _cells(row: Row, columns: Sequence[Column]) -> list[str]:
    if row.status != "ok":
        return [f'<span class="minor">{text(row.status)}: {text(row.reason or "")}</span>', *[""] * (len(columns) - 1)]
    cells = (row.cells[column.key] for column in columns)
    return [f'{text(cell.mark + cell.text)} <span class="minor">{text(cell.interval)}</span>' for cell in cells]


@dataclass(frozen=True)
class _Point:
    """A case of the plot."""

    number: int
    value: float
    ends: tuple[float, float] | None
    """Of its interval between trials; of an estimate, of its error, as the table shows it."""
    label: str


def _plot(rows: Sequence[Row], columns: Sequence[Column]) -> str:
    """Return dots and intervals of energy per item, or of throughput where no energy was measured."""
    for column in sorted((each for each in columns if each.key in PLOTTED), key=lambda each: PLOTTED.index(each.key)):
        points = [point for number, row in enumerate(rows, 1) if (point := _point(number, row, column)) is not None]
        if len(points) > 1:
            return _drawing(column, points)
    return ""


def _point(number: int, row: Row, column: Column) -> _Point | None:
    cell = row.cells[column.key]
    if row.status != "ok" or not cell.value or cell.value < 0:
        return None
    ends = (cell.low, cell.high) if cell.low is not None and cell.high is not None else None
    if cell.error_range is not None:
        ends = cell.value * cell.error_range[0], cell.value * cell.error_range[1]
    return _Point(number, cell.value, ends, f"{cell.mark}{cell.text} {column.unit}")


def _drawing(column: Column, points: Sequence[_Point]) -> str:
    values = [point.value for point in points]
    is_log = max(values) / min(values) > WIDE
    ends = [end for point in points for end in point.ends or ()]
    # An interval that is very wide is cut off: it would leave no room for the values.
    highest = min(max(values + ends), MOST_BEYOND * max(values)) * 1.05
    lowest = max(min(values + ends), min(values) / MOST_BEYOND) / 1.05 if is_log else 0.0

    def x(value: float) -> float:
        value = min(max(value, lowest), highest)
        share = math.log(value / lowest) / math.log(highest / lowest) if is_log else value / highest
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    parts = [f'<text x="{LEFT}" y="12">{text(column.title)}{" (logarithmic)" if is_log else ""}</text>']
    for line, point in enumerate(points):
        y = 18 + LINE * line + LINE / 2
        ends_x = (LEFT, WIDTH - RIGHT)
        parts.append(f'<text x="0" y="{y + 4:.1f}">{point.number}</text>')
        parts.append(_line(ends_x, y, 'stroke="currentColor" stroke-opacity=".15"'))
        if point.ends is not None:
            colour = f'stroke="{COLOURS[0]}" stroke-width="3" stroke-opacity=".55"'
            parts.append(_line((x(point.ends[0]), x(point.ends[1])), y, colour))
        parts.append(f'<circle cx="{x(point.value):.1f}" cy="{y}" r="4" fill="{COLOURS[0]}"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{y + 4:.1f}">{text(point.label)}</text>')
    return svg(WIDTH, 22 + LINE * len(points), f"{column.title} of each case, with its interval", parts)


def _line(ends_x: tuple[float, float], y: float, colour: str) -> str:
    return f'<line x1="{ends_x[0]:.1f}" x2="{ends_x[1]:.1f}" y1="{y}" y2="{y}" {colour}/>'
