"""github-action-benchmark's custom tools: https://github.com/benchmark-action/github-action-benchmark.

A file of it has one direction: `customSmallerIsBetter` gets times, energy, emissions and memory, `customBiggerIsBetter`
gets throughput. Units have no prefix, so that a series keeps its unit from run to run.
"""

from __future__ import annotations

import json

from joulemark.suite.records import RunFile
from joulemark.suite.results.export.measures import Measure, measures
from joulemark.suite.results.table import Row
from joulemark.suite.stats.metrics import Better


def render_smaller(run_file: RunFile) -> str:
    """Return the file for `tool: customSmallerIsBetter`."""
    return _render(run_file, "lower")


def render_bigger(run_file: RunFile) -> str:
    """Return the file for `tool: customBiggerIsBetter`."""
    return _render(run_file, "higher")


def _render(run_file: RunFile, better: Better) -> str:
    entries = [
        _entry(row, measure)
        for row, row_measures in measures(run_file, "github-action-benchmark")
        for measure in row_measures
        if measure.column.better == better
    ]
    return json.dumps(entries, indent=1, ensure_ascii=False) + "\n"


def _entry(row: Row, measure: Measure) -> dict[str, str | float]:
    title = measure.column.title + (f" ({measure.qualifier})" if measure.qualifier else "")
    entry: dict[str, str | float] = {
        "name": f"{row.case.id} - {title}",
        "unit": measure.column.raw_unit,
        "value": measure.value,
        "extra": measure.label,
    }
    cell = measure.cell
    if cell.low is not None and cell.high is not None:
        # The tool shows one half-width: the wider side of an asymmetric interval.
        entry["range"] = f"± {max(cell.high - measure.value, measure.value - cell.low):.6g}"
    return entry
