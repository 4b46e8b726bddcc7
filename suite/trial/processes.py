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
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, TextIO

import joulemark
from joulemark.suite.system.clock import monotonic_s, sleep
from joulemark.suite.system.redaction import without_secrets
from joulemark.suite.system.streams import closed_streams_reserved
from joulemark.suite.system.text import one_line

IMPORT_ROOT = Path(joulemark.__file__).absolute().parents[1]
"""The folder that joulemark is imported from: a checkout, site-packages, or that of an editable install. Links are not
resolved: the last holds nothing but joulemark, and the checkout that it links to has packages that others have too."""
POLL_PERIOD_S = 0.01
CHECK_PERIOD_S = 1.0
"""How often a process that waits looks whether its parent lives."""
KILL_TIMEOUT_S = 5.0
"""A process that is stuck in a driver does not end even when killed: it is left behind."""
_STARTED_BY = os.getppid()
"""The parent when this module was imported: it may end before the first look."""
READ_BYTES = 1 << 16
MAX_OUTPUT_BYTES = 1 << 24
# linux/prctl.h
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def child_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return `environment` for a child that imports the same joulemark as this process, even one not installed.

    To be used with `python -P`, which keeps the current directory out of the module path.
    """
    path = os.pathsep.join(filter(None, [str(IMPORT_ROOT), environment.get("PYTHONPATH")]))
    return {**environment, "PYTHONPATH": path}


def start_module(
    module: str, environment: Mapping[str, str] = os.environ, stderr: int = subprocess.PIPE, secrets: bool = False
) -> subprocess.Popen[str]:
    """Start `python -P -m MODULE` with pipes to its standard streams, in a session of its own.

    The new session keeps Ctrl-C at the terminal from the child, which the parent ends itself. Only one that needs
    `secrets` inherits variables that hold them.
    """
    with closed_streams_reserved():  # else what this process prints goes to the child
        return subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=child_environment(environment if secrets else without_secrets(environment)),
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
    line = read_until(process.stdout.fileno(), timeout_s, lambda received: received.endswith(b"\n"))
    return json.loads(line) if line.endswith(b"\n") else None


def read_until(descriptor: int, timeout_s: float, is_whole: Callable[[bytes], bool] = lambda _received: False) -> bytes:
    """Return what a pipe gives until `is_whole`, its end, or the end of `timeout_s`; others may hold it open."""
    deadline_s = monotonic_s() + timeout_s
    received = b""
    while not is_whole(received):
        if not select.select([descriptor], [], [], max(0.0, deadline_s - monotonic_s()))[0]:
            break
        if not (block := os.read(descriptor, READ_BYTES)):
            break
        received += block
    return received


def last_line(pipe: IO[Any], timeout_s: float) -> str:
    """Return the last line of what a pipe gives until its end, or the end of `timeout_s`; empty where there is none."""
    lines = read_until(pipe.fileno(), timeout_s).decode(errors="replace").strip().splitlines()
    return one_line(lines[-1]) if lines else ""


def close_stdin(process: subprocess.Popen[str]) -> None:
    """Close the child's standard input, which tells it to end. Does nothing the second time."""
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):  # what was not yet sent, to a child that has ended
            process.stdin.close()


def stop(process: subprocess.Popen[str], timeout_s: float) -> None:
    """End the child: close its input, wait up to `timeout_s`, then kill it. Does nothing the second time."""
    close_stdin(process)
    if not wait(process, timeout_s):
        process.kill()
        wait(process, KILL_TIMEOUT_S)
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def wait(process: subprocess.Popen[Any], timeout_s: float) -> bool:
    """Wait until a child has ended, for `timeout_s` at most; return whether it has."""
    deadline_s = monotonic_s() + timeout_s  # `Popen.wait` counts on a clock that a test may have frozen
    while process.poll() is None and (left_s := deadline_s - monotonic_s()) > 0:
        if ends_within(process.pid, left_s) is None:
            sleep(POLL_PERIOD_S)
    return process.poll() is not None


def ends_within(pid: int, timeout_s: float) -> bool | None:
    """Return whether a child ends within `timeout_s`, without reaping it; None where the kernel does not tell."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:  # pidfd_open(2) is of Linux 5.3, and some sandboxes lack it
        return None
    try:
        return bool(select.select([descriptor], [], [], timeout_s)[0])
    finally:
        os.close(descriptor)


def output_of(command: Sequence[str], environment: Mapping[str, str], timeout_s: float) -> tuple[int, str, str]:
    """Run `command` in a session of its own; return its exit status, output and errors, at its own end.

    What it leaves behind is killed. Raises OSError if it cannot be started, TimeoutError if it takes longer.
    """
    with (
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        ) as process,
    ):
        try:
            ended = ends_within(process.pid, timeout_s)  # not reaped, so that its group's number is its own
            if not (wait(process, timeout_s) if ended is None else ended):
                raise TimeoutError
        finally:
            kill_group(process.pid)
            wait(process, KILL_TIMEOUT_S)
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read(MAX_OUTPUT_BYTES).decode(errors="replace"))
        return process.returncode, texts[0], texts[1]


def wait_for_end_of_input(descriptor: int = 0) -> None:
    """Wait until the input of this process ends, or its parent does: a child of that may hold the pipe open."""
    while os.getppid() == _STARTED_BY:
        if select.select([descriptor], [], [], CHECK_PERIOD_S)[0] and not os.read(descriptor, READ_BYTES):
            return


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


def kill_group(leader: int) -> None:
    """Kill every process in the group of `leader`. Does nothing if none is left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def kill_children() -> None:
    """Kill and reap all children of this process, and the orphans that it adopts meanwhile."""
    deadline_s = monotonic_s() + KILL_TIMEOUT_S
    while monotonic_s() < deadline_s:
        children = _children()
        for child in children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not children:
            return
        sleep(POLL_PERIOD_S / 10)


def _children() -> list[int]:
    """Return the direct children of this process (proc(5): /proc/PID/task/TID/children)."""
    pids: list[int] = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            pids += [int(pid) for pid in (task / "children").read_text().split()]
    return pids
