"""From what a person typed to a plan: what `run` and `list --cases` share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from suite.errors import UsageError, unknown
from suite.plan import Plan
from suite.results.records import Machine, RunFile, Settings


@dataclass(frozen=True)
class Prepared:
    """A request that was understood."""

    settings: Settings
    machine: Machine
    plan: Plan
    resumed: RunFile | None = None
    """The interrupted run to go on with; None for a new one."""
    directory: Path | None = None
    """Where the interrupted run is kept; None for a new one."""


def prepare(given: Mapping[str, Any]) -> Prepared:
    """Settings, machine and plan for the options in `given`. UsageError where they cannot be met."""
    from suite import plan, settings

    return _prepare(settings.resolve({**given, "python": pythons(given.get("python") or ())}), plan.order_seed())


def prepare_again(run: str, given: Mapping[str, Any], directory: Path) -> Prepared:
    """What is left of the interrupted run that `run` names.

    UsageError where it is complete, where this machine or its plan is not the same as then, and where anything in
    `given` asks for something else.
    """
    from suite.results import journal
    from suite.results.store import find, load_path

    if asked := sorted(given):
        raise UsageError(f"--resume goes on with what was asked for then: leave out --{asked[0].replace('_', '-')}.")
    path = find(run, directory)
    if path.suffix == journal.SUFFIX:
        path = journal.finish(path)
    earlier = load_path(path)
    if earlier.run.complete:
        raise UsageError(f"run {earlier.run.id} is complete: there is nothing left of it.")
    prepared = _prepare(earlier.settings, earlier.run.order_seed)
    if prepared.machine.fingerprint != earlier.machine.fingerprint:
        raise UsageError(
            f"run {earlier.run.id} was made on another machine ({earlier.machine.hostname}, "
            f"{earlier.machine.cpu.model}): go on with it there."
        )
    changed = _changed(earlier, prepared)
    if changed:
        raise UsageError(f"run {earlier.run.id} cannot go on: {changed} since then. Start a new run.")
    return replace(prepared, resumed=earlier, directory=path.parent.absolute())


def _changed(earlier: RunFile, now: Prepared) -> str:
    """What is not as it was when the run began, in words; empty where nothing is."""
    for name, info in earlier.machine.frameworks.items():
        found = now.machine.frameworks.get(name)
        if found != info:
            return f"{name} has changed from {info.version} to {found.version if found else 'nothing'}"
    then = {case.id: (case.workload_version, case.threads) for case in earlier.cases}
    if then != {case.id: (case.workload_version, case.threads) for case in now.plan.cases}:
        return "the plan has changed (workloads or threads)"
    if now.plan.rounds != earlier.run.rounds:
        return f"the rounds of the profile have changed from {earlier.run.rounds} to {now.plan.rounds}"
    return ""


def _prepare(chosen: Settings, order_seed: int) -> Prepared:
    from suite import machine, plan
    from suite.frameworks import FRAMEWORKS
    from suite.power.boards import boards
    from suite.power.sensor import check

    for sensor in chosen.sensor:
        check(sensor)
    gpus = boards()
    installed = machine.installed_frameworks(list(FRAMEWORKS), chosen.python, boards=bool(gpus))
    threads = chosen.threads or machine.default_threads()
    return Prepared(
        settings=chosen,
        machine=machine.describe(gpus, installed),
        plan=plan.make(chosen, installed, order_seed, threads),
    )


def pythons(pairs: Any) -> dict[str, str]:
    """`["tensorflow=/opt/tf/bin/python"]` as a mapping."""
    from suite.frameworks import FRAMEWORKS

    found = {}
    for pair in pairs:
        name, _, path = pair.partition("=")
        if not path:
            raise UsageError(f"--python got {pair!r}. Give FRAMEWORK=PATH, such as tensorflow=/opt/tf/bin/python.")
        if name not in FRAMEWORKS:
            raise unknown("framework in --python", name, FRAMEWORKS)
        found[name] = path
    return found
