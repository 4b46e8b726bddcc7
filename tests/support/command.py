"""Run the real command as a user would, with a home of its own."""

from __future__ import annotations

import atexit
import functools
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from forked_command import CommandServer

FAST = """
warmup_s = 0.05
[profiles.fast]
base = "quick"
title = "for tests: short warm-up and windows"
workloads = ["matmul", "cnn"]
size = "tiny"
window_s = 0.3
idle_s = 0.5
"""
"""A settings file with a profile that takes seconds."""
FAST_ROUNDS = FAST + "server_rounds = 9\n"
"""The same for several rounds: they share fork servers, whose imports take seconds."""

COMMAND = [sys.executable, "-P", "-c", "from joulemark.suite.cli.app import main; main()"]


def inherited() -> dict[str, str]:
    """Return the variables of this process without joulemark's settings and anyone's token.

    PYTHON* go too: PYTHONUNBUFFERED, which images of containers set, changes what happens on a full disk.
    """
    settings = ("JOULEMARK_", "ELECTRICITYMAPS_", "CO2_SIGNAL_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(settings)}


VARIABLES = inherited()
"""Before any test has changed them."""
LIMIT_S = 900.0
"""The longest that a command may take, seconds: on a busy machine, a run takes minutes."""
WIDTH = "200"
"""Columns of the terminal that there is none of."""


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return a user's environment whose runs and lock on the machine are in `home`."""
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    return {
        **inherited(),
        "JOULEMARK_HOME": str(home),
        "JOULEMARK_LOCK": str(home / "lock"),
        "TMPDIR": str(home / "tmp"),
        "COLUMNS": WIDTH,
        **more,
    }


@functools.cache
def _server() -> CommandServer:
    """Return the server of this process."""
    server = CommandServer({**VARIABLES, "COLUMNS": WIDTH})
    atexit.register(server.close)
    return server


def joulemark(
    home: Path,
    *arguments: str,
    variables: Mapping[str, str] | None = None,
    timeout: float = LIMIT_S,
    python: str = sys.executable,
    streams: tuple[int | None, int | None] = (None, None),
) -> subprocess.CompletedProcess[str]:
    """Run `joulemark ARGUMENTS` of the interpreter `python` in `home` to its end.

    `streams` are descriptors for its output and errors; what goes to None is returned.
    Its process is forked from one that has imported the command, where neither the interpreter nor `variables` differ
    in what is read earlier.
    """
    env = environment(home, **(variables or {}))
    if python == sys.executable and _server().suits(env):
        return _server().run(arguments, env, home, timeout, streams)
    stdout, stderr = (subprocess.PIPE if stream is None else stream for stream in streams)
    return subprocess.run(
        [python, *COMMAND[1:], *arguments],
        env=env,
        cwd=home,
        stdout=stdout,
        stderr=stderr,
        text=True,
        timeout=timeout,
        check=False,
    )


def start(home: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    """Start `joulemark ARGUMENTS` with Ctrl-C enabled, as from a terminal."""
    # A shell starts background jobs with SIGINT ignored, and children inherit that.
    enable = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    return subprocess.Popen(
        [*COMMAND[:-1], enable + COMMAND[-1], *arguments],
        env=environment(home, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=home,
    )


def in_terminal(home: Path, width: int, *arguments: str, variables: Mapping[str, str] | None = None) -> str:
    """Return what `joulemark ARGUMENTS` writes to a terminal that is `width` columns wide."""
    ours, theirs = pty.openpty()
    inherited = {k: v for k, v in environment(home).items() if k not in {"NO_COLOR", "FORCE_COLOR"}}
    terminal = {"COLUMNS": str(width), "TERM": "xterm", "PYTHONIOENCODING": "utf-8", **(variables or {})}
    child = subprocess.Popen(
        [*COMMAND, *arguments], cwd=home, env={**inherited, **terminal}, stdout=theirs, stderr=subprocess.DEVNULL
    )
    os.close(theirs)
    output = bytearray()
    try:
        while chunk := os.read(ours, 65536):
            output += chunk
    except OSError:  # Linux reports EIO once the other side is closed
        pass
    finally:
        os.close(ours)
        child.wait(timeout=LIMIT_S)
    return output.decode().replace("\r\n", "\n")


def wait_for(process: subprocess.Popen[str], text: str) -> None:
    """Read the standard error of `process` until a line contains `text`."""
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"{text!r} was never printed")
