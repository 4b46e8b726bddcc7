"""A user's program in a process of its own, and what it leaves behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
from command import environment


def run_program(folder: Path, program: str, *options: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run `program` to its end in an interpreter with `options`; it must exit with `code`."""
    done = subprocess.run(
        [sys.executable, "-P", *options, "-c", program],
        env=environment(folder, JOULEMARK_TEST=str(folder)),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done


def left_behind(folder: Path) -> list[str]:
    """Return what programs in `folder` have left, once those that end have ended: processes, and temporary files."""
    return [*processes_left(folder), *map(str, (folder / "tmp").iterdir())]


def processes_left(folder: Path) -> list[str]:
    """Return the command lines of processes that programs in `folder` have left, once those that end have ended."""
    own = [process for process in psutil.process_iter() if _folder(process) == str(folder)]
    return [" ".join(process.cmdline()) for process in psutil.wait_procs(own, timeout=20)[1]]


def _folder(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("JOULEMARK_TEST")
    except psutil.Error:
        return None
