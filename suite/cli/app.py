"""The command `joulemark`. The only place that prints errors and exits."""

from __future__ import annotations

import errno
import functools
import importlib
import os
import sys
import traceback
from collections.abc import Callable
from typing import Annotated, NoReturn

import typer

from joulemark import __version__
from joulemark.suite.errors import JoulemarkError, StoppedError
from joulemark.suite.terminal.ascii import replace_missing_characters
from joulemark.workloads.errors import BrokenPackageError

VERBS = (
    "run",
    "list",
    "show",
    "report",
    "compare",
    "ab",
    "check",
    "baseline",
    "history",
    "export",
    "calibrate",
    "measure",
    "doctor",
    "intensity",
    "when",
    "estimate",
    "schema",
)
"""One verb, one file in `suite/cli/verbs`; the order of the help."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What the system says of a place that takes no more."""


def _version(requested: bool) -> None:
    if requested:
        print(f"joulemark {__version__}")
        raise typer.Exit


def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of all verbs."""


def build(verb: str | None) -> typer.Typer:
    """The command line of `verb`; for None the list of all, without their options, whose reading takes as long again
    as all the rest."""
    app = typer.Typer(
        name="joulemark",
        help="Benchmark deep learning by speed, energy and carbon at once, in PyTorch and TensorFlow.",
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    app.callback()(options)
    for name in VERBS if verb is None else (verb,):
        module = importlib.import_module(f"joulemark.suite.cli.verbs.{name}")
        if hasattr(module, "app"):  # a verb of several
            app.add_typer(module.app, name=name)
        else:
            app.command(name=name)(_told(module.command) if verb is None else _stopped(module.command))
    return app


def _stopped(command: Callable[..., object]) -> Callable[..., object]:
    """`command`, whose Ctrl-C is told: Typer makes the exit code of it that a verb gives which has told of its own."""

    @functools.wraps(command)
    def stopped(*arguments: object, **named: object) -> object:
        try:
            return command(*arguments, **named)
        except KeyboardInterrupt:
            raise StoppedError("interrupted.") from None

    return stopped


def _told(command: Callable[..., object]) -> Callable[[], None]:
    """A command's name and help, without the rest of it."""

    def told() -> None:
        raise AssertionError("a verb that is run is built with its options")

    told.__doc__ = command.__doc__
    return told


def main() -> NoReturn:
    """Run the command and exit: 0 fine, 2 bad usage or input, 130 interrupted, others as the verb says."""
    arguments = sys.argv[1:] or ["--help"]
    for stream in (sys.stdout, sys.stderr):
        replace_missing_characters(stream)
    try:
        verb = next((argument for argument in arguments if argument != "--"), None)
        code = build(verb if verb in VERBS else None)(arguments, standalone_mode=False)
        sys.stdout.flush()  # what it held back may not fit either
    except JoulemarkError as error:
        _fail(str(error), error.exit_code)
    except BrokenPackageError as error:
        _fail(str(error), 2)
    except typer.TyperException as error:
        _fail(error.format_message(), 2)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted.", 130)
    except (BrokenPipeError, SystemExit):  # Click makes the second, with code 1, of the first
        # The reader of a pipe has gone (`joulemark list | head`): nobody is left to tell. As a shell says it of others:
        # 1 would be a regression.
        _forget_output()
        sys.exit(141)  # 128 + SIGPIPE
    except Exception as error:  # noqa: BLE001  no traceback reaches a user
        if isinstance(error, OSError) and error.errno in _FULL:
            _forget_output()
            _fail(f"cannot write {error.filename or 'the output'}: {error.strerror}.", 2)
        if os.environ.get("JOULEMARK_DEBUG"):
            traceback.print_exc()
        _fail(f"a bug, please report it: {type(error).__name__}: {error} (JOULEMARK_DEBUG=1 shows where).", 2)
    sys.exit(code if isinstance(code, int) else 0)


def _forget_output() -> None:
    """Let go of what standard output still holds: at the end Python would try to write it once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, code: int) -> NoReturn:
    one_line = " ".join(message.split())
    print(f"joulemark: {one_line}", file=sys.stderr)
    sys.exit(code)
