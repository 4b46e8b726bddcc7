"""Errors that a user can act on.

JoulemarkError            one line: what happened, what was found, what to do
├── UsageError            bad usage, configuration or input; a framework named but not installed   (exit code 2)
├── NotComparableError    no baseline, or nothing that may be compared                             (exit code 3)
├── MeasurementError      a case failed, or the machine could not be measured                      (exit code 4)
└── StoppedError          Ctrl-C, SIGTERM or SIGHUP, before there was anything to keep             (exit code 130)

Only `suite.cli.app` prints them and exits.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class JoulemarkError(Exception):
    """Base of all errors that are shown to the user as one line."""

    exit_code = 2


class UsageError(JoulemarkError):
    """The request cannot be carried out as given."""


class NotComparableError(JoulemarkError):
    """There is nothing to compare with, or nothing that may be compared."""

    exit_code = 3


class MeasurementError(JoulemarkError):
    """The measurement itself failed."""

    exit_code = 4


class StoppedError(JoulemarkError):
    """Ctrl-C, SIGTERM or SIGHUP, before there was anything to keep."""

    exit_code = 130


def unknown(what: str, name: str, known: Iterable[str]) -> UsageError:
    """Return the error for the unknown `name` of a `what`, with the closest known name and all that are available."""
    names = sorted(known)
    close = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.75)
    suggestion = f" Did you mean {close[0]!r}?" if close else ""
    shown = ", ".join(names) if len(names) <= 40 else f"{', '.join(names[:12])}, … ({len(names)} in all)"
    return UsageError(f"unknown {what} {name!r}.{suggestion} Available: {shown or 'none'}.")
