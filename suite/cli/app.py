"""The command `joulemark`. The only place that prints errors and exits."""

from __future__ import annotations

import errno
import functools
import importlib
import os
import sys
import traceback
from collections.abc import Callable
from typing import Annotated, NoReturn, TextIO

import typer

from joulemark.suite.cli import bisect_codes, completion, stop_signals
from joulemark.suite.cli.arguments import expand
from joulemark.suite.cli.given_once import CommandWithOptionsOnce
from joulemark.suite.errors import JoulemarkError, StoppedError
from joulemark.suite.system.streams import open_closed_streams
from joulemark.suite.system.text import one_line
from joulemark.suite.terminal.ascii import replace_missing_characters
from joulemark.workloads.errors import BrokenPackageError

VERBS = (
    "run",
    "list",
    "show",
    "report",
    "compare",
    "ab",
    "sweep",
    "check",
    "baseline",
    "history",
    "export",
    "calibrate",
    "measure",
    "watch",
    "job",
    "doctor",
    "intensity",
    "when",
    "estimate",
    "references",
    "schema",
)
"""The modules of `suite/cli/verbs`, in the order of the help."""

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)
"""A disk is full or fails, or standard output is open for reading only."""

_SIGPIPE_EXIT = 141
"""128 + SIGPIPE, as a shell reports it; 1 would mean a regression."""


def _version(requested: bool) -> None:
    if requested:
        from joulemark import __version__

        print(f"joulemark {__version__}")
        raise typer.Exit


def global_options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of the command itself."""


def build(verb: str | None) -> typer.Typer:
    """Return the command line of `verb`; for None that of all verbs without their options, which are slow to read."""
    app = typer.Typer(
        name="joulemark",
        help="Benchmark deep learning by speed, energy and carbon at once, in PyTorch, TensorFlow and JAX.",
        add_completion=verb is None or completion.is_asked(),  # --install-completion and --show-completion
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    app.callback()(global_options)
    for name in VERBS if verb is None else (verb,):
        module = importlib.import_module(f"joulemark.suite.cli.verbs.{name}")
        if hasattr(module, "app"):  # a verb with subcommands
            app.add_typer(module.app, name=name)
        else:
            command = _without_options if verb is None else _interruptible(expand(module.command))
            app.command(name=name, help=_help(module.command), cls=CommandWithOptionsOnce)(command)
    return app


def _interruptible(command: Callable[..., object]) -> Callable[..., object]:
    """Return `command` raising StoppedError for KeyboardInterrupt, which Typer turns into a code without a message."""

    @functools.wraps(command)
    def interruptible(*args: object, **kwargs: object) -> object:
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            raise StoppedError("interrupted.") from None

    return interruptible


def _help(command: Callable[..., object]) -> str:
    """Return the docstring of `command` with each paragraph as one line, for the terminal to wrap."""
    paragraphs = (command.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _without_options() -> None:
    """Stand for a verb in the list of all."""
    raise AssertionError("a verb that is run is built with its options")


def main() -> NoReturn:
    """Run the command and exit: 0 fine, 2 bad usage or input, 130 interrupted, others as the verb says."""
    try:
        stop_signals.install()
        code = _run()
        if bisect_codes.is_bisection(sys.argv[1:]):
            code = bisect_codes.for_git(code)
    except (KeyboardInterrupt, typer.Abort):
        stop_signals.exit_silently()
        code = _fail("interrupted.", stop_signals.EXIT_CODE)
    stop_signals.exit_silently()
    sys.exit(code)


def _run() -> int:
    """Run the command and return its exit code; what goes wrong has been printed then."""
    open_closed_streams()
    if completion.is_asked():
        return completion.answer(build, VERBS)
    arguments = sys.argv[1:] or ["--help"]
    for stream in (sys.stdout, sys.stderr):
        replace_missing_characters(stream)
    try:
        verb = next((argument for argument in arguments if argument != "--"), None)
        code = build(verb if verb in VERBS else None)(arguments, prog_name="joulemark", standalone_mode=False)
        if verb not in VERBS and code == 1:  # Typer's --show-completion, whose own message names no remedy
            return _fail("no shell to complete for: give this in bash, zsh or fish.", 2)
        sys.stdout.flush()  # buffered output may not fit on the disk either
    except JoulemarkError as error:
        code = _fail(str(error), error.exit_code)
    except BrokenPackageError as error:
        code = _fail(str(error), 2)
    except typer.TyperException as error:
        code = _fail(error.format_message(), 2)
    except typer.Abort:
        raise
    except (BrokenPipeError, SystemExit) as end:  # Click turns the first into the second, with code 1
        if isinstance(end, SystemExit) and end.code == 0:  # of --show-completion and --install-completion
            return 0
        # The reader of a pipe has gone (`joulemark list | head`): there is nobody to report it to.
        _discard(sys.stdout)
        code = _SIGPIPE_EXIT
    except Exception as error:  # noqa: BLE001  no traceback reaches a user
        if isinstance(error, OSError) and error.errno in _UNWRITABLE:
            _discard(sys.stdout)
            return _fail(f"cannot write {error.filename or 'the output'}: {error.strerror}.", 2)
        if os.environ.get("JOULEMARK_DEBUG"):
            traceback.print_exc()
        return _fail(f"a bug, please report it: {type(error).__name__}: {error} (JOULEMARK_DEBUG=1 shows where).", 2)
    return code if isinstance(code, int) else 0


def _discard(stream: TextIO) -> None:
    """Discard what `stream` has buffered; Python would try to write it at exit, and exit with 120 if that fails."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _fail(message: str, code: int) -> int:
    """Print an error in one line and return `code`, the exit code."""
    try:
        print(f"joulemark: {one_line(message)}", file=sys.stderr)
        sys.stderr.flush()
    except OSError:  # the disk of standard error may be full too: the code still tells
        _discard(sys.stderr)
    return code
