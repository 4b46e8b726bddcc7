"""Find the frameworks and packages of an interpreter, and the devices that each framework sees.

A framework that is not installed is absent. One that is installed and cannot be imported is broken: it is described by
its metadata and the reason. Importing one may crash, or initialise a GPU, and so happens only in a throw-away process
with the environment of a trial: this module, run as `python -P -m joulemark.suite.trial.discover FRAMEWORK [metadata]`.
It prints one line of JSON, `null` for an absent framework.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from joulemark.suite.errors import UsageError
from joulemark.suite.records import FrameworkInfo
from joulemark.suite.system.redaction import without_secrets
from joulemark.suite.system.scratch import scratch_directory
from joulemark.suite.system.text import one_line
from joulemark.suite.trial import environment, processes
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.trial.outcome import describe_exit, exit_status

IMPORT_TIMEOUT_S = 180.0
METADATA_TIMEOUT_S = 60.0
METADATA = "metadata"
"""Argument of this module: do not import the framework."""

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
        return version(distribution) or None
    except (PackageNotFoundError, KeyError):  # KeyError: metadata without a version, from Python 3.12 on
        return None


def installed_frameworks(
    names: Iterable[str], pythons: Mapping[str, str], timeout_s: float = IMPORT_TIMEOUT_S
) -> dict[str, FrameworkInfo]:
    """Return the installed frameworks. Those in `names` are imported; of others here, metadata are read.

    Args:
        names: the frameworks to ask, all at the same time.
        pythons: their interpreters; those that it does not name are looked for in this one.
        timeout_s: how long an import may take, seconds.
    """
    requested = list(dict.fromkeys(names))
    with ThreadPoolExecutor(max(1, len(requested))) as pool:
        answers = pool.map(lambda name: _ask(name, pythons.get(name, sys.executable), timeout_s), requested)
        try:
            infos = dict(zip(requested, answers, strict=True))
        except BaseException:  # Ctrl-C: the threads wait for their children, and the pool for its threads
            processes.kill_children()
            raise
    infos |= {name: _from_metadata(name) for name in FRAMEWORKS if name not in infos and name not in pythons}
    return {name: info for name in FRAMEWORKS if (info := infos.get(name)) is not None}


def _from_metadata(framework: str) -> FrameworkInfo | None:
    """Return what this interpreter says of `framework` without importing it; None if it is not installed."""
    versions = (_version(distribution) for distribution in FRAMEWORKS[framework].distributions)
    installed = next(filter(None, versions), None)
    if installed is None:
        spec = find_spec(FRAMEWORKS[framework].module)
        if spec is None or spec.origin is None:  # a folder without code, such as an uninstallation may leave
            return None
    return FrameworkInfo(version=installed or "unknown", python=platform.python_version(), build="")


def _ask(framework: str, python: str, timeout_s: float) -> FrameworkInfo | None:
    """Return what `framework` says of itself in the interpreter `python`; None if it is not installed there."""
    try:
        with scratch_directory() as scratch:
            variables = environment.build(os.environ, 1, scratch).variables
            try:
                answer = run_module(python, "discover", [framework], timeout_s, variables)
            except ValueError as error:  # the import ended the process, or did not end
                answer = _describe_broken(framework, python, variables, str(error))
        return FrameworkInfo.model_validate(answer) if answer is not None else None
    except (UsageError, ValueError) as error:
        return FrameworkInfo(version="unknown", python="", build="", devices=(), broken_reason=one_line(str(error)))


def _describe_broken(framework: str, python: str, variables: Mapping[str, str], reason: str) -> dict[str, Any]:
    """Return the metadata of `framework` in `python`, broken for this `reason`. ValueError if it has none to give."""
    try:
        metadata = run_module(python, "discover", [framework, METADATA], METADATA_TIMEOUT_S, variables)
        return {**metadata, "devices": (), "broken_reason": reason}
    except (ValueError, TypeError):
        raise ValueError(f"{framework} in {python} could not be queried: {reason}") from None


def run_module(
    python: str, module: str, arguments: Sequence[str], timeout_s: float, variables: Mapping[str, str] = os.environ
) -> Any:
    """Run a module of this package in the interpreter `python`. Return the JSON value on its last line of output.

    Raises UsageError if the interpreter cannot be run, has no joulemark or too old a one, and ValueError, with the
    reason in one line, if it fails otherwise or does not answer in time.
    """
    command = [python, "-P", "-m", f"joulemark.suite.trial.{module}", *arguments]
    try:
        code, output, errors = processes.output_of(command, without_secrets(variables), timeout_s)
    except TimeoutError:
        raise ValueError(f"no answer within {timeout_s:.0f} s") from None
    except OSError as error:
        raise UsageError(f"cannot run {python}: {error.strerror}. Give the path of a Python interpreter.") from None
    error_line = one_line((errors.strip().splitlines() or ["no output"])[-1])
    missing_module = error_line.rpartition("No module named ")[2].strip("'\") ")
    if missing_module == "joulemark":
        raise UsageError(f"{python} has no joulemark: install it there ({python} -m pip install joulemark).")
    if missing_module.startswith("joulemark."):
        raise UsageError(f"{python} has a joulemark that is too old: upgrade it there.")
    output_lines = output.strip().splitlines()  # a site's start-up file may print lines before the last one
    if code or not output_lines:
        raise ValueError(f"{error_line} ({describe_exit(exit_status(code))})")
    try:
        return json.loads(output_lines[-1])
    except json.JSONDecodeError:
        raise ValueError(f"its output is not JSON ({error_line})") from None


def _from_import(framework: str) -> dict[str, Any]:
    """Import `framework` as a trial does and return what it says of itself, or why it is broken."""
    from joulemark.suite.trial.fork_server import describe_error, import_adapter

    try:
        adapter = import_adapter(framework)
    except Exception as error:  # noqa: BLE001  a broken installation may raise anything
        return {"devices": (), "broken_reason": describe_error(error)}
    try:
        facts: dict[str, Any] = adapter.discover()
    except Exception as error:  # noqa: BLE001  a GPU or its driver may fail in any way, and leave the CPU
        return {"blind": describe_error(error)}
    return facts


def main(framework: str, *options: str) -> None:
    """Print what `framework` says of itself, and end without the exit handlers of its libraries, which may crash."""
    processes.die_with_parent(signal.SIGKILL)
    info = _from_metadata(framework)
    if info is not None and METADATA not in options:
        info = FrameworkInfo.model_validate(info.model_dump() | _from_import(framework))
    print("null" if info is None else info.model_dump_json(), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
