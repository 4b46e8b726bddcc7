"""Another Python interpreter: which joulemark it has, and whether it can run trials for this one.

Run as `python -P -m joulemark.suite.trial.interpreter FRAMEWORK...`, this module describes its own interpreter in one
line of JSON. The frameworks named are imported, in throw-away processes; of others only metadata are read.
"""

from __future__ import annotations

import json
import platform
import signal
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from joulemark import __version__
from joulemark.suite.errors import UsageError
from joulemark.suite.records import ArmRecord, FrameworkInfo
from joulemark.suite.system.text import one_line
from joulemark.suite.trial import processes
from joulemark.suite.trial.discover import installed_frameworks, packages, run_module
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


def query(python: str, names: Iterable[str]) -> Interpreter:
    """Return what the interpreter `python` says of itself, and the frameworks called `names` of themselves.

    Raises UsageError if it cannot be run, or has no joulemark, or too old a one.
    """
    try:
        facts = run_module(python, "interpreter", list(names), QUERY_TIMEOUT_S)
        frameworks = {name: FrameworkInfo.model_validate(info) for name, info in facts["frameworks"].items()}
        arm = ArmRecord(
            interpreter=python,
            python=facts["python"],
            suite_version=facts["suite_version"],
            frameworks=frameworks,
            packages=facts["packages"],
        )
        return Interpreter(arm, facts["protocol"], facts["workloads"])
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{python} could not be queried: {one_line(str(error))}.") from None


def main(names: list[str]) -> None:
    """Print the facts that `query` asks for, without importing a framework here."""
    processes.die_with_parent(signal.SIGKILL)
    frameworks = installed_frameworks(names, {})
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
