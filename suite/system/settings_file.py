"""The settings file: `joulemark.toml`, or `[tool.joulemark]` in `pyproject.toml`.

It is that of the working directory or of the nearest parent that has one, and may have come with somebody else's
repository. Programs, files and addresses that it names are therefore left alone by verbs that only look, and by those
that measure unless the file is this user's.
"""

from __future__ import annotations

import re
import reprlib
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from joulemark.suite.errors import UsageError
from joulemark.suite.system.ownership import distrust
from joulemark.suite.system.text import read_text

MAX_BYTES: Final = 1_000_000
"""Size of the largest settings file that is read."""

MAX_SHOWN: Final = 400
"""Characters of the name of a program or file that are shown."""
MAX_DEPTH: Final = 60
"""Most parts of a dotted key: tomllib's memory grows with the square of their number."""
_DOTTED: Final = re.compile(r"\.\s?[\w\"'-]")

REFERRING_SENSORS: Final = ("replay", "meter", "redfish", "plug")
"""Sensors whose argument is a file, or an address that credentials are sent to."""
_NUMBERS: Final = re.compile(r"[\d.+\-eE\s]*")

Values = dict[str, Any]


def load() -> tuple[Path | None, Values]:
    """Return the path and the values of the nearest settings file; (None, {}) where there is none.

    UsageError where it cannot be read.
    """
    try:
        directory = Path.cwd()
    except FileNotFoundError:  # it was removed
        return None, {}
    for folder in (directory, *directory.parents):
        path = folder / "joulemark.toml"
        if path.exists():  # a folder of that name is a mistake, and reading it says so
            return path, _parse(path)
        pyproject = folder / "pyproject.toml"
        if pyproject.is_file():
            tool = _parse(pyproject).get("tool")
            table = tool.get("joulemark") if isinstance(tool, dict) else None
            if table is not None and not isinstance(table, dict):
                raise UsageError(f"tool.joulemark in {pyproject}: it is a table, found {reprlib.repr(table)}.")
            if table is not None:
                return pyproject, table
    return None, {}


def section(name: str) -> tuple[str, Mapping[str, Any]]:
    """Return the path of the settings file and its table `name`; empty where there is none.

    UsageError for a file that does not parse, or where `name` is no table.
    """
    path, values = load()
    table = values.get(name, {})
    if not isinstance(table, Mapping):
        raise UsageError(f"{name} in {path}: it is a table, found {reprlib.repr(table)}.")
    return str(path or ""), table


def references(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the programs and files that settings name, by key: `python.pytorch`, `sensor`, `intensity`."""
    named: dict[str, str] = {}
    tables = {"": values, **{f"arms.{name}.": arm for name, arm in _arms(values).items()}}
    for prefix, table in tables.items():
        if isinstance(python := table.get("python"), Mapping):
            named |= {f"{prefix}python.{name}": str(path) for name, path in python.items()}
        elif python is not None:
            named[f"{prefix}python"] = str(python)
    for sensor in _referring_sensors(values):
        named["sensor"] = ", ".join(filter(None, [named.get("sensor"), sensor]))
    if _is_file(intensity := values.get("intensity")):
        named["intensity"] = str(intensity)
    return named


def without_references(values: Mapping[str, Any]) -> Values:
    """Return settings without the programs and files that they name."""
    left_out = {"python", *(("intensity",) if _is_file(values.get("intensity")) else ())}
    kept = {name: value for name, value in values.items() if name not in left_out}
    if arms := _arms(values):
        kept["arms"] = {name: {**arm, "python": None} for name, arm in arms.items()}
    if named := _referring_sensors(values):
        kept["sensor"] = tuple(sensor for sensor in values["sensor"] if sensor not in named)
    return kept


def check_trust(path: Path, values: Mapping[str, Any]) -> None:
    """Raise UsageError where `values` of the settings file `path` name programs or files, and others may write it."""
    if (named := references(values)) and (reason := distrust(path)):
        raise UsageError(
            f"cannot use {describe(path, named)}: {reason}. Give options on the command line, or make the file yours."
        )


def describe(path: Path, named: Mapping[str, str]) -> str:
    """Return in words what a settings file names."""
    return f"{'; '.join(f'{name} = {value[:MAX_SHOWN]!r}' for name, value in named.items())} of {path}"


def _referring_sensors(values: Mapping[str, Any]) -> list[str]:
    sensors = values.get("sensor", ())
    sensors = sensors if isinstance(sensors, list | tuple) else (sensors,)
    return [each for each in sensors if isinstance(each, str) and each.partition(":")[0] in REFERRING_SENSORS]


def _arms(values: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    arms = values.get("arms")
    arms = arms.items() if isinstance(arms, Mapping) else ()
    return {name: arm for name, arm in arms if isinstance(arm, Mapping)}


def _is_file(intensity: Any) -> bool:
    return isinstance(intensity, str) and not _NUMBERS.fullmatch(intensity)


def _parse(path: Path) -> Values:
    try:
        facts = path.stat()
        if stat.S_ISFIFO(facts.st_mode) or stat.S_ISCHR(facts.st_mode):  # which may have no end
            raise UsageError(f"cannot read {path}: it is no file.")
        if facts.st_size > MAX_BYTES:
            raise UsageError(f"cannot read {path}: it has more than {MAX_BYTES} bytes, too many for settings.")
        text = read_text(path)
        if any(len(_DOTTED.findall(line.partition("=")[0])) > MAX_DEPTH for line in text.splitlines()):
            raise RecursionError
        return tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}.") from None
    except RecursionError:
        raise UsageError(f"{path} is not TOML: it is nested too deeply.") from None
    except ValueError as error:  # also an integer of very many digits
        raise UsageError(f"{path} is not TOML: {error}.") from None
