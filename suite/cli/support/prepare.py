"""From what a person typed to a plan: what `run` and `list --cases` share."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joulemark import __version__
from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.plan.ab import NAMES, ArmSpec
from joulemark.suite.plan.cases import Plan
from joulemark.suite.records import ArmName, ArmRecord, FrameworkInfo, Machine, RunFile, Settings

if TYPE_CHECKING:
    from joulemark.suite.sensors.gpus import Boards

NVIDIA = Path("/dev/nvidiactl")
"""There where NVIDIA's driver is: a container may have CUDA without NVML."""


@dataclass(frozen=True)
class Prepared:
    """A request that was understood."""

    settings: Settings
    machine: Machine
    plan: Plan
    sides: Mapping[ArmName, ArmSpec] = field(default_factory=dict)
    """The arms of an A/B run; empty for any other."""
    resumed: RunFile | None = None
    """The interrupted run to go on with; None for a new one."""
    directory: Path | None = None
    """Where the interrupted run is kept; None for a new one."""


def prepare(given: Mapping[str, Any]) -> Prepared:
    """Settings, machine and plan for the options in `given`. UsageError where they cannot be met."""
    from joulemark.suite import settings
    from joulemark.suite.plan import cases

    return _prepare(settings.resolve({**given, "python": pythons(given.get("python") or ())}), cases.order_seed())


def prepare_again(run: str, typed: Sequence[str], directory: Path, arms: bool = False) -> Prepared:
    """What is left of the interrupted run that `run` names, which has arms or not.

    UsageError where it is complete or still measured, where this machine or its plan is not the same as then, and
    where options were `typed` that ask for something else.
    """
    from joulemark.suite.records.journal import SUFFIX
    from joulemark.suite.results.assemble import finish
    from joulemark.suite.results.store import find, load_path
    from joulemark.suite.run import lock

    if typed:
        raise UsageError(f"--resume goes on with what was asked for then: leave out {typed[0]}.")
    path = find(run, directory)
    earlier = load_path(path)
    if bool(earlier.arms) != arms:
        raise UsageError(f"run {earlier.run.id} goes on with `joulemark {'run' if arms else 'ab'} --resume`.")
    # The rounds of all cases may be complete, and those of the cases in doubt not.
    if earlier.run.complete and (earlier.run.finished_at is not None or earlier.run.max_rounds is None):
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
    if path.suffix == SUFFIX:
        # Whoever measures holds the lock: the journal of a run that is going on is not ours to finish.
        with lock.hold(f"--resume {earlier.run.id}"):
            path = finish(path)
        earlier = load_path(path)
    return replace(prepared, resumed=earlier, directory=path.parent.absolute())


def _changed(earlier: RunFile, now: Prepared) -> str:
    """What is not as it was when the run began, in words; empty where nothing is."""
    for name, info in earlier.machine.frameworks.items():
        found = now.machine.frameworks.get(name)
        if found != info:
            return f"{name} has changed from {info.version} to {found.version if found else 'nothing'}"
    for name, arm in earlier.arms.items():
        if now.sides[name].arm != arm.model_copy(update={"environment": {}}):
            return f"what is installed for arm {name} ({arm.interpreter}) has changed"
    then = {case.id: (case.workload_version, case.threads) for case in earlier.cases}
    if then != {case.id: (case.workload_version, case.threads) for case in now.plan.cases}:
        return "the plan has changed (workloads or threads)"
    if now.plan.rounds != earlier.run.rounds:
        return f"the rounds of the profile have changed from {earlier.run.rounds} to {now.plan.rounds}"
    return ""


