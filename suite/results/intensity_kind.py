"""How much the grid's intensity has to do with a run: its own hours, a year, the world, or what the user said. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from joulemark.suite.records import Intensity


@dataclass(frozen=True)
class Basis:
    """One kind of intensity and its mark."""

    key: str
    mark: str
    """One character that stands beside grams."""
    words: str
    """For people: `the grid in the run's own hours`."""


BASES: Final[Mapping[str, Basis]] = MappingProxyType(
    {
        found.key: found
        for found in (
            Basis("measured", "●", "the grid in the run's own hours"),
            Basis("estimated", "◐", "those hours as their source estimates them"),
            Basis("average", "◔", "the country's yearly average"),
            Basis("default", "○", "the world's average: no place given"),
            Basis("given", "◇", "your own value"),
        )
    }
)


def basis(intensity: Intensity) -> Basis:
    """Which kind `intensity` is."""
    if intensity.interval_start is not None:
        return BASES["estimated" if intensity.is_estimated else "measured"]
    if intensity.vintage is not None:
        return BASES["default" if intensity.zone is None else "average"]
    return BASES["given"]
