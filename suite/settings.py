"""Flags, environment, file, defaults -> one frozen record, in that order of strength.

The file is `joulemark.toml`, or `[tool.joulemark]` in `pyproject.toml`, of the working directory or the nearest parent
that has one. Keys are the options' names; `batch-size` and `batch_size` are the same. Tables that do not say how a run
is made (`thresholds`) stay out of that record: the verbs that use them read them.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.records import Settings
from joulemark.suite.trial.frameworks import FRAMEWORKS

_LISTS = frozenset(name for name, field in Settings.model_fields.items() if str(field.annotation).startswith("tuple"))
_TABLES = frozenset(name for name, field in Settings.model_fields.items() if str(field.annotation).startswith("dict"))
ALIASES = {"k": "keyword"}
SECTIONS = ("thresholds",)
"""Tables of the file that say nothing of how a run is made."""
THREADS_A_CORE = 8
"""More threads than that for each core wait for each other; from some thousands on, a process cannot have them."""
PLACES = ("zone", "coordinates", "data_center")
"""Keys that say where the electricity comes from; one of them at a time."""


def resolve(given: Mapping[str, Any], directory: Path | None = None, cores: int = os.cpu_count() or 1) -> Settings:
    """The settings for a command; `given` holds flags and environment, None or empty where not given.

    `cores` are the logical ones of this machine. UsageError for an unknown key, a value out of range, or a file that
    does not parse.
    """
    source, values = _file(directory or Path.cwd())
    from_file = {_name(key, source): value for key, value in values.items() if key not in SECTIONS}
    chosen = {key: value for key, value in given.items() if value not in (None, (), [], {})}
    found = validated(over(from_file, chosen), chosen, source)
    for name in found.python:
        if name not in FRAMEWORKS:
            raise unknown(f"framework in [python] of {source}", name, FRAMEWORKS)
    for option, threads in _threads(found):
        if threads > (most := THREADS_A_CORE * cores):
            raise UsageError(f"{option}: {threads} threads are too many for {cores} logical cores: {most} at most.")
    return found


def over(weaker: Mapping[str, Any], stronger: Mapping[str, Any]) -> dict[str, Any]:
    """Both together; a place in `stronger` stands instead of whatever `weaker` says of the grid."""
    silent = {*PLACES, "intensity"} if any(key in stronger for key in PLACES) else set()
    return {**{key: value for key, value in weaker.items() if key not in silent}, **stronger}


def _threads(found: Settings) -> Iterator[tuple[str, int]]:
    """All numbers of threads in `found`, by their options."""
    if found.threads is not None:
        yield "--threads", found.threads
    for name, arm in found.arms.items():
        if arm.threads is not None:
            yield f"--{name}-threads", arm.threads


def validated(values: Mapping[str, Any], chosen: Mapping[str, Any], source: Path | None = None) -> Settings:
    """Settings of `values`, of which `chosen` came from options and the rest from the file `source`. UsageError."""
    merged = {key: _as_list(key, value) for key, value in values.items()}
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = f" in {source}" if first["loc"][0] not in chosen and source else ""
        found = "" if first["type"] == "missing" else f", found {first.get('input')!r}"
        raise UsageError(f"{_option(first['loc'])}{where}: {first['msg'].lower()}{found}.") from None


def _option(place: tuple[int | str, ...]) -> str:
    """What a user calls the `place` of a value: an option, or keys of the file where there is none."""
    name, *inner = (str(part) for part in place)
    if name == "arms" and len(inner) > 1:
        return f"--{inner[0]}-{inner[1]}".replace("_", "-")
    if name in _TABLES and inner:
        return ".".join([name, *inner])
    return f"--{name.replace('_', '-')}"


def section(name: str, directory: Path | None = None) -> tuple[str, Mapping[str, Any]]:
    """The file's table `name`, one of SECTIONS, and where it stands; empty where there is none.

    UsageError for a file that does not parse or a `name` that is no table in it.
    """
    source, values = _file(directory or Path.cwd())
    table = values.get(name, {})
    if not isinstance(table, Mapping):
        raise UsageError(f"{name} in {source}: it is a table, found {table!r}.")
    return str(source or ""), table


def _as_list(key: str, value: Any) -> Any:
    return (value,) if key in _LISTS and isinstance(value, str | int | float) else value


def _name(key: str, source: Path | None) -> str:
    """The field that a key of the file stands for."""
    name = ALIASES.get(key, key.replace("-", "_"))
    if name not in Settings.model_fields:
        raise unknown(f"key in {source}", key, Settings.model_fields)
    return name


def _file(directory: Path) -> tuple[Path | None, dict[str, Any]]:
    """The nearest settings file and what it says; (None, {}) where there is none."""
    for folder in (directory, *directory.parents):
        own = folder / "joulemark.toml"
        if own.exists():  # a folder of that name is a slip, and reading it says so
            return own, _load(own)
        shared = folder / "pyproject.toml"
        if shared.is_file():
            table = _load(shared).get("tool", {}).get("joulemark")
            if table is not None:
                return shared, table
    return None, {}


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}.") from None


def home(environment: Mapping[str, str] = os.environ) -> Path:
    """Where runs are kept: JOULEMARK_HOME, or the platform's directory for a user's data."""
    if chosen := environment.get("JOULEMARK_HOME"):
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("joulemark", appauthor=False))


def runs_directory(out: Path | None = None) -> Path:
    """Where run files and pages go: `--out`, or `runs` in the home. UsageError where that is a file."""
    if out is not None and out.exists() and not out.is_dir():
        raise UsageError(f"--out is a directory; {out} is a file.")
    return out if out is not None else home() / "runs"
