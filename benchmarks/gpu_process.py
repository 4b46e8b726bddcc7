"""Processes of `benchmarks.gpu`: whatever one of them does, the script goes on."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from joulemark.suite.system.text import decode
from joulemark.suite.trial.outcome import describe_exit

ROOT = Path(__file__).resolve().parents[1]
STOP_S = 10.0
"""How long a process has to end after SIGTERM, seconds: `joulemark run` writes what it has measured."""
KILL_S = 3.0
"""How long one may take to disappear after SIGKILL, seconds; one that the driver holds never does."""
TAIL_BYTES = 1 << 14
"""Bytes of a log that its last line is looked for in."""


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    output: str
    """What it printed."""
    reason: str | None
    """Why it did not do all of its work, in one line; None if it did."""


def variables(more: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables under which a process can import joulemark and benchmarks, as this one does."""
    path = os.pathsep.join(filter(None, [str(ROOT), more.get("PYTHONPATH", "")]))
    return {**more, "PYTHONPATH": path}


@contextlib.contextmanager
def started(arguments: Sequence[str], folder: Path, env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start `python -m ARGUMENTS`, which prints into `folder`; on leaving, kill it and what it started."""
    command = [sys.executable, "-P", "-m", *arguments]
    with (folder / "stdout").open("wb") as output, (folder / "stderr").open("wb") as log:
        process = subprocess.Popen(command, env=dict(env), stdout=output, stderr=log, start_new_session=True)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(KILL_S)


def run(arguments: Sequence[str], folder: Path, timeout_s: float) -> Ended:
    """Run `python -m ARGUMENTS` for at most `timeout_s`, and then for as long as it takes to stop it."""
    with started(arguments, folder, variables()) as process:
        try:
            process.wait(timeout_s)
            reason = failure(process.returncode, folder)
        except subprocess.TimeoutExpired:
            reason = f"not finished within {timeout_s:.0f} s"
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_S)
    return Ended(decode((folder / "stdout").read_bytes(), "replace"), reason)


def failure(returncode: int, folder: Path) -> str | None:
    """Return why a process that printed into `folder` failed: the last line of its log; None if it did not fail."""
    if returncode == 0:
        return None
    how = describe_exit({"exit": max(returncode, 0), "signal": max(-returncode, 0)})
    if returncode < 0:
        lack = ", possibly by the kernel for lack of memory" if returncode == -signal.SIGKILL else ""
        return f"its process was ended{lack} ({how})"
    with (folder / "stderr").open("rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - TAIL_BYTES))
        lines = [line.strip() for line in decode(log.read(), "replace").split("\n") if line.strip()]
    return f"{lines[-1][:300]} ({how})" if lines else how
