"""The fork server: a process that has imported one framework and started nothing; each trial is a fork of it.

Such a process is also called a zygote. Run as `python -P -m joulemark.suite.trial.fork_server FRAMEWORK SOCKET
fork|spawn`, where SOCKET is the descriptor of one end of a SOCK_SEQPACKET pair. It first sends
`{"import_error": ..., "fork_hazards": ...}`. Each request then arrives with two descriptors (a socket for the trial's
reports, a pipe for its printed output) and is answered by `{"pid": ...}` and `{"exit": ..., "signal": ...}`. A trial
that takes turns takes one for each byte that comes back through the socket, the place of its first core, until that is
shut down.

With `spawn` the process runs one trial itself: the fallback where forking would not be safe.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NoReturn

from joulemark.suite.system.text import one_line
from joulemark.suite.trial import processes
from joulemark.suite.trial.frameworks import FRAMEWORKS

BLOCKED_IMPORTS = ("pandas", "pyarrow")
"""Keras imports them where they are installed, they start threads, and no workload uses them."""
MAX_MESSAGE_BYTES = 1 << 16


def main(arguments: list[str]) -> None:
    """Serve trials until the other end of the socket closes."""
    framework, descriptor, isolation = arguments
    processes.die_with_parent(signal.SIGTERM)
    processes.adopt_orphans()
    channel = socket.socket(fileno=int(descriptor))
    import_error = _import(framework)
    channel.send(json.dumps({"import_error": import_error, "fork_hazards": _fork_hazards()}).encode())
    if import_error:
        return
    signal.signal(signal.SIGTERM, _on_sigterm)
    gc.collect()
    gc.freeze()  # pages of imported objects stay shared with the children
    parent = os.getppid()
    while True:
        if not select.select([channel], [], [], processes.CHECK_PERIOD_S)[0]:
            if os.getppid() != parent:  # prctl(2) may be forbidden, and the socket held open by another process
                return
            continue
        message, descriptors, _, _ = socket.recv_fds(channel, MAX_MESSAGE_BYTES, 2)
        if not message:
            processes.kill_children()
            return
        if isolation == "spawn":
            channel.send(json.dumps({"pid": os.getpid()}).encode())
            _run_trial(message, *descriptors)
        _fork_trial(channel, message, descriptors)


def import_adapter(framework: str) -> ModuleType:
    """Import the framework with its kit and return the module of its adapter, in a process of that framework only."""
    for name in BLOCKED_IMPORTS:
        sys.modules[name] = None  # type: ignore[assignment]  # importing it then raises ImportError
    return importlib.import_module(FRAMEWORKS[framework].adapter)


def describe_error(error: Exception) -> str:
    """Return the class and the message of `error` in one line of at most 500 characters."""
    return one_line(f"{type(error).__name__}: {error}")[:500]


def _import(framework: str) -> str | None:
    """Import all that trials of `framework` need. Return the error in one line, or None."""
    try:
        import_adapter(framework)
        for name in FRAMEWORKS[framework].preload:
            importlib.import_module(name)
        importlib.import_module("joulemark.suite.trial.worker")
        importlib.import_module("joulemark.workloads.registry").workloads()
    except Exception as error:  # noqa: BLE001  a broken installation may raise anything, and is a result
        return describe_error(error)
    return None


def _fork_hazards() -> str:
    """Return what a fork must not inherit but would; empty if there is nothing."""
    hazards = []
    if _thread_count() > 1:
        hazards.append(f"{_thread_count()} threads after the imports")
    if devices := _open_devices():
        hazards.append(f"{', '.join(devices)} open after the imports")
    return "; ".join(hazards)


def _thread_count() -> int:
    """Return the number of threads of this process."""
    return len(os.listdir("/proc/self/task"))


def _open_devices() -> list[str]:
    """Return the accelerator device files that this process holds open."""
    devices = set()
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            target = os.readlink(entry)
            if target.startswith(("/dev/nvidia", "/dev/kfd", "/dev/dri")):
                devices.add(target)
    return sorted(devices)


def _on_sigterm(_signal: int, _frame: FrameType | None) -> NoReturn:
    processes.kill_children()
    os._exit(0)


def _fork_trial(channel: socket.socket, message: bytes, descriptors: list[int]) -> None:
    """Run one trial in a fork, wait for it, and kill every process that it leaves behind."""
    pid = os.fork()
    if pid == 0:
        channel.close()
        os.setsid()
        processes.die_with_parent(signal.SIGKILL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _run_trial(message, *descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    channel.send(json.dumps({"pid": pid}).encode())
    _wait_for_trial(pid)
    processes.kill_group(pid)
    _, status = os.waitpid(pid, 0)
    processes.kill_children()
    code = os.waitstatus_to_exitcode(status)
    channel.send(json.dumps({"exit": max(code, 0), "signal": max(-code, 0)}).encode())


def _wait_for_trial(pid: int) -> None:
    """Wait until a trial has ended, or the runner, which limits its time.

    The trial is not reaped: as long as the leader is not, its group's number cannot be reused.
    """
    runner = os.getppid()
    while os.getppid() == runner:
        ended = processes.ends_within(pid, processes.CHECK_PERIOD_S)
        if ended is None:
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        if ended is not False:
            return


def _run_trial(message: bytes, report_descriptor: int, output_descriptor: int) -> NoReturn:
    """Run one trial in this process and end the process. Each report is a line of JSON."""
    started = time.monotonic()
    os.dup2(output_descriptor, 1)
    os.dup2(output_descriptor, 2)

    def report(**fields: Any) -> None:
        data = (json.dumps(fields) + "\n").encode()
        while data:
            data = data[os.write(report_descriptor, data) :]

    def wait_for_turn() -> int | None:
        return next(iter(os.read(report_descriptor, 1)), None)

    from joulemark.suite.trial import outcome, worker
    from joulemark.suite.trial.request import Request

    try:
        request = Request.from_json(json.loads(message))
        worker.run(request, started, report, wait_for_turn)
    except BaseException as error:  # noqa: BLE001  whatever a trial raises is its result
        code, reason = outcome.classify(error)
        report(error={"code": code, "reason": reason})
    # Not sys.exit: a framework's destructors and atexit handlers can hang, and none of them is needed.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
