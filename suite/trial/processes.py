"""Child processes: start one, exchange JSON lines with it, end it with its descendants; and Linux's prctl(2)."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

import joulemark
from joulemark.suite.system.clock import monotonic_s, sleep
from joulemark.suite.system.streams import closed_streams_reserved

IMPORT_ROOT = Path(joulemark.__file__).absolute().parents[1]
"""The folder that joulemark is imported from: a checkout, site-packages, or that of an editable install. Links are not
resolved: the last holds nothing but joulemark, and the checkout that it links to has packages that others have too."""

POLL_PERIOD_S = 0.01

# linux/prctl.h
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def child_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return `environment` for a child that imports the same joulemark as this process, even one not installed.

    To be used with `python -P`, which keeps the current directory out of the module path.
    """
    path = os.pathsep.join(filter(None, [str(IMPORT_ROOT), environment.get("PYTHONPATH")]))
    return {**environment, "PYTHONPATH": path}


def start_module(
    module: str, environment: Mapping[str, str] = os.environ, stderr: int = subprocess.PIPE
) -> subprocess.Popen[str]:
    """Start `python -P -m MODULE` with pipes to its standard streams, in a session of its own.

    The new session keeps Ctrl-C at the terminal from the child, which the parent ends itself.
    """
    with closed_streams_reserved():  # else what this process prints goes to the child
        return subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=child_environment(environment),
            start_new_session=True,
        )


def send_json(process: subprocess.Popen[str], message: Mapping[str, Any]) -> None:
    """Write `message` as one line to the child's standard input. Does nothing if the child has ended."""
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(json.dumps(message) + "\n")
        process.stdin.flush()


def receive_json(process: subprocess.Popen[str], timeout_s: float) -> dict[str, Any] | None:
    """Return the next line of the child's standard output as JSON; None if it ends or takes longer than `timeout_s`."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], timeout_s)
    line = process.stdout.readline() if ready else ""
    return json.loads(line) if line else None


def close_stdin(process: subprocess.Popen[str]) -> None:
    """Close the child's standard input, which tells it to end. Does nothing the second time."""
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):  # what was not yet sent, to a child that has ended
            process.stdin.close()


def stop(process: subprocess.Popen[str], timeout_s: float) -> None:
    """End the child: close its input, wait up to `timeout_s`, then kill it. Does nothing the second time."""
    close_stdin(process)
    deadline_s = monotonic_s() + timeout_s  # `Popen.wait` counts on a clock that a test may have frozen
    while process.poll() is None and monotonic_s() < deadline_s:
        sleep(POLL_PERIOD_S)
    if process.poll() is None:
        process.kill()
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def claim_stdout() -> TextIO:
    """Return this process's standard output for its own use; what libraries print afterwards goes to /dev/null."""
    stdout = os.fdopen(os.dup(1), "w")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
    return stdout


def die_with_parent(how: signal.Signals) -> None:
    """Have the kernel send `how` to this process when its parent ends. No effect where there is no prctl."""
    parent = os.getppid()
    _prctl(_PR_SET_PDEATHSIG, int(how))
    if os.getppid() != parent:  # it ended in between
        os.kill(os.getpid(), how)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that none escapes."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def thread_count() -> int:
    """Return the number of threads of this process."""
    return len(os.listdir("/proc/self/task"))


def open_devices() -> list[str]:
    """Return the accelerator device files that this process holds open."""
    devices = set()
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            target = os.readlink(entry)
            if target.startswith(("/dev/nvidia", "/dev/kfd", "/dev/dri")):
                devices.add(target)
    return sorted(devices)


def kill_group(leader: int) -> None:
    """Kill every process in the group of `leader`. Does nothing if none is left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def kill_children() -> None:
    """Kill and reap all children of this process, and the orphans that it adopts meanwhile."""
    while True:
        children = _children()
        for child in children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
        try:
            while os.waitpid(-1, 0 if children else os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        if not children:
            return


def _children() -> list[int]:
    """Return the direct children of this process (proc(5): /proc/PID/task/TID/children)."""
    pids: list[int] = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            pids += [int(pid) for pid in (task / "children").read_text().split()]
    return pids
