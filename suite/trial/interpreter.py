"""Another Python: which joulemark is in it, and whether it can run trials that this one asks for."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joulemark.suite.errors import UsageError
from joulemark.suite.records import ArmRecord, FrameworkInfo

ASK_TIMEOUT_S = 300.0


@dataclass(frozen=True)
class Interpreter:
    """A Python with a joulemark in it."""

    arm: ArmRecord
    protocol: str
    """How its trials are asked; see `suite.trial.request`."""
    workloads: Mapping[str, Mapping[str, str]]
    """Version of each workload that it has, by id and framework."""


def ask(python: str, boards: bool) -> Interpreter:
    """What `python` says of itself; with `boards`, of its frameworks' devices too.

    UsageError where it cannot be run, or has no joulemark in it, or one that cannot be asked.
    """
    command = [python, "-P", "-m", "joulemark.suite.trial.identify", *(["boards"] if boards else [])]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ASK_TIMEOUT_S, check=False)
    except OSError as error:
        raise UsageError(f"cannot run {python}: {error.strerror}. Give the path of a Python.") from None
    except subprocess.TimeoutExpired:
        raise UsageError(f"{python} did not say what it is within {ASK_TIMEOUT_S:.0f} s.") from None
    facts = _answer(done.stdout) if done.returncode == 0 else None
    if facts is None:
        raise UsageError(_why_not(python, done.stderr))
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


def _answer(text: str) -> dict[str, Any] | None:
    """The last line as JSON: what a site's own start-up file prints comes before it."""
    lines = text.strip().splitlines()
    try:
        found = json.loads(lines[-1]) if lines else None
    except json.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _why_not(python: str, said: str) -> str:
    """One line for an interpreter that gave no answer."""
    last = (said.strip().splitlines() or ["it said nothing"])[-1]
    missing = last.rpartition("No module named ")[2].strip("'\") ")
    if missing == "joulemark":
        return f"{python} has no joulemark in it: install it there ({python} -m pip install joulemark)."
    if missing.startswith("joulemark."):
        return f"{python} has a joulemark that is too old to be one arm of two: upgrade it there."
    return f"{python} cannot say what it is: {last}."
