"""What every experiment tracker takes: rows of numbers, parameters and tags of the run, and files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_OTHER_CHARACTERS = re.compile(r"[^\w./-]+", re.ASCII)
"""What at least one tracker takes in no name: TensorBoard has the narrowest set."""


@dataclass(frozen=True)
class Row:
    """Numbers that belong to one step, epoch or window, or to the whole."""

    series: str
    """The beginning of their names, such as `joulemark/fit/step`."""
    values: Mapping[str, float]
    """By the end of the name, `energy_j` or `package/energy_j`. What was not measured is absent, never 0."""
    time_s: float
    """When it ended, seconds since the epoch."""
    index: int | None = None
    """Number of the step, epoch or window, from 0; None for the whole."""


class Tracker(Protocol):
    """A run of one tracker. Any method may raise whatever the tracker's package raises."""

    title: str
    """Name of the tracker and its run, for messages."""

    def describe(self, parameters: Mapping[str, str], tags: Mapping[str, str]) -> None:
        """Keep what the run was made with, and what is to be known of its numbers."""

    def log(self, rows: Sequence[Row]) -> None:
        """Keep numbers."""

    def attach(self, paths: Sequence[Path]) -> None:
        """Keep files."""

    def close(self) -> None:
        """Write everything out, and end the run if it was begun here."""


def metric_name(text: str) -> str:
    """Return `text`, such as the id of a case, as part of a name that every tracker takes."""
    return _OTHER_CHARACTERS.sub("-", text).strip("-/") or "unnamed"
