"""The two arms of an A/B run: their interpreters and what is installed there."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Mapping, Sequence

from joulemark import __version__
from joulemark.suite.errors import UsageError
from joulemark.suite.plan.ab import NAMES, ArmSpec
from joulemark.suite.records import ArmName, ArmRecord, Settings
from joulemark.suite.system.directories import expanded


def find_arms(settings: Settings, names: Sequence[str], threads: int) -> dict[ArmName, ArmSpec]:
    """Return the arms of `settings` with the frameworks `names`; `threads` for those without a number of their own.

    Raises UsageError for an interpreter that cannot run the trials of this version.
    """
    from joulemark.suite.trial.frameworks import FRAMEWORKS
    from joulemark.suite.trial.interpreter import query
    from joulemark.suite.trial.request import protocol

    if settings.python and all(settings.arms[name].python for name in NAMES):
        raise UsageError("--python is for an arm without an interpreter of its own: both have one. Leave it out.")
    arms: dict[ArmName, ArmSpec] = {}
    for name in NAMES:
        arm = settings.arms[name]
        if arm.python is None:
            arms[name] = ArmSpec(_this_interpreter(settings.python, names), settings.python, arm.threads or threads)
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
    from joulemark.suite.trial.discover import installed_frameworks, packages

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
