"""Where a run's carbon intensity comes from: the hours of the run, a year, the world, or the user. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from joulemark.suite.records import Intensity


@dataclass(frozen=True)
class IntensityKind:
    """One kind of intensity, the character that marks grams of it, and its label for people."""

    key: str
    mark: str
    label: str


INTENSITY_KINDS: Final[Mapping[str, IntensityKind]] = MappingProxyType(
    {
        kind.key: kind
        for kind in (
            IntensityKind("measured", "●", "the grid at the time of the run"),
            IntensityKind("estimated", "◐", "the same hours, estimated by their source"),
            IntensityKind("average", "◔", "the country's yearly average"),
            IntensityKind("default", "○", "the world average: no location given"),
            IntensityKind("given", "◇", "your own value"),
        )
    }
)


def intensity_kind(intensity: Intensity) -> IntensityKind:
    """Return the kind of `intensity`."""
    if intensity.interval_start is not None:
        return INTENSITY_KINDS["estimated" if intensity.is_estimated else "measured"]
    if intensity.vintage is not None:
        return INTENSITY_KINDS["default" if intensity.zone is None else "average"]
    return INTENSITY_KINDS["given"]
