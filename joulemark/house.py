"""The harness for a process that is not ours: found by its place, never by its name on the path.

Its packages are called `suite`, `workloads` and `reports`, as many a project's own are. They are imported while ours
are put in the place of the project's, and taken out of `sys.modules` again.
"""

from __future__ import annotations

import importlib
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

HOUSE = Path(__file__).resolve().parents[1]
"""The folder that this package and the harness are installed in."""

_LOCK = threading.RLock()
_OURS: dict[str, ModuleType] = {}
"""Modules of the harness that were imported apart."""


def module(name: str) -> ModuleType:
    """The module `name` of the harness, such as `suite.errors`."""
    with _LOCK:
        if _is_ours(sys.modules.get("suite")):
            return importlib.import_module(name)
        return _OURS.get(name) or _apart(name)


def errors() -> Any:
    """The module of the harness's errors."""
    return module("suite.errors")


def error(kind: str, message: str) -> Exception:
    """The harness's error called `kind`, to be raised."""
    found: Exception = getattr(errors(), kind, errors().MeasurementError)(message)
    return found


def _is_ours(found: ModuleType | None) -> bool:
    return found is not None and getattr(found, "__file__", None) == str(HOUSE / "suite" / "__init__.py")


def _apart(name: str) -> ModuleType:
    """Import `name` while our `suite` is the only one there is."""
    theirs = _taken_out()
    sys.modules.update(_OURS)
    sys.path.insert(0, str(HOUSE))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(HOUSE))
        _OURS.update(_taken_out())
        sys.modules.update(theirs)


def _taken_out() -> dict[str, ModuleType]:
    """All of `suite` that is imported, no longer so."""
    names = [name for name in sys.modules if name.partition(".")[0] == "suite"]
    return {name: sys.modules.pop(name) for name in names}
