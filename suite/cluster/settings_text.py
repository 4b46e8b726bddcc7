"""Settings as the settings file and the options that a node gets: all that its run does is decided on the head."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Final

from joulemark.suite.records import Settings
from joulemark.suite.settings import ENVIRONMENT_PREFIX, FROM_ENVIRONMENT, NOT_IN_FILE, flag
from joulemark.suite.system.redaction import without_secrets

PASSED_ON: Final = (ENVIRONMENT_PREFIX, "ELECTRICITYMAPS_", "CO2_SIGNAL_")
"""Beginnings of variables that go to the nodes where they hold secrets; addresses of services go along."""
ADDRESSES: Final = ("JOULEMARK_ELECTRICITYMAPS_URL",)
USERS: Final = ("JOULEMARK_PLUG_USER", "JOULEMARK_REDFISH_USER")


def settings_file_text(settings: Settings) -> str:
    """Return the settings file: what differs from the defaults, in TOML."""
    values = settings.model_dump(mode="json", exclude_defaults=True, exclude_none=True, exclude=set(NOT_IN_FILE))
    return "".join(f"{name} = {_toml(value)}\n" for name, value in values.items())


def _toml(value: Any) -> str:
    """Return a value in TOML; tables are inline."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml(str(key))} = {_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):  # TOML's basic strings have JSON's escapes, but for surrogates; DEL is to be escaped
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)


def options(settings: Settings) -> tuple[str, ...]:
    """Return the options of settings that are no keys of the settings file."""
    given = settings.model_dump(mode="json", include={"ranks", "strategy", "scaling", "nodes"}, exclude_none=True)
    arguments: list[str] = []
    for name, value in given.items():
        for each in value if isinstance(value, list) else [value]:
            arguments += [flag(name), str(each)]
    return tuple(arguments)


def passed_on(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that nodes need and cannot have by themselves: tokens, passwords, and whose they are."""
    harmless = without_secrets(environment)
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(PASSED_ON) and (name not in harmless or name in (*ADDRESSES, *USERS))
    }


def without_own_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return a node's variables without those that would be settings of its run."""
    own = {f"{ENVIRONMENT_PREFIX}{name.upper()}" for name in FROM_ENVIRONMENT}
    return {name: value for name, value in environment.items() if name not in own}
