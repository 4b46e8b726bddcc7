"""Resolve what a user can set, for commands and meters alike: options, environment, settings file, defaults.

The keys of the settings file are the options' names; `batch-size` and `batch_size` are the same.
"""

from __future__ import annotations

import functools
import os
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.records import Settings
from joulemark.suite.records.settings import FORMS
from joulemark.suite.system import settings_file
from joulemark.suite.trial.frameworks import FRAMEWORKS

if TYPE_CHECKING:
    from pydantic_settings import PydanticBaseSettingsSource

ENVIRONMENT_PREFIX = "JOULEMARK_"
FROM_ENVIRONMENT = (
    *("profile", "rounds", "threads", "allocator", "zone", "intensity", "pue", "psf", "offline"),
    *("emission_factors", "embodied", "lifespan_years"),
)
"""Settings that the environment may give: `zone` as JOULEMARK_ZONE."""
ALIASES = {"k": "keyword", "window": "window_s", "warmup": "warmup_s"}
"""Options and keys of the settings file whose field has another name."""
NOT_IN_FILE = frozenset({"effort_source", "over", "ranks", "strategy", "scaling", "nodes"})
"""Fields that are no keys of the settings file: a run fills in the first one, the others say what one run does."""
SECTIONS = ("thresholds",)
"""Tables of the settings file that only some verbs read; they are no part of `Settings`."""
PLACES = ("zone", "coordinates", "data_center")
"""Settings that say where the electricity comes from; one of them at a time."""
THREADS_PER_CORE = 8
"""More threads than this for each core only wait for each other; beyond some thousands a process cannot have them."""

_LISTS = frozenset(name for name, field in Settings.model_fields.items() if str(field.annotation).startswith("tuple"))
_TABLES = frozenset(name for name, field in Settings.model_fields.items() if str(field.annotation).startswith("dict"))


def resolve(given: Mapping[str, Any], cores: int = os.cpu_count() or 1, measures: bool = False) -> Settings:
    """Return the settings for the options or arguments in `given`.

    Args:
        given: Values by field name. None and empty values count as not given.
        cores: Logical cores of this machine.
        measures: Whether something is measured with them. Otherwise programs and files that the settings file names
            are left out (see `settings_file`).

    Raises:
        UsageError: for an unknown key, a value out of range, a settings file that does not parse, or one of another
            user that names programs or files.
    """
    options = _options(given)
    path, values = _file_values(options)
    try:
        stronger = _resolver()(**options).model_dump(exclude_unset=True)
        Settings.model_validate({**values, **stronger})
    except ValidationError as error:
        raise _usage_error(error, options) from None
    for name in values.get("python", {}):
        if name not in FRAMEWORKS:
            raise unknown(f"framework in [python] of {path}", name, FRAMEWORKS)
    if measures and path is not None:
        settings_file.check_trust(path, values)
    values = values if measures else settings_file.without_references(values)
    settings = Settings.model_validate({**values, **stronger})
    limit = THREADS_PER_CORE * cores
    for option, threads in _thread_counts(settings):
        if threads > limit:
            raise UsageError(f"{option}: {threads} threads are too many for {cores} logical cores: {limit} at most.")
    return settings


def named_by_file(given: Mapping[str, Any]) -> str | None:
    """Return in words the programs and files that the settings file names and `given` does not override; or None."""
    path, values = _file_values(_options(given))
    named = settings_file.references(values)
    return settings_file.describe(path, named) if path is not None and named else None


def validated(given: Mapping[str, Any]) -> Settings:
    """Return settings of the options in `given` alone, without environment and file. UsageError as in `resolve`."""
    options = _options(given)
    try:
        return Settings.model_validate(options)
    except ValidationError as error:
        raise _usage_error(error, options) from None


