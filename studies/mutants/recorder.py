"""A plugin of pytest, copied beside the tests of a mutant: it checks what they import, and records their outcomes."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import pytest

PACKAGES = ("joulemark", "joulemark.workloads", "joulemark.suite")
WRONG_PACKAGE = 20
"""Exit code where the tests import another package than the copy's."""


def pytest_sessionstart(session: pytest.Session) -> None:
    """End the session unless the packages under test are those of the copy."""
    root = session.config.rootpath.resolve()
    for name in PACKAGES:
        folder = _folder(name)
        if folder is None or root not in folder.parents:
            _record({"test": "", "outcome": "wrong package", "message": f"{name} comes from {folder}, not from {root}"})
            pytest.exit(f"{name} is not the copy's", WRONG_PACKAGE)


def _folder(package: str) -> Path | None:
    """Return where a package would be imported from; it is not imported: a mutant may be one that cannot be."""
    spec = importlib.util.find_spec(package)
    return Path(spec.submodule_search_locations[0]).resolve() if spec and spec.submodule_search_locations else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of each file without TensorFlow first: importing it takes longer than most of them."""
    files = {item.path: index for index, item in reversed(list(enumerate(items)))}
    items.sort(key=lambda item: (files[item.path], "tensorflow" in item.nodeid))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Record the outcome of a test, or of a fixture that failed."""
    if report.when == "call" or report.failed:
        _record({"test": report.nodeid, "outcome": report.outcome, "message": _message(report)})


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Record a module that cannot be collected."""
    if report.failed:
        _record({"test": report.nodeid, "outcome": "not collected", "message": _message(report)})


def _message(report: Any) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr or "")


def _record(entry: dict[str, str]) -> None:
    with Path(os.environ["MUTANT_RECORD"]).open("a") as file:
        file.write(json.dumps(entry) + "\n")