def _prepare(chosen: Settings, order_seed: int) -> Prepared:
    from joulemark.suite import machine
    from joulemark.suite.plan import ab, cases
    from joulemark.suite.sensors.base import check
    from joulemark.suite.sensors.gpus import discover
    from joulemark.suite.trial.discover import installed_frameworks
    from joulemark.suite.trial.frameworks import FRAMEWORKS

    for sensor in chosen.sensor:
        check(sensor)
    boards = discover()
    awake = may_see(boards)
    threads = chosen.threads or machine.default_threads()
    if chosen.arms:
        sides = _sides(chosen, awake, threads)
        made = ab.make(chosen, sides, order_seed, threads)
        # Where one version is asked for, that of the arm under test stands; the file has both in its arms.
        return Prepared(chosen, described(boards, sides["b"].arm.frameworks), made, sides)
    installed = installed_frameworks(list(FRAMEWORKS), chosen.python, ask_devices=awake)
    return Prepared(chosen, described(boards, installed), cases.make(chosen, installed, order_seed, threads))


def may_see(boards: Boards) -> bool:
    """Whether a framework may see boards, so that it is worth the seconds to ask it."""
    return bool(boards.gpus) or NVIDIA.exists()


def described(boards: Boards, frameworks: Mapping[str, FrameworkInfo]) -> Machine:
    """This machine, its boards numbered as a framework says, where one does."""
    from joulemark.suite import machine

    uuids = next((info.boards for info in frameworks.values() if info.boards), ())
    return machine.describe(boards.with_device_numbers(uuids), frameworks)


def _sides(chosen: Settings, boards: bool, threads: int) -> dict[ArmName, ArmSpec]:
    """The arms as they are found. UsageError for an interpreter that cannot run trials as we ask for them."""
    from joulemark.suite.trial.frameworks import FRAMEWORKS
    from joulemark.suite.trial.interpreter import query
    from joulemark.suite.trial.request import protocol

    if chosen.python and all(chosen.arms[name].python for name in NAMES):
        raise UsageError("--python is for an arm without an interpreter of its own: both have one. Leave it out.")
    found: dict[ArmName, ArmSpec] = {}
    for name in NAMES:
        own, count = chosen.arms[name].python, chosen.arms[name].threads or threads
        if own is None:
            found[name] = ArmSpec(_here(chosen.python, boards), chosen.python, count)
            continue
        path = _program(own)
        other = query(path, ask_devices=boards)
        if other.protocol != protocol():
            raise UsageError(
                f"{path} has joulemark {other.arm.suite_version}, whose trials are asked otherwise than those of "
                f"{__version__} here (protocol {other.protocol}, here {protocol()}). Use versions that agree."
            )
        found[name] = ArmSpec(other.arm, dict.fromkeys(FRAMEWORKS, path), count, other.workloads)
    return found


def _here(pythons: Mapping[str, str], boards: bool) -> ArmRecord:
    """The interpreter that runs joulemark as an arm."""
    from joulemark.suite.trial.discover import installed_frameworks, packages
    from joulemark.suite.trial.frameworks import FRAMEWORKS

    installed: dict[str, FrameworkInfo] = installed_frameworks(list(FRAMEWORKS), pythons, ask_devices=boards)
    return ArmRecord(
        interpreter=sys.executable,
        python=platform.python_version(),
        suite_version=__version__,
        frameworks=installed,
        packages=packages(),
    )


def _program(python: str) -> str:
    """The absolute path of an interpreter; a link stays one, since a virtual environment is known by its place."""
    found = shutil.which(Path(python).expanduser())
    if found is None:
        raise UsageError(f"cannot run {python}: there is no such program. Give a path such as .venv/bin/python.")
    return os.path.abspath(found)


def pythons(pairs: Any) -> dict[str, str]:
    """`["tensorflow=/opt/tf/bin/python"]` as a mapping."""
    from joulemark.suite.trial.frameworks import FRAMEWORKS

    found = {}
    for pair in pairs:
        name, _, path = pair.partition("=")
        if not path:
            raise UsageError(f"--python got {pair!r}. Give FRAMEWORK=PATH, such as tensorflow=/opt/tf/bin/python.")
        if name not in FRAMEWORKS:
            raise unknown("framework in --python", name, FRAMEWORKS)
        found[name] = path
    return found