@functools.cache
def _resolver() -> type[Settings]:
    """Return `Settings` as a class that fills itself from options and environment. Its base takes 50 ms to import."""
    from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

    class Environment(EnvSettingsSource):
        """The variables in FROM_ENVIRONMENT, converted: the records themselves take no text for a number."""

        def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
            if field_name not in FROM_ENVIRONMENT or field_name in _overridden(self.current_state):
                return None, field_name, False
            return super().get_field_value(field, field_name)

        def prepare_field_value(self, field_name: str, field: FieldInfo, value: Any, value_is_complex: bool) -> Any:  # noqa: ARG002
            return None if value is None else _from_text(field_name, field, value)

    class Resolver(BaseSettings, Settings):
        model_config = SettingsConfigDict(env_prefix=ENVIRONMENT_PREFIX, env_ignore_empty=True)

        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, Environment(settings_cls)

    return Resolver


def _overridden(stronger: Iterable[str]) -> set[str]:
    """Return the settings that a weaker source cannot give: a place overrides all that is said of the grid."""
    names = set(stronger)
    return names if names.isdisjoint(PLACES) else {*names, *PLACES, "intensity"}


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _as_list(name, value) for name, value in given.items() if value not in (None, (), [], {})}


def _as_list(name: str, value: Any) -> Any:
    return (value,) if name in _LISTS and isinstance(value, str | int | float) else value


def _from_text(name: str, field: FieldInfo, text: str) -> Any:
    """Return the text of an environment variable as its field takes it. UsageError where it cannot."""
    annotation: Any = field.annotation
    if str in (annotation, *get_args(annotation)):
        return text
    try:
        return TypeAdapter(annotation).validate_strings(text)
    except ValidationError as error:
        message = error.errors(include_url=False)[0]["msg"].lower()
        raise UsageError(f"{_variable(name)}: {message}, found {text!r}.") from None


def _thread_counts(settings: Settings) -> Iterator[tuple[str, int]]:
    """Yield each number of threads in `settings` with its option."""
    if settings.threads is not None:
        yield "--threads", settings.threads
    for name, arm in settings.arms.items():
        if arm.threads is not None:
            yield f"--{name}-threads", arm.threads
    for number in settings.over.get("threads", ()):
        yield "--over threads", int(number)


def _usage_error(error: ValidationError, options: Mapping[str, Any]) -> UsageError:
    """Return the error that names the option, variable or key that is wrong, and what was found there."""
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0])
    place = _option(first["loc"])
    if name not in options and name in FROM_ENVIRONMENT and os.environ.get(_variable(name)):
        place = _variable(name)
    elif name not in options:
        place += f" in {settings_file.load()[0]}"
    value = "" if first["type"] == "missing" else f", found {reprlib.repr(first.get('input'))}"
    return UsageError(f"{place}: {first['msg'].lower()}{value}.")


def _variable(name: str) -> str:
    return f"{ENVIRONMENT_PREFIX}{name.upper()}"


def _option(location: tuple[int | str, ...]) -> str:
    """Return what a user calls a value: its option, or its keys in the settings file where it has none."""
    name, *inner = (str(part) for part in location if part not in (*FORMS, "[key]"))
    if name == "arms" and len(inner) > 1:
        return f"--{inner[0]}-{inner[1]}".replace("_", "-")
    if name in _TABLES and inner:
        return ".".join([name, *inner])
    return flag(name)


def flag(name: str) -> str:
    """Return the option of a setting."""
    option = next((option for option, field in ALIASES.items() if field == name), name)
    return "-k" if option == "k" else f"--{option.replace('_', '-')}"


def _file_values(options: Mapping[str, Any]) -> tuple[Path | None, dict[str, Any]]:
    """Return the path of the settings file, and its values by field name without those that stronger sources give.

    UsageError for an unknown key.
    """
    path, values = settings_file.load()
    fields = {key: ALIASES.get(key, key.replace("-", "_")) for key in values if key not in SECTIONS}
    for key, name in fields.items():
        if name not in Settings.model_fields or name in NOT_IN_FILE:
            raise unknown(f"key in {path}", key, Settings.model_fields.keys() - NOT_IN_FILE)
    overridden = _overridden({*options, *(name for name in FROM_ENVIRONMENT if os.environ.get(_variable(name)))})
    named = {name: _as_list(name, values[key]) for key, name in fields.items()}
    return path, {name: value for name, value in named.items() if name not in overridden}
