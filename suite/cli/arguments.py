"""From the options of a verb to settings: groups of options, and which of them were given."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_type_hints

import typer

from joulemark.suite.cli.option_groups import Recompute
from joulemark.suite.errors import UsageError

if TYPE_CHECKING:
    from joulemark.suite.records import Settings


def expand(command: Callable[..., object]) -> Callable[..., object]:
    """Return `command` with a parameter for each option of its group, `**given: Unpack[GROUP]`, for Typer to read.

    Options of a group are False by default if they are flags, else None.
    """
    signature = inspect.signature(command)
    hints = get_type_hints(command, include_extras=True)
    parameters: list[inspect.Parameter] = []
    for name, parameter in signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            (group,) = get_args(hints[name])
            parameters += _group_parameters(group)
        else:
            parameters.append(parameter.replace(annotation=hints[name]))

    @functools.wraps(command)
    def expanded(*args: object, **kwargs: object) -> object:
        return command(*args, **kwargs)

    # Typer reads this attribute through inspect.signature.
    expanded.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return expanded


def _group_parameters(group: type) -> list[inspect.Parameter]:
    parameters = []
    for name, hint in get_type_hints(group, include_extras=True).items():
        value_type, option = get_args(hint)
        if group is Recompute:
            option = copy.copy(option)
            option.envvar, option.help = None, option.help.partition(" (default:")[0]
        default = False if value_type is bool else None
        annotation = Annotated[value_type, option]  # type: ignore[valid-type]
        parameters.append(
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        )
    return parameters


def settings_from_context(context: typer.Context, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of a command's `arguments` that are settings and stand on the command line, by field name.

    `suite.settings.resolve` adds those of the environment and the settings file.
    """
    from joulemark.suite.plan.case_filter import any_of
    from joulemark.suite.records import Settings
    from joulemark.suite.settings import ALIASES

    values = {
        ALIASES.get(name, name): value
        for name, value in arguments.items()
        if value is not None and value is not False and value != []
        if "ENVIRONMENT" not in str(context.get_parameter_source(name))
    }
    if "keyword" in values:
        values["keyword"] = any_of(values["keyword"])
    return {name: value for name, value in values.items() if name in Settings.model_fields}


def resolve_settings(given: Mapping[str, Any], measures: bool) -> Settings:
    """Return the settings for the options in `given`. UsageError as from `suite.settings.resolve`.

    What the settings file names of programs and files is used if the verb `measures`, and printed in any case.
    """
    from joulemark.suite import settings
    from joulemark.suite.terminal.console import print_message

    chosen = settings.resolve(given, measures=measures)
    if named := settings.named_by_file(given):
        print_message(f"Using {named}." if measures else f"Left out, since nothing is measured: {named}.")
    return chosen


def given_flags(context: typer.Context, names: Iterable[str]) -> list[str]:
    """Return the flags of the options `names` that stand on the command line, not in the environment."""
    from joulemark.suite.settings import ALIASES, flag

    parameters = {field: option for option, field in ALIASES.items()}
    sources = {name: context.get_parameter_source(parameters.get(name, name)) for name in names}
    return [flag(ALIASES.get(name, name)) for name, source in sources.items() if "COMMANDLINE" in str(source)]


def check_suffix(output: Path | None, suffixes: Sequence[str]) -> None:
    """Raise UsageError if `output` has a suffix other than `suffixes`; none is fine."""
    if output is not None and output.suffix and output.suffix.lower() not in suffixes:
        raise UsageError(f"-o got {str(output)!r}: the file ends in {' or '.join(suffixes)}, not {output.suffix}.")
