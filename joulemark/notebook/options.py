"""Options of the magics: words of a shell, up to the statement that follows them, which stays as it is written."""

from __future__ import annotations

import io
import shlex
from typing import Any

from joulemark.suite.errors import UsageError, unknown

ONE = ("zone", "name", "intensity", "pue", "item", "items", "save", "output")
"""Options with a value."""
SEVERAL = ("sensor", "device", "track")
"""Options that may be given several times."""
FLAGS = ("sync", "offline", "quiet")
SHORT = {"-o": "--output", "-q": "--quiet"}
OF_MAGIC = ("items", "save", "output", "quiet")
"""The others are arguments of `joulemark.Meter`."""

Options = dict[str, Any]


def parse(line: str) -> tuple[Options, str]:
    """Return the options of `line` by name, and the statement that follows them.

    Raises:
        UsageError: for an option that is not known, lacks its value or has one that does not fit.
    """
    options: Options = {}
    rest = line.strip()
    while rest.startswith("-"):
        word, rest = _word(rest)
        if word == "--":
            break
        flag, equals, value = word.partition("=")
        name = SHORT.get(flag, flag).removeprefix("--")
        if name not in (*ONE, *SEVERAL, *FLAGS) or not SHORT.get(flag, flag).startswith("--"):
            raise unknown("option", flag, [f"--{each}" for each in (*ONE, *SEVERAL, *FLAGS)])
        if name in FLAGS:
            if equals:
                raise UsageError(f"--{name} takes no value, found {value!r:.80}.")
            options[name] = True
            continue
        if not equals:
            if not rest:
                raise UsageError(f"--{name} takes a value.")
            value, rest = _word(rest)
        if name in SEVERAL:
            options.setdefault(name, []).append(value)
        elif name in options:
            raise UsageError(f"--{name} is given twice.")
        else:
            options[name] = value
    return _checked(options), rest


def _checked(options: Options) -> Options:
    items, output = options.get("items"), options.get("output")
    if items is not None:
        if not items.isdecimal() or not int(items):
            raise UsageError(f"--items is a number of items, 1 or more, found {items!r:.80}.")
        options["items"] = int(items)
    if output is not None and not output.isidentifier():
        raise UsageError(f"--output is the name of a variable, found {output!r:.80}.")
    return options


def _word(line: str) -> tuple[str, str]:
    """Return the first word of `line`, without its quotes, and what follows it. UsageError where a quote is open."""
    characters = io.StringIO(line)  # whose place says how far the word goes
    lexer = shlex.shlex(characters, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        word = lexer.get_token() or ""
    except ValueError:
        raise UsageError(f"a quote is not closed in {line!r:.80}.") from None
    return word, line[characters.tell() :].lstrip()
