"""The conductor's side of a zygote: starts it, asks it for trials, and never waits for ever."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from joulemark.suite.trial import processes
from joulemark.suite.trial.fork_server import LARGEST_MESSAGE
from joulemark.suite.trial.request import Request

KEPT_OUTPUT = 1 << 16
"""Bytes of what a trial printed that are kept, from its end."""

TIMEOUT = "timeout"
"""Reason code of a trial that did not end in its time."""

START_TIMEOUT_S = 180.0


class ZygoteError(Exception):
    """The zygote could not start, or is gone; the text says why."""


@dataclass(frozen=True)
class Outcome:
    """How a trial ended."""

    trial: dict[str, Any] | None
    """What `suite.trial.worker.run` gave; None where it did not get so far."""
    reason_code: str | None
    reason: str | None
    output: str
    """The end of what it printed."""


@dataclass
class _Reports:
    """What a trial has said so far."""

    on_part: Callable[[str], None]
    part: str = "start"
    trial: dict[str, Any] | None = None
    error: dict[str, str] | None = None
    pending: bytes = b""
    output: bytes = field(default=b"")

    def printed(self, data: bytes) -> None:
        self.output = (self.output + data)[-KEPT_OUTPUT:]

    def said(self, data: bytes) -> None:
        *lines, self.pending = (self.pending + data).split(b"\n")
        for line in lines:
            fields = json.loads(line)
            self.trial = fields.get("trial", self.trial)
            self.error = fields.get("error", self.error)
            if "part" in fields:
                self.part = fields["part"]
                self.on_part(self.part)


class Zygote:
    """One zygote process; `run` gives one trial. Close it when its round is over."""

    def __init__(
        self,
        framework: str,
        environment: Mapping[str, str],
        python: str = sys.executable,
        how: Literal["fork", "spawn"] = "fork",
    ) -> None:
        """Start the process; `wait_ready` tells whether it can serve. ZygoteError where it cannot be started."""
        self.how = how
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._process = subprocess.Popen(
                [python, "-P", "-m", "joulemark.suite.trial.fork_server", framework, str(theirs.fileno()), how],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(theirs.fileno(),),
                # A session of its own: Ctrl-C in the terminal is the conductor's to handle.
                start_new_session=True,
            )
        except OSError as error:
            self._channel.close()
            raise ZygoteError(f"cannot start {python}: {error.strerror}") from None
        finally:
            theirs.close()

    def wait_ready(self) -> str:
        """Wait for the imports; returns why a fork would not be safe, empty where it is. ZygoteError where broken."""
        problem = None
        self._channel.settimeout(START_TIMEOUT_S)
        try:
            message = self._receive()
        except TimeoutError:
            problem = f"the framework was not imported within {START_TIMEOUT_S:.0f} s"
        else:
            ready = json.loads(message) if message else {"problem": self._last_words(), "unclean": ""}
            problem = ready["problem"]
        if problem is not None:
            self.close()
            raise ZygoteError(problem)
        return str(ready["unclean"])

    def _last_words(self) -> str:
        """The last line that the process printed before it ended."""
        assert self._process.stderr is not None
        self._process.wait()
        lines = self._process.stderr.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"the process ended with exit status {self._process.returncode}"

    def run(self, request: Request, timeout_s: float, on_part: Callable[[str], None] = lambda _part: None) -> Outcome:
        """One trial; whatever happens to it, it ends within `timeout_s` and is told as an outcome.

        `on_part` hears which part of the trial begins. ZygoteError where the zygote itself is gone.
        """
        report, report_theirs = os.pipe()
        output, output_theirs = os.pipe()
        try:
            message = json.dumps(request.to_json()).encode()
            socket.send_fds(self._channel, [message], [report_theirs, output_theirs])
        except OSError as error:
            for descriptor in (report, output):
                os.close(descriptor)
            raise ZygoteError(f"the zygote is gone: {error.strerror}") from None
        finally:
            os.close(report_theirs)
            os.close(output_theirs)
        try:
            return self._follow(report, output, timeout_s, on_part)
        finally:
            os.close(report)
            os.close(output)

    def _follow(self, report: int, output: int, timeout_s: float, on_part: Callable[[str], None]) -> Outcome:
        """Read what the trial says and prints until it has ended or its time is up."""
        reports = _Reports(on_part)
        deadline = time.monotonic() + timeout_s
        pid, ended, timed_out = 0, None, False
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel, selectors.EVENT_READ)
            for descriptor in (report, output):
                os.set_blocking(descriptor, False)
                selector.register(descriptor, selectors.EVENT_READ)
            while ended is None:
                left = deadline - time.monotonic()
                if left <= 0 and pid:
                    timed_out = True
                    processes.kill_group(pid)  # again each time: a trial that has just begun leads no group yet
                if left < -START_TIMEOUT_S:
                    self.close()
                    raise ZygoteError("the zygote does not answer")
                events = selector.select(min(max(left, 0.05), 1.0))
                for descriptor, read in ((report, reports.said), (output, reports.printed)):
                    if _drain(descriptor, read):
                        with contextlib.suppress(KeyError):
                            selector.unregister(descriptor)
                if any(key.fileobj is self._channel for key, _ in events):
                    message = self._receive()
                    fields = json.loads(message) if message else self._wait()
                    pid = fields.get("pid", pid)
                    ended = fields if "exit" in fields else None
        _drain(report, reports.said)
        _drain(output, reports.printed)
        return _outcome(reports, ended, timed_out, timeout_s)

    def _receive(self) -> bytes:
        """The next message; empty where the other end is gone."""
        try:
            return self._channel.recv(LARGEST_MESSAGE)
        except ConnectionResetError:
            return b""

    def _wait(self) -> dict[str, int]:
        """The end of a process that closed its channel: a spawned trial that is done, or a zygote that died."""
        code = self._process.wait()
        ended = {"exit": max(code, 0), "signal": max(-code, 0)}
        if self.how == "fork":
            raise ZygoteError(f"the zygote died ({_ending(ended['exit'], ended['signal'])})")
        return ended

    def close(self) -> None:
        """End the process and all that it started."""
        self._channel.close()
        if self._process.poll() is None:
            # SIGTERM lets the zygote kill the descendants that it has adopted; the group is the way out if it hangs.
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
        processes.kill_group(self._process.pid)
        self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()


def _drain(descriptor: int, read: Callable[[bytes], None]) -> bool:
    """Pass all that can be read now to `read`; whether the other end has closed."""
    while True:
        try:
            data = os.read(descriptor, 1 << 16)
        except BlockingIOError:
            return False
        if not data:
            return True
        read(data)


def _ending(code: int, signal_number: int) -> str:
    """How a process ended, in words."""
    if not signal_number:
        return f"exit status {code}"
    try:
        name = signal.Signals(signal_number).name
    except ValueError:
        name = f"signal {signal_number}"
    return f"{signal.strsignal(signal_number) or name}, {name}"


def _outcome(reports: _Reports, ended: Mapping[str, int], timed_out: bool, timeout_s: float) -> Outcome:
    """What to make of the reports and of how the process ended."""
    text = reports.output.decode(errors="replace")
    if reports.trial is not None:
        return Outcome(reports.trial, None, None, text)
    where = f"in {reports.part}"
    if reports.error is not None:
        return Outcome(None, reports.error["code"], f"{reports.error['reason']} ({where})", text)
    if timed_out:
        return Outcome(None, TIMEOUT, f"not finished within {timeout_s:g} s ({where})", text)
    ending = _ending(ended["exit"], ended["signal"])
    if ended["signal"] == signal.SIGKILL:
        return Outcome(
            None, "killed", f"killed from outside, by the kernel if memory ran out ({ending}, {where})", text
        )
    return Outcome(None, "crashed", f"the process ended by itself ({ending}, {where})", text)
