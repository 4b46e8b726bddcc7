"""`--resume`: find an interrupted run, and prepare what is left of it, or finish it where nothing is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from joulemark.suite.cli.support.execute import keep
from joulemark.suite.cli.support.prepare import PreparedRun, prepare_settings
from joulemark.suite.errors import UsageError
from joulemark.suite.records import FrameworkInfo, RunFile
from joulemark.suite.records.journal import SUFFIX, claim
from joulemark.suite.results.assemble import COMMAND, finish, remove_leftovers
from joulemark.suite.results.store import find, load_path
from joulemark.suite.run import lock
from joulemark.suite.system import settings_file
from joulemark.suite.terminal.console import print_message


@dataclass(frozen=True)
class ResumedRun:
    """A run that was interrupted, or killed."""

    path: Path
    """Its run file, or its journal."""
    run_file: RunFile

    @property
    def is_measured(self) -> bool:
        """Whether nothing is left to measure: it was killed at its end, maybe before its run file was written."""
        run = self.run_file.run
        # The planned rounds may be complete, and the additional ones of inconclusive cases not.
        return run.complete and (run.finished_at is not None or run.max_rounds is None)


def find_resumed(
    run: str, flags: Sequence[str], directory: Path | None, dry_run: bool, verb: str = "run"
) -> ResumedRun:
    """Return the run that `run` names, which `verb` has to have made.

    Raises UsageError if there are `flags`, which would ask for something else, if it is no run of cases, and for a
    `dry_run` of one that is measured.
    """
    if flags:
        raise UsageError(f"--resume uses the settings of the interrupted run: leave out {flags[0]}.")
    path = find(run, directory)
    resumed = ResumedRun(path, load_path(path))
    run_file = resumed.run_file
    own_verb = "ab" if run_file.arms else "sweep" if run_file.settings.over else "run"
    if own_verb != verb:
        raise UsageError(f"run {run_file.run.id} is resumed with `joulemark {own_verb} --resume`.")
    if not resumed.is_measured and any(case.framework == COMMAND for case in run_file.cases):
        raise UsageError(f"run {run_file.run.id} is of a command, which cannot be resumed: measure it again.")
    if resumed.is_measured and dry_run:
        raise UsageError(f"run {run_file.run.id} is complete: there is nothing left to measure.")
    return resumed


def finish_resumed(resumed: ResumedRun) -> tuple[RunFile, Path, bool]:
    """Write the run file of a run that is measured, and its rows, where they are missing; return what `measure_run`
    does."""
    path = _finished(resumed.path)
    if path.stem == resumed.run_file.run.id:  # else what is beside it may be anybody's
        remove_leftovers(path)
    print_message(f"Run {resumed.run_file.run.id} is complete: there is nothing left to measure.")
    return keep(path, resumed.run_file.settings), path, False


def prepare_resumed(resumed: ResumedRun) -> PreparedRun:
    """Return what is left of an interrupted run. UsageError if it goes on, or the machine or the plan has changed."""
    earlier = resumed.run_file
    settings_file.check_trust(resumed.path, earlier.settings.model_dump(exclude_none=True))
    path = _finished(resumed.path)  # another process's run is refused before frameworks are imported
    prepared = prepare_settings(earlier.settings, earlier.run.order_seed)
    if prepared.machine.fingerprint != earlier.machine.fingerprint:
        raise UsageError(
            f"run {earlier.run.id} was made on another machine ({earlier.machine.hostname}, "
            f"{earlier.machine.cpu.model}): resume it there."
        )
    if change := _change_since(earlier, prepared):
        raise UsageError(f"run {earlier.run.id} cannot be resumed: {change} since then. Start a new run.")
    return replace(prepared, resumed=load_path(path), directory=path.parent.absolute())


def _finished(path: Path) -> Path:
    """Return the run file of a run; where it has a journal, written from that, which nobody may be writing."""
    if path.suffix != SUFFIX:
        return path
    with lock.hold(), claim(path):
        return finish(path)


def _change_since(earlier: RunFile, now: PreparedRun) -> str:
    """Return what has changed since the run began; empty if nothing has."""
    for name in earlier.machine.frameworks | now.machine.frameworks:
        info, installed = (run.machine.frameworks.get(name) for run in (earlier, now))
        if installed != info:
            return f"{name} has changed from {_state(info)} to {_state(installed)}"
    for name, arm in earlier.arms.items():
        if now.arms[name].record != arm.model_copy(update={"environment": {}}):
            return f"what is installed for arm {name} ({arm.interpreter}) has changed"
    limits_w = [
        next((case.power_limit_w for case in cases if case.sweep_default), None)
        for cases in (earlier.cases, now.plan.cases)
    ]
    if limits_w[0] != limits_w[1]:
        return f"the power limit in force has changed from {limits_w[0]} W to {limits_w[1]} W"
    before = {case.id: (case.workload_version, case.threads) for case in earlier.cases}
    if before != {case.id: (case.workload_version, case.threads) for case in now.plan.cases}:
        return "the plan has changed (workloads or threads)"
    if now.plan.rounds != earlier.run.rounds:
        return f"the rounds of the profile have changed from {earlier.run.rounds} to {now.plan.rounds}"
    return ""


def _state(info: FrameworkInfo | None) -> str:
    if info is None:
        return "not installed"
    return info.version + (" (broken)" if info.broken_reason else f" on {', '.join(info.devices)}")
