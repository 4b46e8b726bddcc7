"""How large a difference has to be to matter, by metric and case. Pure.

The settings file's table `thresholds` holds `metric = "5%"`, and tables under patterns of case ids for what differs
there: `"resnet50*" = { throughput = "3%", energy = "off" }`. `--threshold METRIC:PERCENT` is stronger than both.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.stats.metrics import METRICS

THRESHOLD: Final = 0.05
"""Ratios within 1/1.05 .. 1.05 are the same for practical purposes, unless another threshold is given."""

MOST: Final = 10.0
"""A threshold of more than 1,000 % is a slip of the pen."""

OFF: Final = "off"
"""Instead of a threshold: the metric is not judged."""

Limits = Mapping[str, float | None]
"""Relative threshold by metric; None: not judged."""


@dataclass(frozen=True)
class Thresholds:
    """What counts as a difference."""

    everywhere: Limits
    patterns: tuple[tuple[str, Limits], ...] = ()
    """What differs for cases whose id matches a pattern, in the shell's grammar; the last one that matches counts."""
    requested: frozenset[str] = frozenset()
    """Metrics that somebody asked for by name: one that cannot be judged is a lack then."""

    @classmethod
    def of_metrics(cls, limits: Mapping[str, float]) -> Thresholds:
        """`limits` by metric, the usual threshold for all others."""
        return cls({metric: limits.get(metric, THRESHOLD) for metric in METRICS})

    def of(self, metric: str, case_id: str) -> float | None:
        """The relative threshold of `metric` in a case; None where it is not judged."""
        found = self.everywhere.get(metric)
        for pattern, limits in self.patterns:
            if metric in limits and fnmatchcase(case_id, pattern):
                found = limits[metric]
        return found

    def metrics(self) -> tuple[str, ...]:
        """Metrics that are judged somewhere, in the order of METRICS."""
        tables = (self.everywhere, *(limits for _, limits in self.patterns))
        return tuple(key for key in METRICS if any(table.get(key) is not None for table in tables))

    def unmatched(self, case_ids: Iterable[str]) -> tuple[str, ...]:
        """Patterns that no case matches: a gate that its author believes in and that never fires."""
        ids = tuple(case_ids)
        return tuple(p for p, _ in self.patterns if not any(fnmatchcase(case_id, p) for case_id in ids))


def parse_thresholds(
    judged: Sequence[str], table: Mapping[str, Any] | None = None, source: str = "", given: Sequence[str] = ()
) -> Thresholds:
    """The usual threshold for the metrics `judged`, changed by the settings file's `table`, then by options `given`.

    UsageError for a metric that is not known or a threshold that is none; `source` names the file.
    """
    everywhere: dict[str, float | None] = dict.fromkeys(judged, THRESHOLD)
    patterns: list[tuple[str, Limits]] = []
    named: set[str] = set()
    for key, value in (table or {}).items():
        if isinstance(value, Mapping):
            limits = {_metric(m, f"thresholds.{key} in {source}"): _limit(v, m, source) for m, v in value.items()}
            patterns.append((key, limits))
            named |= {metric for metric, limit in limits.items() if limit is not None}
        else:
            everywhere[_metric(key, f"thresholds in {source}")] = limit = _limit(value, key, source)
            named |= {_metric(key, source)} if limit is not None else set()
    strongest: dict[str, float | None] = {}
    for text in given:
        metric, colon, value = text.partition(":")
        if not colon:
            raise UsageError(f"--threshold {text!r}: give METRIC:PERCENT, such as throughput:5%, or METRIC:off.")
        name = _metric(metric, "--threshold")
        strongest[name] = _limit(value, name, "--threshold")
    named = (named | {m for m, limit in strongest.items() if limit is not None}) - {
        m for m, limit in strongest.items() if limit is None
    }
    # An option speaks of all cases, those with a pattern of their own too.
    kept = [(p, {m: v for m, v in limits.items() if m not in strongest}) for p, limits in patterns]
    return Thresholds(everywhere | strongest, tuple(kept), frozenset(named))


def _metric(name: str, where: str) -> str:
    key = name.strip().replace("_", "-")
    if key not in METRICS:
        raise unknown(f"metric of {where}", name, METRICS)
    return key


def _limit(value: Any, metric: str, where: str) -> float | None:
    """A relative threshold: `5%`, or a fraction below 1."""
    text = str(value).strip()
    if text.lower() == OFF:
        return None
    try:
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        number = math.nan
    if isinstance(value, bool) or not 0 <= number <= MOST:
        raise UsageError(f"{where}: the threshold of {metric} is {value!r}; give a percentage such as 5%, or off.")
    if number >= 1 and not text.endswith("%"):
        raise UsageError(f"{where}: the threshold of {metric} is {value!r}: {number:g} % is written {number:g}%.")
    return number
