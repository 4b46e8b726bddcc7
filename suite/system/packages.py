"""Packages that are not always installed, imported where they are needed."""

from __future__ import annotations

import importlib
from types import ModuleType

from joulemark.suite.errors import UsageError


def required(name: str, extra: str) -> ModuleType:
    """Return the package `name`, which the extra `extra` of joulemark installs. UsageError where it is absent."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise UsageError(f"{name} is not installed: pip install 'joulemark[{extra}]'.") from None
