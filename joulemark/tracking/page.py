"""The page of a run file, made in a process of its own: the user's program does not need to import what it takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from joulemark.suite.trial.processes import child_environment

TIMEOUT_S = 300.0
"""The page of a long training takes some seconds."""


def write_page(run_file: Path, folder: Path) -> tuple[Path | None, str]:
    """Write the page of `run_file` in `folder`; return its path, or None and why there is none."""
    page = folder / f"{run_file.stem}.html"
    command = [sys.executable, "-P", "-m", "joulemark", "report", str(run_file), "-o", str(page)]
    try:
        done = subprocess.run(
            command, env=child_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=TIMEOUT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, str(error)
    lines = done.stderr.strip().splitlines()
    return (page, "") if done.returncode == 0 else (None, lines[-1] if lines else f"exit code {done.returncode}")
