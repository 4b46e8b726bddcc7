"""Find the frameworks and packages of an interpreter, and the devices that each framework sees.

A framework is imported only in a throw-away process, since it may initialise a GPU. That process is this module, run
as `python -P -m joulemark.suite.trial.discover FRAMEWORK`; it prints one line of JSON, `null` if the framework is not
installed.
"""

from __future__ import annotations

import importlib
import json
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from joulemark.suite.errors import UsageError
from joulemark.suite.records import FrameworkInfo
from joulemark.suite.trial.frameworks import FRAMEWORKS

PACKAGES = (
    "numpy",
    *(name for framework in FRAMEWORKS.values() for name in framework.companions),
    *("codecarbon", "nvidia-ml-py", "psutil"),
)


def packages() -> dict[str, str]:
    """Return versions of the packages in this interpreter that can change a result."""
    return {name: installed for name in PACKAGES if (installed := _version(name))}


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def installed_frameworks(
    names: Sequence[str], pythons: Mapping[str, str], ask_devices: bool
) -> dict[str, FrameworkInfo]:
    """Return those frameworks of `names` that are installed here, or in the interpreter that `pythons` gives.

    Reads metadata only, unless there is another interpreter or `ask_devices`: a throw-away process then imports the
    framework. Raises UsageError if an interpreter cannot be queried.
    """
    installed: dict[str, FrameworkInfo] = {}
    for name in names:
        python = pythons.get(name)
        only_metadata = python is None and not ask_devices
        info = _from_metadata(name) if only_metadata else _query(name, python or sys.executable)
        if info is not None:
            installed[name] = info
    return installed


def _from_metadata(framework: str) -> FrameworkInfo | None:
    """Return what this interpreter's metadata say of `framework`; None if it is not installed."""
    for distribution in FRAMEWORKS[framework].distributions:
        if installed := _version(distribution):
            return FrameworkInfo(version=installed, python=platform.python_version(), build="cpu")
    return None


def _query(framework: str, python: str) -> FrameworkInfo | None:
    """Return what `framework` says of itself in the interpreter `python`; None if it is not installed there."""
    command = [python, "-P", "-m", "joulemark.suite.trial.discover", framework]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"cannot run {python} for {framework}: {error}.") from None
    if "No module named 'joulemark" in done.stderr:
        raise UsageError(f"{python} has no joulemark: install joulemark[{framework}] there.")
    try:
        answer = json.loads(done.stdout.strip().splitlines()[-1]) if done.returncode == 0 else ""
        return FrameworkInfo.model_validate(answer) if answer is not None else None
    except (IndexError, ValueError):
        return _broken(framework, python, done.stderr.strip().splitlines()[-1:])


def _broken(framework: str, python: str, error_lines: Sequence[str]) -> FrameworkInfo:
    """Return what metadata say of a framework that cannot be imported: its trials will give the reason.

    Raises UsageError if it is not this interpreter's, or not even its metadata are there.
    """
    info = _from_metadata(framework)
    if python != sys.executable or info is None:
        raise UsageError(f"{framework} in {python} could not be queried: {''.join(error_lines) or 'no output'}.")
    return info


def main(framework: str) -> None:
    """Print what `framework` says of itself."""
    facts: dict[str, Any] | None
    try:
        facts = importlib.import_module(FRAMEWORKS[framework].adapter).discover()
    except ModuleNotFoundError as error:
        if error.name != FRAMEWORKS[framework].module:
            raise
        facts = None
    print(json.dumps(facts and facts | {"python": platform.python_version()}))


if __name__ == "__main__":
    main(sys.argv[1])
