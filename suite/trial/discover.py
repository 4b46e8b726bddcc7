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

QUERY_TIMEOUT_S = 180.0

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
        info = _from_metadata(name) if only_metadata else _from_import(name, python or sys.executable)
        if info is not None:
            installed[name] = info
    return installed


def _from_metadata(framework: str) -> FrameworkInfo | None:
    """Return what this interpreter's metadata say of `framework`; None if it is not installed."""
    for distribution in FRAMEWORKS[framework].distributions:
        if installed := _version(distribution):
            return FrameworkInfo(version=installed, python=platform.python_version(), build="cpu")
    return None


def _from_import(framework: str, python: str) -> FrameworkInfo | None:
    """Return what `framework` says of itself in the interpreter `python`; None if it is not installed there.

    One of this interpreter that cannot be imported is described by its metadata: its trials will give the reason.
    """
    try:
        answer = run_module(python, "discover", [framework], QUERY_TIMEOUT_S)
        return FrameworkInfo.model_validate(answer) if answer is not None else None
    except ValueError as error:
        info = _from_metadata(framework) if python == sys.executable else None
        if info is None:
            reason = " ".join(str(error).split())
            raise UsageError(f"{framework} in {python} could not be queried: {reason}.") from None
        return info


def run_module(python: str, module: str, arguments: Sequence[str], timeout_s: float) -> Any:
    """Run a module of this package in the interpreter `python`. Return the JSON value on its last line of output.

    Raises UsageError if the interpreter cannot be run, has no joulemark or too old a one, or does not answer in time,
    and ValueError, with the last line of its errors, if it fails otherwise.
    """
    command = [python, "-P", "-m", f"joulemark.suite.trial.{module}", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    except OSError as error:
        raise UsageError(f"cannot run {python}: {error.strerror}. Give the path of a Python interpreter.") from None
    except subprocess.TimeoutExpired:
        raise UsageError(f"{python} could not be queried: no answer within {timeout_s:.0f} s.") from None
    error_line = (done.stderr.strip().splitlines() or ["no output"])[-1]
    missing_module = error_line.rpartition("No module named ")[2].strip("'\") ")
    if missing_module == "joulemark":
        raise UsageError(f"{python} has no joulemark: install it there ({python} -m pip install joulemark).")
    if missing_module.startswith("joulemark."):
        raise UsageError(f"{python} has a joulemark that is too old: upgrade it there.")
    output_lines = done.stdout.strip().splitlines()  # a site's start-up file may print lines before the last one
    if done.returncode or not output_lines:
        raise ValueError(error_line)
    try:
        return json.loads(output_lines[-1])
    except json.JSONDecodeError:
        raise ValueError(f"its output is not JSON ({error_line})") from None


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
