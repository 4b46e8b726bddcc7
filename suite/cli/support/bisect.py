"""One step of `git bisect run joulemark check --bisect STEPS`: what it measures, and what its decision is worth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from joulemark.suite.cli.support.prepare import PreparedRun, prepare_settings
from joulemark.suite.errors import NotComparableError, UsageError
from joulemark.suite.plan.ab import resolve_max_rounds
from joulemark.suite.plan.plan import new_order_seed
from joulemark.suite.records import RunFile
from joulemark.suite.results import baselines
from joulemark.suite.results.assemble import COMMAND
from joulemark.suite.results.store import load_path
from joulemark.suite.stats.gate import CONFIDENCE
from joulemark.suite.system import settings_file
from joulemark.suite.system.directories import find_runs, home, runs_directory

ANALYSES: Final = 4
"""Analyses of a case in doubt, after equal numbers of rounds, before its commit is skipped, which costs more."""

DIRECTORY: Final = "bisect"
"""Where the runs of the steps are kept in the home: apart, since they are of other states, and no drift of the
machine."""

WORDS: Final = {0: "good", 1: "bad"}


def bisect_sentence(code: int, steps: int) -> str:
    """Return the decision of a step with the exit code `code` of `check`, and how often such decisions are wrong."""
    wrong = (1 - CONFIDENCE) / 2
    if code not in WORDS:
        return "git bisect: this commit cannot be decided, and is skipped."
    return (
        f"git bisect: this commit is {WORDS[code]}. At most {wrong / steps:.2g} of such decisions are wrong, "
        f"{wrong:.2g} of all {steps} together."
    )


def find_baseline(name: str) -> tuple[RunFile, Path]:
    """Return the kept run of the good commit, and its path. UsageError if there is none, which no commit can change."""
    try:
        path = baselines.find(name, find_runs(None))
    except NotComparableError as error:
        raise UsageError(str(error)) from None
    return load_path(path), path


def prepare_step(baseline: RunFile, path: Path, max_rounds: int | None, out: Path | None) -> PreparedRun:
    """Return what the baseline at `path` measured, to be measured again. UsageError if it cannot be, here or at all."""
    if baseline.arms or baseline.settings.over or any(case.framework == COMMAND for case in baseline.cases):
        raise UsageError(f"--bisect measures again what the baseline did: {baseline.run.id} is no run of cases.")
    settings_file.check_trust(path, baseline.settings.model_dump(exclude_none=True))
    prepared = prepare_settings(baseline.settings, new_order_seed())
    if prepared.machine.fingerprint != baseline.machine.fingerprint:
        raise UsageError(
            f"the baseline {baseline.run.id} was measured on another machine ({baseline.machine.hostname}, "
            f"{baseline.machine.cpu.model}): bisect there, or keep one of this machine."
        )
    directory = runs_directory(home() / DIRECTORY if out is None else out).absolute()
    return replace(with_more_rounds(prepared, max_rounds), directory=directory)


def with_more_rounds(prepared: PreparedRun, max_rounds: int | None) -> PreparedRun:
    """Return the run with as many rounds for cases in doubt as `max_rounds`, by default those of the profile.

    UsageError if that is no multiple of the run's rounds.
    """
    plan = prepared.plan
    if max_rounds is None and plan.max_rounds is not None:
        return prepared
    analyses = max(plan.profile.analyses, ANALYSES)
    return replace(prepared, plan=replace(plan, max_rounds=resolve_max_rounds(max_rounds, plan.rounds, analyses)))
