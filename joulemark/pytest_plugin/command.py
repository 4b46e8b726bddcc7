"""Run the command `joulemark` from within a pytest session."""

from __future__ import annotations

import subprocess
import sys

from joulemark.suite.trial.processes import child_environment


def joulemark(*arguments: str, show_stderr: bool = False) -> subprocess.CompletedProcess[str]:
    """Run `joulemark ARGUMENTS` in a process of its own, and return its output.

    Args:
        arguments: The command line.
        show_stderr: Whether its standard error goes to the terminal instead.
    """
    return subprocess.run(
        [sys.executable, "-P", "-m", "joulemark", *arguments],
        env=child_environment(),
        stdout=subprocess.PIPE,
        stderr=None if show_stderr else subprocess.PIPE,
        text=True,
        check=False,
    )
