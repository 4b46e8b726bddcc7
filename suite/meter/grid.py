"""The grid over windows that are marked one by one, perhaps for days: asked once an hour, weighed by energy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from suite.carbon.resolve import resolve
from suite.carbon.service import from_environment
from suite.results.records import Emissions, Notice, Settings
from suite.settings import home

Found = tuple[Emissions, tuple[Notice, ...]]
Span = tuple[datetime, datetime]
HOUR = timedelta(hours=1)


class Grid:
    """What grams are computed with, by settings and time."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, datetime], Found] = {}

    def over(self, settings: Settings, span: Span) -> Found:
        """As `suite.carbon.resolve` has it for `span`. UsageError where the settings cannot be met."""
        hour = span[0].replace(minute=0, second=0, microsecond=0)
        key = settings.model_dump_json(), hour
        if key in self._kept and span[1] < hour + HOUR:
            return self._kept[key]
        service = from_environment(settings.offline, settings.emission_factors, home() / "cache")
        found = resolve(settings, datetime.now(UTC), service, span)
        if span[1] < hour + HOUR:
            self._kept[key] = found
        return found


def weighed(emissions: Emissions, span: Span, energy_j: Callable[[Span], float]) -> Emissions:
    """`emissions` with the mean of its intervals by the energy that `span` has in each; as given without intervals."""
    starts = [(datetime.fromisoformat(part.start), part.g_per_kwh) for part in emissions.intervals]
    borders = [span[0], *(start for start, _ in starts if span[0] < start < span[1]), span[1]]
    parts = [(energy_j((begin, end)), _at(starts, begin)) for begin, end in pairwise(borders)] if starts else []
    total_j = sum(joules for joules, _ in parts)
    if total_j <= 0:
        return emissions
    mean = sum(joules * g_per_kwh for joules, g_per_kwh in parts) / total_j
    return emissions.model_copy(update={"intensity": emissions.intensity.model_copy(update={"g_per_kwh": mean})})


def _at(starts: list[tuple[datetime, float]], time: datetime) -> float:
    """The value of the last interval that has begun by `time`; of the first before it."""
    return next((value for start, value in reversed(starts) if start <= time), starts[0][1])
