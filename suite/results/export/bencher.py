"""Bencher Metric Format: https://bencher.dev/docs/reference/bencher-metric-format/.

Latency is in nanoseconds and throughput in operations a second, as Bencher's own two measures are; others keep the
unit of their name. The format has no place for a reason: what is not measured is absent.
"""

from __future__ import annotations

import json
from typing import Final

from joulemark.suite.records import RunFile
from joulemark.suite.results.export.measures import Measure, measures

OWN: Final = {"step_time_s": ("latency", 1e9), "throughput": ("throughput", 1.0)}
"""Bencher's built-in measures (slug, factor from our unit to theirs)."""


def render(run_file: RunFile) -> str:
    """One benchmark a case, one measure a number, with the interval between trials where there is one."""
    document = {
        row.case.id: dict(_metric(measure) for measure in found) for row, found in measures(run_file, "bencher")
    }
    return json.dumps(document, indent=1) + "\n"


def _metric(measure: Measure) -> tuple[str, dict[str, float]]:
    slug, factor = OWN.get(measure.column.key, (measure.column.key.replace("_", "-"), 1.0))
    name = "-".join([slug, *measure.qualifier.split()])
    cell = measure.cell
    values = {"value": measure.value, "lower_value": cell.low, "upper_value": cell.high}
    return name, {key: value * factor for key, value in values.items() if value is not None}
