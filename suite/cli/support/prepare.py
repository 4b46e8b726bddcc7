"""From options to a plan: what `run`, `list --cases` and the other measuring verbs do first."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from joulemark import __version__
from joulemark.suite import machine
from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.carbon.service import from_environment
from joulemark.suite.cli.arguments import resolve_settings
from joulemark.suite.cli.support.sweep.limits import SweptLimits, limited_device
from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.limits.base import Target
from joulemark.suite.plan import kept_effort
from joulemark.suite.plan.ab import NAMES, ArmSpec, make_ab_plan
from joulemark.suite.plan.cases import check_names, make_plan
from joulemark.suite.plan.plan import Plan, new_order_seed
from joulemark.suite.plan.profiles import find_profile
from joulemark.suite.plan.sweep import make_sweep_plan, swept_selection
from joulemark.suite.records import ArmName, ArmRecord, FrameworkInfo, Machine, RunFile, Settings
from joulemark.suite.sensors.base import check_request
from joulemark.suite.sensors.gpus.inventory import GpuInventory, discover
from joulemark.suite.system.directories import expanded, runs_directory
from joulemark.suite.system.ranks import span
from joulemark.suite.terminal.console import print_message
from joulemark.suite.trial.discover import installed_frameworks, packages
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.trial.interpreter import query
from joulemark.suite.trial.request import protocol


@dataclass(frozen=True)
class PreparedRun:
    """A run that is ready to be measured."""

    settings: Settings
    machine: Machine
    plan: Plan
    arms: Mapping[ArmName, ArmSpec] = field(default_factory=dict)
    """The arms of an A/B run; empty for any other."""
    limits: Target | None = None
    """What a sweep sets power limits or clocks of; None for any other run."""
    resumed: RunFile | None = None
    """The interrupted run to finish; None for a new run."""
    directory: Path | None = None
    """Where its file is kept; None if nothing is measured."""


def prepare_run(
    given: Mapping[str, Any], measures: bool = True, out: Path | None = None, calibrated: bool = True
) -> PreparedRun:
    """Return settings, machine and plan for the options in `given`. Raises UsageError if they cannot be met.

    Programs and files that the settings file names are used if the verb `measures`, and named in any case. The run will
    be kept in the directory `out`, or in the home. Unless `calibrated` is false, a profile that may have it gets the
    effort that was chosen for this machine; a sweep has rounds of its own.
    """
    interpreters = parse_interpreters(given.get("python") or ())
    settings = resolve_settings({**given, "python": interpreters}, measures)
    directory = runs_directory(out).absolute() if measures else None
    _check_carbon(settings)  # before frameworks are imported, which takes seconds
    node = span.find() if settings.nodes is not None else None
    order_seed = new_order_seed() if node is None else node.order_seed
    prepared = prepare_settings(settings, order_seed, measures)
    # A sweep has rounds of its own, and cases that no calibration was of.
    if calibrated and prepared.plan.profile.calibrated and not settings.over:
        prepared = _with_kept_effort(prepared, order_seed)
    return replace(prepared, directory=directory)


def _with_kept_effort(prepared: PreparedRun, order_seed: int) -> PreparedRun:
    """Return the run with the effort that is kept for this machine and these cases, and say so; as it is without."""
    kept = kept_effort.load(prepared.machine)
    effort = kept_effort.find(kept, prepared.plan.runnable())
    if effort is None:
        if kept:
            print_message(
                "The kept calibration is for other cases or threads: the profile's rounds and window are used."
            )
        return prepared
    turns = bool(prepared.arms) and prepared.plan.profile.turns > 0
    settings = kept_effort.with_effort(prepared.settings, effort, turns)
    if settings.effort_source is None:  # the user gave all of it
        return prepared
    print_message(f"{settings.effort_source[:1].upper()}{settings.effort_source[1:]}.")
    plan = _plan(settings, prepared.arms, prepared.machine, order_seed)
    return replace(prepared, settings=settings, plan=plan)


def _check_carbon(settings: Settings) -> None:
    """Raise UsageError for carbon inputs that cannot be met. Where a service will be asked, it decides about them."""
    if from_environment(settings.offline, settings.emission_factors, cache=None).maps is None:
        resolve(settings, datetime.now(UTC))


def prepare_settings(settings: Settings, order_seed: int, measures: bool = True) -> PreparedRun:
    """Return machine and plan for the settings. Raises UsageError if they cannot be met."""
    check_names(swept_selection(settings) if settings.over else settings)
    for sensor in settings.sensor:
        check_request(sensor)
    gpus = discover()
    names = [*(settings.framework or FRAMEWORKS), *settings.python]
    arms: Mapping[ArmName, ArmSpec] = {}
    limits = SweptLimits()
    if settings.over:
        settings, limits = limited_device(settings, gpus.gpus, measures)
    if settings.arms:
        arms = find_arms(settings, names, _threads(settings))
        # Where there is room for one version it is that of the arm under test; `arms` has both.
        installed = arms["b"].record.frameworks
    else:
        installed = installed_frameworks(names, settings.python)
    computer = describe_machine(gpus, installed)
    plan = _plan(settings, arms, computer, order_seed, limits.present_w)
    return PreparedRun(settings, computer, plan, arms, limits.target)


def _plan(
    settings: Settings,
    arms: Mapping[ArmName, ArmSpec],
    computer: Machine,
    order_seed: int,
    present_limit_w: int | None = None,
) -> Plan:
    """Return the plan of an A/B run, a sweep or any other run; `present_limit_w` is the power limit in force."""
    threads, memory_bytes = _threads(settings), machine.memory_by_device(computer.gpus)
    if arms:
        return make_ab_plan(settings, arms, order_seed, threads, memory_bytes)
    given = computer.frameworks, order_seed, threads, machine.multiplies_bf16(), memory_bytes
    return make_sweep_plan(settings, *given, present_limit_w) if settings.over else make_plan(settings, *given)


def _threads(settings: Settings) -> int:
    return settings.threads or find_profile(settings).threads or machine.default_threads()


def describe_machine(gpus: GpuInventory, frameworks: Mapping[str, FrameworkInfo]) -> Machine:
    """Return this machine, its GPUs numbered as by the first framework that lists them."""
    uuids = next((info.boards for info in frameworks.values() if info.boards), ())
    return machine.describe(gpus.with_device_numbers(uuids), frameworks)


def parse_interpreters(options: Iterable[str]) -> dict[str, str]:
    """Return `["tensorflow=/opt/tf/bin/python"]` as a mapping. Raises UsageError."""
    interpreters = {}
    for option in options:
        name, _, path = option.partition("=")
        if not path:
            raise UsageError(f"--python got {option!r}. Give FRAMEWORK=PATH, such as tensorflow=/opt/tf/bin/python.")
        if name not in FRAMEWORKS:
            raise unknown("framework in --python", name, FRAMEWORKS)
        interpreters[name] = path
    return interpreters


def find_arms(settings: Settings, names: Sequence[str], threads: int) -> dict[ArmName, ArmSpec]:
    """Return the arms of `settings` with the frameworks `names`; `threads` for those without a number of their own.

    Raises UsageError for an interpreter that cannot run the trials of this version.
    """
    if settings.python and all(settings.arms[name].python for name in NAMES):
        raise UsageError("--python is for an arm without an interpreter of its own: both have one. Leave it out.")
    arms: dict[ArmName, ArmSpec] = {}
    here: ArmRecord | None = None
    for name in NAMES:
        arm = settings.arms[name]
        if arm.python is None:
            here = here or _this_interpreter(settings.python, names)
            arms[name] = ArmSpec(here, settings.python, arm.threads or threads)
            continue
        path = _absolute_path(arm.python)
        interpreter = query(path, names)
        if interpreter.protocol != protocol():
            raise UsageError(
                f"{path} has joulemark {interpreter.arm.suite_version}, whose trials take other requests than those of "
                f"{__version__} here (protocol {interpreter.protocol}, here {protocol()}). Use versions that agree."
            )
        pythons = dict.fromkeys(FRAMEWORKS, path)
        arms[name] = ArmSpec(interpreter.arm, pythons, arm.threads or threads, interpreter.workloads)
    return arms


def _this_interpreter(pythons: Mapping[str, str], names: Sequence[str]) -> ArmRecord:
    """Return the interpreter that runs joulemark as an arm."""
    return ArmRecord(
        interpreter=sys.executable,
        python=platform.python_version(),
        suite_version=__version__,
        frameworks=installed_frameworks(names, pythons),
        packages=packages(),
    )


def _absolute_path(python: str) -> str:
    """Return the absolute path of an interpreter, without resolving links: they tell virtual environments apart."""
    path = shutil.which(expanded(python))
    if path is None:
        raise UsageError(f"cannot run {python}: there is no such program. Give a path such as .venv/bin/python.")
    return os.path.abspath(path)
