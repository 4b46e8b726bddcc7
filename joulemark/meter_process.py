"""The meter process of this program: started once, asked over a pipe, ended with the program.

It holds the sampler. `suite/meter/server.py` has its requests and answers.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import sys
import threading
import warnings
from typing import Any

from joulemark.suite import errors
from joulemark.suite.errors import JoulemarkError, MeasurementError, UsageError
from joulemark.suite.system.clock import monotonic_s
from joulemark.suite.trial import processes

ANSWER_TIMEOUT_S = 120.0
"""Opening takes a second or two; it may take a minute to give up on a driver that hangs."""
STOP_TIMEOUT_S = 10.0
READ_BYTES = 1 << 16
MAX_RESTARTS = 10
"""A meter process that always ends soon is not started for each window."""
VISIBLE_DEVICES = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")
"""Variables that select GPUs. They are read for each request: a program may set them after its start."""

Document = dict[str, Any]

_processes: dict[tuple[str, ...], MeterProcess] = {}
"""By the sensors that they read."""
_lock = threading.RLock()


class MeterProcess:
    """A meter process and the pipe to it. It answers one request at a time."""

    def __init__(self, sensors: tuple[str, ...] = (), replaced: MeterProcess | None = None) -> None:
        """Start the process and wait until every sensor was read. JoulemarkError where there is no sampling.

        It counts seconds from the same moment as the one that it replaced, so that both have one run file.
        """
        self.restarts: int = replaced.restarts + 1 if replaced else 0
        if not sys.executable:
            raise MeasurementError("this Python does not know its own executable, and cannot start the meter process.")
        self._lock = threading.Lock()
        self._number = 0
        self._cut_off = False
        """Whether a request may have been interrupted while it was written."""
        self._unread = b""
        try:
            self._process = processes.start_module("joulemark.suite.meter.server", secrets=True)
        except OSError as error:
            raise MeasurementError(f"the meter process cannot be started: {error.strerror}.") from None
        try:
            origin = replaced.sensors_found["origin"] if replaced else None
            self.sensors_found: Document = self.ask(do="open", sensor=sensors, origin=origin)
        except BaseException:
            self.close()
            raise

    def ask(self, **request: Any) -> Document:
        """Return the answer to `request`. JoulemarkError with the reason, also where the process has ended."""
        request.setdefault("visible", visible_devices())
        with self._lock:
            self._number += 1
            try:
                line = json.dumps({**request, "number": self._number}).encode() + b"\n"
            except TypeError as error:
                raise UsageError(f"a meter is given text, numbers, True and False: {error}.") from None
            answer = self._exchange(line, self._number)
        if answer is None:
            raise MeasurementError(f"the meter process has ended{self._last_words()}.")
        if "error" in answer:
            raise _error(answer)
        return answer

    def _exchange(self, line: bytes, number: int) -> Document | None:
        """Send a request and return the answer with its number; None where none comes.

        Ctrl-C may come at any point in here. Answers to earlier requests are then still to come, and are skipped.
        """
        stdin = self._process.stdin
        if stdin is None or stdin.closed:
            return None
        prefix, self._cut_off = (b"\n" if self._cut_off else b""), True
        try:
            _write_all(stdin.fileno(), prefix + line)
        except (OSError, ValueError):  # it has ended, or was closed meanwhile by another thread
            return None
        self._cut_off = False
        while received := self._line():
            try:
                answer: Document = json.loads(received)
            except ValueError:
                continue  # the end of an answer whose beginning was lost
            if answer.get("number") == number:
                return answer
        return None

    def _line(self) -> bytes:
        """Return the next line of the process; empty where there is none."""
        stdout = self._process.stdout
        assert stdout is not None
        deadline_s = monotonic_s() + ANSWER_TIMEOUT_S
        while b"\n" not in self._unread:
            try:
                ready, _, _ = select.select([stdout], [], [], max(0.0, deadline_s - monotonic_s()))
                received = os.read(stdout.fileno(), READ_BYTES) if ready else b""
            except (OSError, ValueError):  # closed meanwhile by another thread
                return b""
            if not ready:
                self._process.kill()  # it hangs: the next request would wait as long
            if not received:
                return b""
            self._unread += received
        line, _, self._unread = self._unread.partition(b"\n")
        return line + b"\n"

    def _last_words(self) -> str:
        """Return the last line that the process wrote to standard error before it ended, after a colon."""
        stderr = self._process.stderr
        if stderr is None or stderr.closed:
            return ""
        line = processes.last_line(stderr, 1.0)
        return f": {line}" if line else ""

    @property
    def to_be_replaced(self) -> bool:
        """Whether the process has ended by itself, and not too often."""
        return self._process.poll() is not None and self.restarts < MAX_RESTARTS

    def close(self) -> None:
        """End the process. Does nothing the second time."""
        processes.stop(self._process, STOP_TIMEOUT_S)

    def abandon(self) -> None:
        """Close this end of the pipe in a forked child, so that the process sees its own program end."""
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:  # nothing is buffered: requests and answers are written and read unbuffered
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.returncode = 0  # it is no child of this process


def visible_devices() -> dict[str, str]:
    """Return the variables that select this program's GPUs, as far as they are set."""
    return {name: os.environ[name] for name in VISIBLE_DEVICES if name in os.environ}


def shared(sensors: tuple[str, ...] = ()) -> MeterProcess:
    """Return the meter process of all meters that read `sensors`, a new one with a warning if it has ended.

    Raises JoulemarkError where it cannot be started.
    """
    with _lock:
        process = _processes.get(sensors)
        if process is None:
            process = _processes[sensors] = MeterProcess(sensors)
        elif process.to_be_replaced:
            process.close()
            process = _processes[sensors] = MeterProcess(sensors, replaced=process)
            message = (
                "joulemark: the meter process had ended and has been started again. Windows that had begun by then "
                "and were not read have no energy."
            )
            warnings.warn(message, RuntimeWarning, stacklevel=7)
        return process


def close() -> None:
    """End all meter processes of this program."""
    if not _lock.acquire(timeout=STOP_TIMEOUT_S):  # a thread is starting one, which ends with its input
        return
    try:
        while _processes:
            _processes.popitem()[1].close()
    finally:
        _lock.release()


def _after_fork() -> None:
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it
    _lock = threading.RLock()
    for process in _processes.values():
        process.abandon()
    _processes.clear()


def _error(answer: Document) -> JoulemarkError:
    """Return the error that the process answered with."""
    error_class = getattr(errors, answer["type"], MeasurementError)
    return error_class(answer["error"])


def _write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`, unbuffered: after an interrupt nothing of it is written later."""
    while data:
        data = data[os.write(descriptor, data) :]


atexit.register(close)
os.register_at_fork(after_in_child=_after_fork)
