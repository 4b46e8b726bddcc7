"""Verbs run in the process of the test, where thousands of inputs are tried."""

from __future__ import annotations

import contextlib
import io

from joulemark import JoulemarkError
from joulemark.suite.cli.app import build


def run_verb(*arguments: str) -> tuple[int, str, str]:
    """Run a verb; return its exit code, its output and its messages. Whatever is no refusal is raised."""
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            code = build(arguments[0])(list(arguments), standalone_mode=False)
        except JoulemarkError as error:
            return error.exit_code, output.getvalue(), str(error)
    return (code if isinstance(code, int) else 0), output.getvalue(), errors.getvalue()
