"""A process that has one framework imported and nothing started; each trial is a fork of it.

Run as `python -P -m joulemark.suite.trial.fork_server FRAMEWORK SOCKET fork|spawn`. SOCKET is the descriptor of one
end of a SOCK_SEQPACKET pair. It says once `{"problem": ..., "unclean": ...}`; then each request comes with two
descriptors (for what the trial reports, and for what it prints) and is answered by `{"pid": ...}` and
`{"exit": ..., "signal": ...}`.

With `spawn` the process runs one trial itself: the way out where a fork would not be safe.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import sys
import time
from types import FrameType
from typing import Any, NoReturn

from joulemark.suite.trial import processes

NOT_NEEDED = ("pandas", "pyarrow")
"""Keras imports them where they are installed, they start threads, and no workload uses them."""

LARGEST_MESSAGE = 1 << 16


def main(arguments: list[str]) -> None:
    """Serve trials until the other end of the socket closes."""
    framework, descriptor, how = arguments
    processes.die_with_parent(signal.SIGTERM)
    processes.adopt_orphans()
    channel = socket.socket(fileno=int(descriptor))
    problem = _import(framework)
    channel.send(json.dumps({"problem": problem, "unclean": _unclean()}).encode())
    if problem:
        return
    signal.signal(signal.SIGTERM, _end)
    gc.collect()
    gc.freeze()  # pages of imported objects stay shared with the children
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, LARGEST_MESSAGE, 2)
        if not message:
            processes.kill_children()
            return
        if how == "spawn":
            channel.send(json.dumps({"pid": os.getpid()}).encode())
            _run_trial(message, *descriptors)
        _fork_trial(channel, message, descriptors)


def _import(framework: str) -> str | None:
    """Import the framework, its adapter and kit; what went wrong, or None."""
    from joulemark.suite.trial.frameworks import FRAMEWORKS

    for name in NOT_NEEDED:
        sys.modules[name] = None  # type: ignore[assignment]  # an import of it then raises ImportError
    try:
        importlib.import_module(FRAMEWORKS[framework].adapter)
        importlib.import_module("joulemark.suite.trial.worker")
        importlib.import_module("joulemark.workloads.registry").workloads()
    except Exception as error:  # noqa: BLE001  a broken installation may raise anything, and is a result
        return " ".join(f"{type(error).__name__}: {error}".split())[:500]
    return None


def _unclean() -> str:
    """What a fork would take over that it must not; empty where there is nothing."""
    unclean = []
    if processes.thread_count() > 1:
        unclean.append(f"{processes.thread_count()} threads after the imports")
    if devices := processes.open_devices():
        unclean.append(f"{', '.join(devices)} open after the imports")
    return "; ".join(unclean)


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    processes.kill_children()
    os._exit(0)


def _fork_trial(channel: socket.socket, message: bytes, descriptors: list[int]) -> None:
    """Fork, wait, and leave none of the trial's processes behind."""
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
    # WNOWAIT: while the leader is not reaped its group's number cannot be given to others.
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    processes.kill_group(pid)
    _, status = os.waitpid(pid, 0)
    processes.kill_children()
    code = os.waitstatus_to_exitcode(status)
    channel.send(json.dumps({"exit": max(code, 0), "signal": max(-code, 0)}).encode())


def _run_trial(message: bytes, report: int, output: int) -> NoReturn:
    """Run one trial in this process and end it: each report is a line of JSON on the descriptor `report`."""
    started = time.monotonic()
    os.dup2(output, 1)
    os.dup2(output, 2)

    def say(**fields: Any) -> None:
        data = (json.dumps(fields) + "\n").encode()
        while data:
            data = data[os.write(report, data) :]

    from joulemark.suite.trial import worker
    from joulemark.suite.trial.request import Request

    try:
        request = Request.from_json(json.loads(message))
        say(trial=worker.run(request, started, lambda part: say(part=part)))
    except BaseException as error:  # noqa: BLE001  whatever a trial raises is its result
        code, reason = worker.classify(error)
        say(error={"code": code, "reason": reason})
    # Not sys.exit: destructors and atexit handlers of a framework can hang, and nothing of them is wanted.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
