"""From options to a plan: what `run`, `list --cases` and the other measuring verbs do first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.plan.ab import ArmSpec
from joulemark.suite.plan.plan import Plan
from joulemark.suite.records import ArmName, FrameworkInfo, Machine, RunFile, Settings

if TYPE_CHECKING:
    from joulemark.suite.sensors.gpus.inventory import GpuInventory


@dataclass(frozen=True)
class PreparedRun:
    """A run that is ready to be measured."""

    settings: Settings
    machine: Machine
    plan: Plan
    arms: Mapping[ArmName, ArmSpec] = field(default_factory=dict)
    """The arms of an A/B run; empty for any other."""
    resumed: RunFile | None = None
    """The interrupted run to finish; None for a new run."""
    directory: Path | None = None
    """Where the interrupted run is kept; None for a new run."""


def prepare_run(given: Mapping[str, Any]) -> PreparedRun:
    """Return settings, machine and plan for the options in `given`. Raises UsageError if they cannot be met."""
    from joulemark.suite import settings
    from joulemark.suite.plan.plan import new_order_seed

    interpreters = parse_interpreters(given.get("python") or ())
    return _prepare(settings.resolve({**given, "python": interpreters}), new_order_seed())


def prepare_resumed_run(run: str, flags: Sequence[str], directory: Path | None, arms: bool = False) -> PreparedRun:
    """Return what is left of the interrupted run that `run` names; `arms` if it has to be an A/B run.

    Raises UsageError if it is complete or still being measured, if the machine or the plan has changed, and if there
    are `flags`, which would ask for something else.
    """
    from joulemark.suite.records.journal import SUFFIX, claim
    from joulemark.suite.results.assemble import finish
    from joulemark.suite.results.store import find, load_path
    from joulemark.suite.run import lock

    if flags:
        raise UsageError(f"--resume uses the settings of the interrupted run: leave out {flags[0]}.")
    path = find(run, directory)
    earlier = load_path(path)
    if bool(earlier.arms) != arms:
        raise UsageError(f"run {earlier.run.id} is resumed with `joulemark {'run' if arms else 'ab'} --resume`.")
    # The planned rounds may be complete, and the additional ones of inconclusive cases not.
    if earlier.run.complete and (earlier.run.finished_at is not None or earlier.run.max_rounds is None):
        raise UsageError(f"run {earlier.run.id} is complete: there is nothing left to measure.")
    prepared = _prepare(earlier.settings, earlier.run.order_seed)
    if prepared.machine.fingerprint != earlier.machine.fingerprint:
        raise UsageError(
            f"run {earlier.run.id} was made on another machine ({earlier.machine.hostname}, "
            f"{earlier.machine.cpu.model}): resume it there."
        )
    if change := _change_since(earlier, prepared):
        raise UsageError(f"run {earlier.run.id} cannot be resumed: {change} since then. Start a new run.")
    if path.suffix == SUFFIX:
        # A journal that is still being written must not be finished.
        with lock.hold(), claim(path):
            path = finish(path)
        earlier = load_path(path)
    return replace(prepared, resumed=earlier, directory=path.parent.absolute())


def _change_since(earlier: RunFile, now: PreparedRun) -> str:
    """Return what has changed since the run began; empty if nothing has."""
    for name in earlier.machine.frameworks | now.machine.frameworks:
        info, installed = (run.machine.frameworks.get(name) for run in (earlier, now))
        if installed != info:
            return f"{name} has changed from {_state(info)} to {_state(installed)}"
    for name, arm in earlier.arms.items():
        if now.arms[name].record != arm.model_copy(update={"environment": {}}):
            return f"what is installed for arm {name} ({arm.interpreter}) has changed"
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


def _prepare(settings: Settings, order_seed: int) -> PreparedRun:
    from joulemark.suite import machine
    from joulemark.suite.cli.support.arms import find_arms
    from joulemark.suite.plan.ab import make_ab_plan
    from joulemark.suite.plan.cases import check_names, make_plan
    from joulemark.suite.sensors.base import check_request
    from joulemark.suite.sensors.gpus.inventory import discover
    from joulemark.suite.trial.discover import installed_frameworks
    from joulemark.suite.trial.frameworks import FRAMEWORKS

    check_names(settings)
    for sensor in settings.sensor:
        check_request(sensor)
    gpus = discover()
    names = [*(settings.framework or FRAMEWORKS), *settings.python]
    threads = settings.threads or machine.default_threads()
    if settings.arms:
        arms = find_arms(settings, names, threads)
        plan = make_ab_plan(settings, arms, order_seed, threads)
        # Where there is room for one version it is that of the arm under test; `arms` has both.
        return PreparedRun(settings, describe_machine(gpus, arms["b"].record.frameworks), plan, arms)
    installed = installed_frameworks(names, settings.python)
    plan = make_plan(settings, installed, order_seed, threads)
    return PreparedRun(settings, describe_machine(gpus, installed), plan)


def describe_machine(gpus: GpuInventory, frameworks: Mapping[str, FrameworkInfo]) -> Machine:
    """Return this machine, its GPUs numbered as by the first framework that lists them."""
    from joulemark.suite import machine

    uuids = next((info.boards for info in frameworks.values() if info.boards), ())
    return machine.describe(gpus.with_device_numbers(uuids), frameworks)


def parse_interpreters(options: Iterable[str]) -> dict[str, str]:
    """Return `["tensorflow=/opt/tf/bin/python"]` as a mapping. Raises UsageError."""
    from joulemark.suite.trial.frameworks import FRAMEWORKS

    interpreters = {}
    for option in options:
        name, _, path = option.partition("=")
        if not path:
            raise UsageError(f"--python got {option!r}. Give FRAMEWORK=PATH, such as tensorflow=/opt/tf/bin/python.")
        if name not in FRAMEWORKS:
            raise unknown("framework in --python", name, FRAMEWORKS)
        interpreters[name] = path
    return interpreters
