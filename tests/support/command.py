"""Run the real command as a user would, with a home of its own."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

FAST = """
[profiles.fast]
base = "quick"
title = "for tests: short windows"
workloads = ["matmul", "cnn"]
size = "tiny"
window_s = 0.3
idle_s = 0.5
"""
"""A settings file with a profile that takes seconds."""

COMMAND = [sys.executable, "-P", "-c", "from joulemark.suite.cli.app import main; main()"]


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return a user's environment whose runs and lock on the machine are in `home`, without anyone's token.

    PYTHON* go too: PYTHONUNBUFFERED, which images of containers set, changes what happens on a full disk.
    """
    settings = ("JOULEMARK_", "ELECTRICITYMAPS_", "CO2_SIGNAL_", "PYTHON")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    return {
        **clean,
        "JOULEMARK_HOME": str(home),
        "JOULEMARK_LOCK": str(home / "lock"),
        "TMPDIR": str(home / "tmp"),
        "COLUMNS": "200",
        **more,
    }


def joulemark(
    home: Path,
    *arguments: str,
    variables: Mapping[str, str] | None = None,
    timeout: float = 300,
    python: str = sys.executable,
) -> subprocess.CompletedProcess[str]:
    """Run `joulemark ARGUMENTS` of the interpreter `python` in `home` to its end."""
    return subprocess.run(
        [python, *COMMAND[1:], *arguments],
        env=environment(home, **(variables or {})),
        cwd=home,
        capture_output=True,
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
        child.wait(timeout=300)
    return output.decode().replace("\r\n", "\n")


def wait_for(process: subprocess.Popen[str], text: str) -> None:
    """Read the standard error of `process` until a line contains `text`."""
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"{text!r} was never printed")
