"""The command `joulemark`. The only place that prints errors and exits."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from typing import Annotated, NoReturn

import typer

from suite import __version__
from suite.errors import JoulemarkError

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
"""One verb, one file in `suite/commands`; the order of the help."""

app = typer.Typer(
    name="joulemark",
    help="Benchmark deep learning by speed, energy and carbon at once, in PyTorch and TensorFlow.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)

for verb in VERBS:
    module = importlib.import_module(f"suite.commands.{verb}")
    if hasattr(module, "app"):  # a verb of several
        app.add_typer(module.app, name=verb)
    else:
        app.command(name=verb)(module.command)


def _version(asked: bool) -> None:
    if asked:
        print(f"joulemark {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of all verbs."""


def main() -> NoReturn:
    """Run the command and exit: 0 fine, 2 bad usage or input, 130 interrupted, others as the verb says."""
    try:
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except JoulemarkError as error:
        _fail(str(error), error.exit_code)
    except typer.TyperException as error:
        _fail(error.format_message(), 2)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted.", 130)
    except (BrokenPipeError, SystemExit):  # Click makes the second, with code 1, of the first
        # The reader of a pipe has gone (`joulemark list | head`): nobody is left to tell. As a shell says it of others:
        # 1 would be a regression.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
    except Exception as error:  # noqa: BLE001  no traceback reaches a user
        if os.environ.get("JOULEMARK_DEBUG"):
            traceback.print_exc()
        _fail(f"a bug, please report it: {type(error).__name__}: {error} (JOULEMARK_DEBUG=1 shows where).", 2)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, code: int) -> NoReturn:
    one_line = " ".join(message.split())
    print(f"joulemark: {one_line}", file=sys.stderr)
    sys.exit(code)
