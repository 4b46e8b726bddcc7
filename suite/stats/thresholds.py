"""Thresholds: how large a difference must be to matter, by metric and case. Pure.

The settings file's table `thresholds` holds `metric = "5%"`, and tables under patterns of case ids for exceptions:
`"resnet50*" = { throughput = "3%", energy = "off" }`. `--threshold METRIC:PERCENT` overrides both.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.records import COUNTS
from joulemark.suite.stats.metrics import METRICS

THRESHOLD: Final = 0.05
"""Ratios within 1/1.05 .. 1.05 count as the same, unless another threshold is given."""
MAX_THRESHOLD: Final = 10.0
"""A threshold of more than 1,000 % must be a typing error."""
OFF: Final = "off"
"""Given instead of a threshold: the metric is not judged."""
WORK: Final = "work"
"""Given instead of a count: all of JUDGED_COUNTS."""
_COUNTS: Final = {kind.option: kind for kind in COUNTS.values()}
JUDGED_COUNTS: Final = tuple(option for option, kind in _COUNTS.items() if kind.threshold is not None)
"""What the gate judges of the work of a step without being asked to."""
Limits = Mapping[str, float | None]
"""Relative threshold by metric; None if it is not judged."""


@dataclass(frozen=True)
class Thresholds:
    """The thresholds of a comparison."""

    everywhere: Limits
    patterns: tuple[tuple[str, Limits], ...] = ()
    """Exceptions for cases whose id matches a pattern in the shell's grammar; the last match counts."""
    requested: frozenset[str] = frozenset()
    """Metrics that the user named: one of them that cannot be judged is reported as missing."""

    @classmethod
    def of_metrics(cls, limits: Mapping[str, float]) -> Thresholds:
        """Return `limits` by metric, with the default threshold for all others."""
        return cls({metric: limits.get(metric, THRESHOLD) for metric in METRICS})

    def limit(self, metric: str, case_id: str) -> float | None:
        """Return the relative threshold of `metric` for a case; None if it is not judged."""
        limit = self.everywhere.get(metric)
        for pattern, limits in self.patterns:
            if metric in limits and fnmatchcase(case_id, pattern):
                limit = limits[metric]
        return limit

    def metrics(self) -> tuple[str, ...]:
        """Return the metrics that are judged for some case, in the order of METRICS."""
        tables = (self.everywhere, *(limits for _, limits in self.patterns))
        return tuple(key for key in METRICS if any(table.get(key) is not None for table in tables))

    def judges_counts(self) -> bool:
        """Return whether a count of what a step does is judged for some case."""
        tables = (self.everywhere, *(limits for _, limits in self.patterns))
        return any(table.get(option) is not None for table in tables for option in _COUNTS)

    def unmatched(self, case_ids: Iterable[str]) -> tuple[str, ...]:
        """Return the patterns that match no case, so their thresholds can never apply."""
        ids = tuple(case_ids)
        return tuple(p for p, _ in self.patterns if not any(fnmatchcase(case_id, p) for case_id in ids))


def parse_thresholds(
    metrics: Sequence[str], table: Mapping[str, Any] | None = None, source: str = "", options: Sequence[str] = ()
) -> Thresholds:
    """Return the default thresholds of `metrics`, overridden by the settings file's `table`, then by `options`.

    `source` names the settings file in errors. Raises UsageError for an unknown metric or an invalid threshold.
    """
    everywhere = {metric: _default(metric) for metric in metrics}
    patterns: list[tuple[str, dict[str, float | None]]] = []
    requested: set[str] = set()
    for key, value in (table or {}).items():
        if isinstance(value, Mapping):
            where = f"thresholds.{key} in {source}"
            limits = {metric: limit for m, v in value.items() for metric, limit in _limits(m, v, where, source).items()}
            patterns.append((key, limits))
        else:
            limits = _limits(key, value, f"thresholds in {source}", source)
            everywhere |= limits
        requested |= {metric for metric, limit in limits.items() if limit is not None}
    overrides = {metric: limit for option in options for metric, limit in _option(option).items()}
    requested = (requested | overrides.keys()) - {metric for metric, limit in overrides.items() if limit is None}
    # An option applies to all cases, including those with a pattern of their own.
    kept = tuple((p, {m: limit for m, limit in limits.items() if m not in overrides}) for p, limits in patterns)
    return Thresholds(everywhere | overrides, kept, frozenset(requested))


def _default(metric: str) -> float | None:
    return _COUNTS[metric].threshold if metric in _COUNTS else THRESHOLD


def _option(text: str) -> dict[str, float | None]:
    metric, colon, value = text.partition(":")
    if not colon:
        raise UsageError(f"--threshold {text!r}: give METRIC:PERCENT, such as throughput:5%, or METRIC:off.")
    return _limits(metric, value, "--threshold", "--threshold")


def _limits(name: str, value: Any, where: str, source: str) -> dict[str, float | None]:
    """Return the threshold `value` of a metric or a count, or of all counts that are judged by default."""
    key = name.strip().replace("_", "-")
    if key not in METRICS and key not in _COUNTS and key != WORK:
        raise unknown(f"metric of {where}", name, [*METRICS, WORK, *_COUNTS])
    return dict.fromkeys(JUDGED_COUNTS if key == WORK else [key], _limit(value, key, source))


def _limit(value: Any, metric: str, where: str) -> float | None:
    """Return the relative threshold in `value`: `5%`, or a fraction below 1; None for `off`."""
    text = str(value).strip()
    if text.lower() == OFF:
        return None
    try:
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        number = math.nan
    if isinstance(value, bool) or not 0 <= number <= MAX_THRESHOLD:
        raise UsageError(f"{where}: the threshold of {metric} is {value!r}; give a percentage such as 5%, or off.")
    if number >= 1 and not text.endswith("%"):
        raise UsageError(f"{where}: the threshold of {metric} is {value!r}: {number:g} % is written {number:g}%.")
    if number == 0 and metric in _COUNTS and not _COUNTS[metric].exact:
        raise UsageError(f"{where}: {metric} vary by themselves: give a threshold above 0, such as 1%.")
    return number
