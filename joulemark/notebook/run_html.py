"""A run in a notebook: its cases as a table, and their energy, or speed, with intervals as a small plot."""

from __future__ import annotations

import math
from collections.abc import Sequence

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


def _plot(rows: Sequence[Row], columns: Sequence[Column]) -> str:
    """Return dots and intervals of energy per item, or of throughput where no energy was measured."""
    by_key = {column.key: column for column in columns}
    for key in ("energy_per_item_j", "throughput"):
        points = [
            (number, row.cells[key], row.cells[key].value or 0.0)
            for number, row in enumerate(rows, 1)
            if row.status == "ok" and (row.cells[key].value or 0.0) > 0
        ]
        if len(points) > 1:
            break
    else:
        return ""
    column, values = by_key[key], [value for _, _, value in points]
    is_log = max(values) / min(values) > WIDE
    lowest = min(values) / 1.3 if is_log else 0.0
    highest = max(values) * (1.3 if is_log else 1.1)

    def x(value: float) -> float:
        value = min(max(value, lowest), highest)
        share = math.log(value / lowest) / math.log(highest / lowest) if is_log else value / highest
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    parts = [f'<text x="{LEFT}" y="12">{text(column.title)}{" (logarithmic)" if is_log else ""}</text>']
    for line, (number, cell, value) in enumerate(points):
        y = 18 + LINE * line + LINE / 2
        parts.append(f'<text x="0" y="{y + 4:.1f}">{number}</text>')
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="currentColor" stroke-opacity=".15"/>'
        )
        if cell.low is not None and cell.high is not None:
            parts.append(
                f'<line x1="{x(cell.low):.1f}" x2="{x(cell.high):.1f}" y1="{y}" y2="{y}" stroke="{COLOURS[0]}" '
                'stroke-width="3" stroke-opacity=".55"/>'
            )
        parts.append(f'<circle cx="{x(value):.1f}" cy="{y}" r="4" fill="{COLOURS[0]}"/>')
        label = f"{cell.mark}{cell.text} {column.unit}"
        parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{y + 4:.1f}">{text(label)}</text>')
    return svg(WIDTH, 22 + LINE * len(points), f"{column.title} of each case, with intervals between trials", parts)
