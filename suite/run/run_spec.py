"""What a run is made from, and who listens to its progress."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from joulemark.suite.limits.base import Target
from joulemark.suite.plan.ab import ArmSpec
from joulemark.suite.plan.plan import Plan
from joulemark.suite.records import ArmName, Case, Emissions, Machine, Notice, RunFile, Settings, Trial

FindUndecided = Callable[[RunFile], frozenset[str]]
"""Returns the ids of the cases that need more rounds, from the run so far."""


class ProgressListener(Protocol):
    """Shows the progress of a run. No event occurs while a window is open."""

    def on_run_start(self, plan: Plan, measured: Collection[tuple[str, int]]) -> None:
        """The run starts; `measured` are (case id, round) of the trials that a resumed run already has."""

    def on_more_rounds(self, cases: Sequence[Case], rounds: int) -> None:
        """These cases are undecided and get `rounds` more."""

    def on_stage(self, text: str) -> None:
        """A stage of the run outside the trials starts."""

    def on_trial_start(self, case: Case, round_number: int) -> None:
        """A trial starts, or goes on after its turns."""

    def on_trial_stage(self, name: str) -> None:
        """A stage of the trial starts; after `window` there is no event until `fetch`."""

    def on_trial_end(self, case: Case, trial: Trial, power: tuple[float, bool] | None) -> None:
        """A trial has ended; `power` is what the case drew last, watts, and whether it is an estimate; None if nothing
        shows it."""

    def on_give_up(self, case: Case, rounds: int) -> None:
        """This case is not tried in the remaining `rounds`."""


@dataclass(frozen=True)
class RunSpec:
    """Everything that a run is made from."""

    plan: Plan
    settings: Settings
    machine: Machine
    emissions: Emissions
    notices: tuple[Notice, ...]
    command: tuple[str, ...]
    directory: Path
    """Where the run file is kept, and the journal until it is written."""
    sensors: tuple[str, ...] = ()
    """Names of the selected sensors; empty: all that can be read."""
    resumed: RunFile | None = None
    """The interrupted run to resume; None for a new run."""
    arms: Mapping[ArmName, ArmSpec] = field(default_factory=dict)
    """The arms of an A/B run; empty for any other."""
    limits: Target | None = None
    """What a sweep sets power limits or clocks of; None for any other run."""
    find_undecided: FindUndecided | None = None
    """Called after the planned rounds, and again after each extension up to `plan.max_rounds`; None: no extensions."""
