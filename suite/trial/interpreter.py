"""Another Python interpreter: which joulemark it has, and whether it can run trials for this one.

Run as `python -P -m joulemark.suite.trial.interpreter [devices]`, this module describes its own interpreter in one
line of JSON. Versions are read from metadata; with `devices`, throw-away processes ask each framework for its devices.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joulemark import __version__
from joulemark.suite.errors import UsageError
from joulemark.suite.records import ArmRecord, FrameworkInfo
from joulemark.suite.trial.discover import installed_frameworks, packages
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.trial.request import protocol
from joulemark.workloads.registry import supports, workloads

QUERY_TIMEOUT_S = 300.0


@dataclass(frozen=True)
class Interpreter:
    """A Python interpreter that has joulemark."""

    arm: ArmRecord
    protocol: str
    """See `request.protocol`."""
    workloads: Mapping[str, Mapping[str, str]]
    """Version of each workload that it has, by id and framework."""


def query(python: str, ask_devices: bool) -> Interpreter:
    """Return what the interpreter `python` says of itself; with `ask_devices`, of its frameworks' devices too.

    Raises UsageError if it cannot be run, or has no joulemark, or too old a one.
    """
    command = [python, "-P", "-m", "joulemark.suite.trial.interpreter", *(["devices"] if ask_devices else [])]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=QUERY_TIMEOUT_S, check=False)
    except OSError as error:
        raise UsageError(f"cannot run {python}: {error.strerror}. Give the path of a Python interpreter.") from None
    except subprocess.TimeoutExpired:
        raise UsageError(f"{python} could not be queried: no answer within {QUERY_TIMEOUT_S:.0f} s.") from None
    facts = _last_json_line(done.stdout) if done.returncode == 0 else None
    if facts is None:
        raise UsageError(_failure(python, done.stderr))
    return Interpreter(
        arm=ArmRecord(
            interpreter=python,
            python=facts["python"],
            suite_version=facts["suite_version"],
            frameworks={name: FrameworkInfo.model_validate(info) for name, info in facts["frameworks"].items()},
            packages=facts["packages"],
        ),
        protocol=facts["protocol"],
        workloads=facts["workloads"],
    )


def _last_json_line(text: str) -> dict[str, Any] | None:
    """Return the last line as a JSON object: a site's start-up file may print something before it."""
    lines = text.strip().splitlines()
    try:
        value = json.loads(lines[-1]) if lines else None
    except json.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _failure(python: str, stderr_text: str) -> str:
    """Return one line on an interpreter that gave no answer."""
    last_line = (stderr_text.strip().splitlines() or ["no output"])[-1]
    missing = last_line.rpartition("No module named ")[2].strip("'\") ")
    if missing == "joulemark":
        return f"{python} has no joulemark: install it there ({python} -m pip install joulemark)."
    if missing.startswith("joulemark."):
        return f"{python} has a joulemark that is too old to be one of two arms: upgrade it there."
    return f"{python} could not be queried: {last_line}."


def main(arguments: list[str]) -> None:
    """Print the facts that `query` asks for, without importing a framework here."""
    frameworks = installed_frameworks(list(FRAMEWORKS), {}, ask_devices="devices" in arguments)
    facts = {
        "suite_version": __version__,
        "python": platform.python_version(),
        "protocol": protocol(),
        "frameworks": {name: info.model_dump() for name, info in frameworks.items()},
        "packages": packages(),
        "workloads": {
            workload.id: {name: workload.version(name) for name in FRAMEWORKS if supports(workload, name)}
            for workload in workloads().values()
        },
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main(sys.argv[1:])
