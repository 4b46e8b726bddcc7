"""The helper process of this program's meters: started once, asked over a pipe, ended with the program.

It holds the sampler. What it is asked and answers stands in `suite/meter/server.py`.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import joulemark
from joulemark.suite import errors
from joulemark.suite.errors import JoulemarkError, MeasurementError, UsageError

ROOT = Path(joulemark.__file__).resolve().parents[1]
"""The folder that joulemark is imported from: a checkout, or where it is installed."""
START = "import sys; sys.path.insert(0, sys.argv[1]); from joulemark.suite.meter.server import main; main()"
ANSWER_TIMEOUT_S = 120.0
"""Opening takes a second or two; a driver that hangs may take a minute to be given up."""
STOP_TIMEOUT_S = 10.0
READ_BYTES = 1 << 16
VISIBLE = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")
"""Variables that choose boards, read again at each request: a program may set them after its start."""

Document = dict[str, Any]

_HELPERS: dict[tuple[str, ...], MeterProcess] = {}
_LEFT: list[MeterProcess] = []
"""The helpers of the process that this one was forked from."""
_LOCK = threading.RLock()


class MeterProcess:
    """The process and the pipe to it. One request at a time."""

    def __init__(self, sensors: tuple[str, ...] = ()) -> None:
        """Start it and wait until every sensor was read. JoulemarkError where there is no sampling."""
        if not sys.executable:
            raise MeasurementError("this Python does not know its own executable to start a helper.")
        self._lock = threading.Lock()
        self._asked = 0
        self._torn = False
        """Whether a request may have been cut off while it was written."""
        self._unread = b""
        # -I: neither the program's folder nor its PYTHONPATH may put packages in front of ours.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", START, str(ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the program, which then ends its helper itself
        )
        try:
            self.found = self.ask(do="open", sensor=sensors)
        except BaseException:
            self.close()
            raise

    def ask(self, **request: Any) -> Document:
        """What it answers. JoulemarkError with its reason, or where it has ended."""
        request.setdefault("visible", {name: os.environ[name] for name in VISIBLE if name in os.environ})
        with self._lock:
            self._asked += 1
            try:
                line = json.dumps({**request, "number": self._asked}).encode() + b"\n"
            except TypeError as error:
                raise UsageError(f"a meter is given text, numbers, True and False: {error}.") from None
            answer = self._exchange(line, self._asked)
        if answer is None:
            raise MeasurementError(f"the meters' helper has ended{self._complaint()}.")
        if "error" in answer:
            raise _error(answer)
        return answer

    def _exchange(self, line: bytes, number: int) -> Document | None:
        """Send one line and receive the answer of its number; None where nobody answers.

        Ctrl-C may come at any point in here: answers to what was asked before are then still to come, and passed over.
        """
        pipe = self._process.stdin
        if pipe is None or pipe.closed:
            return None
        begun, self._torn = (b"\n" if self._torn else b""), True
        try:
            pipe.write(begun + line)
            pipe.flush()
        except BrokenPipeError:
            return None
        self._torn = False
        while received := self._line():
            try:
                answer: Document = json.loads(received)
            except ValueError:
                continue  # the rest of an answer whose beginning was lost
            if answer.get("number") == number:
                return answer
        return None

    def _line(self) -> bytes:
        """The next line that it says; empty where there is none."""
        pipe = self._process.stdout
        assert pipe is not None
        while b"\n" not in self._unread:
            ready, _, _ = select.select([pipe], [], [], ANSWER_TIMEOUT_S)
            if not ready:
                self._process.kill()  # it hangs: whatever is asked next would wait as long
                return b""
            received = os.read(pipe.fileno(), READ_BYTES)
            if not received:
                return b""
            self._unread += received
        line, _, self._unread = self._unread.partition(b"\n")
        return line + b"\n"

    def _complaint(self) -> str:
        """The last line that it said before it ended."""
        if self._process.stderr is None or self._process.stderr.closed:
            return ""
        ready, _, _ = select.select([self._process.stderr], [], [], 1.0)
        said = self._process.stderr.read().decode(errors="replace").strip() if ready else ""
        return f": {said.splitlines()[-1]}" if said else ""

    def close(self) -> None:
        """End it; does nothing the second time."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def leave(self) -> None:
        """In a forked child: let go of the pipe, so that the helper sees its own program end."""
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    os.close(pipe.fileno())
        self._process.returncode = 0  # it is no child of this process


def shared(sensors: tuple[str, ...] = ()) -> MeterProcess:
    """The helper of all meters of this process that want the same sensors. JoulemarkError where there is none."""
    with _LOCK:
        if sensors not in _HELPERS:
            _HELPERS[sensors] = MeterProcess(sensors)
        return _HELPERS[sensors]


def close() -> None:
    """End all helpers of this process."""
    with _LOCK:
        while _HELPERS:
            _HELPERS.popitem()[1].close()


def _forked() -> None:
    global _LOCK  # noqa: PLW0603 - another thread of the parent may have held it
    _LOCK = threading.RLock()
    for helper in _HELPERS.values():
        helper.leave()
    _LEFT.extend(_HELPERS.values())
    _HELPERS.clear()


def _error(answer: Document) -> JoulemarkError:
    """The error that the helper answered with."""
    kind = getattr(errors, answer["type"], MeasurementError)
    return kind(answer["error"])


atexit.register(close)
os.register_at_fork(after_in_child=_forked)
