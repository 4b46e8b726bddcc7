"""What a run is made from, and who watches it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from joulemark.suite.plan.ab import ArmSpec
from joulemark.suite.plan.cases import Plan
from joulemark.suite.records import ArmName, Case, Emissions, Machine, Notice, RunFile, Settings, Trial

Undecided = Callable[[RunFile], frozenset[str]]
"""From a run so far: ids of the cases that need more rounds."""


class ProgressListener(Protocol):
    """Hears what happens, to show it. Nothing is said while a window is open."""

    def begins(self, plan: Plan, before: Collection[tuple[str, int]]) -> None:
        """The run begins; `before` are (case, round) of the trials that a resumed run has already."""

    def goes_on(self, cases: Sequence[Case], rounds: int) -> None:
        """These cases are not decided and get `rounds` more."""

    def stage(self, text: str) -> None:
        """A part of the run outside the trials begins."""

    def trial_begins(self, case: Case, round_number: int) -> None:
        """A trial begins."""

    def part(self, name: str) -> None:
        """A part of the trial begins; after `window` comes silence until `fetch`."""

    def trial_ends(self, case: Case, trial: Trial, power_w: float | None) -> None:
        """A trial has ended; `power_w` is the power last seen, None where there is none."""

    def gives_up(self, case: Case, rounds: int) -> None:
        """This case is not tried again in the `rounds` that are left."""


@dataclass(frozen=True)
class RunSpec:
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
    sides: Mapping[ArmName, ArmSpec] = field(default_factory=dict)
    """The arms of an A/B run; empty for any other."""
    undecided: Undecided | None = None
    """Who needs more rounds than the plan has, asked while its most rounds are not used up; None: nobody."""
