"""Find the frameworks and packages of an interpreter, and the devices that a framework sees.

A framework is imported only in a throw-away process, since it may wake a device. That process is this module, run as
 `python -P -m joulemark.suite.trial.discover FRAMEWORK`; prints one line of JSON, `null` where it is not
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

PACKAGES = ("numpy", "keras", "codecarbon", "nvidia-ml-py", "psutil")


def packages() -> dict[str, str]:
    """Versions of the packages in this interpreter that can change a result."""
    return {name: found for name in PACKAGES if (found := _version(name))}


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def installed_frameworks(names: Sequence[str], pythons: Mapping[str, str], boards: bool) -> dict[str, FrameworkInfo]:
    """The frameworks among `names` that are installed, in this interpreter or in the one that `pythons` gives.

    Looks at metadata only; where there are boards or another interpreter, asks in a throw-away process, so that no
    device is woken here.
    """
    found: dict[str, FrameworkInfo] = {}
    for name in names:
        python = pythons.get(name)
        if python is None and not boards:
            framework_version = next((v for d in FRAMEWORKS[name].distributions if (v := _version(d))), None)
            if framework_version:
                found[name] = FrameworkInfo(version=framework_version, python=platform.python_version(), build="cpu")
        elif (info := _ask(name, python or sys.executable)) is not None:
            found[name] = info
    return found


def _ask(framework: str, python: str) -> FrameworkInfo | None:
    """What `python` says of its `framework`; None where it is not installed there."""
    try:
        done = subprocess.run(
            [python, "-P", "-m", "joulemark.suite.trial.discover", framework],
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"cannot run {python} for {framework}: {error}.") from None
    if "No module named 'joulemark" in done.stderr:
        raise UsageError(f"{python} has no joulemark in it: install joulemark[{framework}] there.")
    try:
        answer = json.loads(done.stdout.strip().splitlines()[-1]) if done.returncode == 0 else ""
        return FrameworkInfo.model_validate(answer) if answer is not None else None
    except (IndexError, ValueError):
        return _broken(framework, python, done.stderr.strip().splitlines()[-1:])


def _broken(framework: str, python: str, said: Sequence[str]) -> FrameworkInfo:
    """A framework that cannot be asked. Its trials say why, if metadata shows that it is there; else UsageError."""
    found = next((v for d in FRAMEWORKS[framework].distributions if (v := _version(d))), None)
    if python != sys.executable or found is None:
        raise UsageError(f"{framework} of {python} does not say what it is: {''.join(said) or 'it said nothing'}.")
    return FrameworkInfo(version=found, python=platform.python_version(), build="cpu")


def main(framework: str) -> None:
    """Print what is known of `framework`."""
    found: dict[str, Any] | None
    try:
        found = importlib.import_module(FRAMEWORKS[framework].adapter).discover()
    except ModuleNotFoundError as error:
        if error.name != FRAMEWORKS[framework].module:
            raise
        found = None
    print(json.dumps(found and found | {"python": platform.python_version()}))


if __name__ == "__main__":
    main(sys.argv[1])
