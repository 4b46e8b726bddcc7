"""What a run is made from, and who watches it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from suite.plan import Plan
from suite.results.records import Case, Emissions, Machine, Notice, RunFile, Settings, Trial


class Watcher(Protocol):
    """Hears what happens, to show it. Nothing is said while a window is open."""

    def begins(self, plan: Plan) -> None:
        """The run begins."""

    def stage(self, text: str) -> None:
        """A part of the run outside the trials begins."""

    def trial_begins(self, case: Case, round_number: int) -> None:
        """A trial begins."""

    def part(self, name: str) -> None:
        """A part of the trial begins; after `window` comes silence until `fetch`."""

    def trial_ends(self, case: Case, trial: Trial, power_w: float | None) -> None:
        """A trial has ended; `power_w` is the power last seen, None where there is none."""


@dataclass(frozen=True)
class Order:
    """All that a run is made from."""

    plan: Plan
    settings: Settings
    machine: Machine
    emissions: Emissions
    notices: tuple[Notice, ...]
    command: tuple[str, ...]
    directory: Path
    """Where the run file, and the journal while it lasts, are kept."""
    sensors: tuple[str, ...] = ()
    """Sensors asked for by name; empty: all that can be read."""
    resumed: RunFile | None = None
    """The interrupted run that this one goes on with; None for a new one."""
