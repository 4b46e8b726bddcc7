"""Bencher Metric Format: https://bencher.dev/docs/reference/bencher-metric-format/.

Latency is in nanoseconds and throughput in operations per second, like Bencher's two built-in measures; the others keep
the unit in their name. The format has no field for a reason: what was not measured is absent.
"""

from __future__ import annotations

import json
from typing import Final

from joulemark.suite.records import RunFile
from joulemark.suite.results.export.measures import Measure, measures

BUILT_IN: Final = {"step_time_s": ("latency", 1e9), "throughput": ("throughput", 1.0)}
"""Slug of Bencher's built-in measure, and the factor from our unit to its unit."""


def render(run_file: RunFile) -> str:
    """Return the document: one benchmark per case, one measure per number, with the interval between trials."""
    document = {
        row.case.id: dict(_metric(measure) for measure in row_measures)
        for row, row_measures in measures(run_file, "bencher")
    }
    return json.dumps(document, indent=1) + "\n"


def _metric(measure: Measure) -> tuple[str, dict[str, float]]:
    slug, factor = BUILT_IN.get(measure.column.key, (measure.column.key.replace("_", "-"), 1.0))
    name = "-".join([slug, *measure.qualifier.split()])
    cell = measure.cell
    values = {"value": measure.value, "lower_value": cell.low, "upper_value": cell.high}
    return name, {key: value * factor for key, value in values.items() if value is not None}
