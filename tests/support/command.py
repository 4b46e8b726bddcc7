"""Runs the real command, as a user would, in a home of its own."""

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
    """A user's environment whose runs, and whose lock on the machine, lie in `home`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("JOULEMARK_")}
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
    cwd: Path | None = None,
    timeout: float = 300,
) -> subprocess.CompletedProcess[str]:
    """Run `joulemark ARGUMENTS` to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(home, **(variables or {})),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def start(home: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    """Start `joulemark ARGUMENTS` as from a terminal: it hears Ctrl-C."""
    # A shell starts its background jobs with Ctrl-C ignored, and children inherit that: not what is tested here.
    listens = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    return subprocess.Popen(
        [*COMMAND[:-1], listens + COMMAND[-1], *arguments],
        env=environment(home, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=home,
    )


def in_terminal(home: Path, width: int, *arguments: str, variables: Mapping[str, str] | None = None) -> str:
    """What `joulemark ARGUMENTS` writes to a terminal of that width."""
    ours, theirs = pty.openpty()
    kept = {k: v for k, v in environment(home).items() if k not in {"NO_COLOR", "FORCE_COLOR"}}
    shown = {"COLUMNS": str(width), "TERM": "xterm", "PYTHONIOENCODING": "utf-8", **(variables or {})}
    child = subprocess.Popen(
        [*COMMAND, *arguments], cwd=home, env={**kept, **shown}, stdout=theirs, stderr=subprocess.DEVNULL
    )
    os.close(theirs)
    found = bytearray()
    try:
        while piece := os.read(ours, 65536):
            found += piece
    except OSError:  # Linux says EIO once the other side is closed
        pass
    finally:
        os.close(ours)
        child.wait(timeout=300)
    return found.decode().replace("\r\n", "\n")


def wait_for(process: subprocess.Popen[str], text: str) -> None:
    """Read what `process` says until `text` stands in a line."""
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"{text!r} was never said")
