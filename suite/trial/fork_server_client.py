"""Starts a fork server and asks it for trials, with a limit on every wait."""

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
from typing import Literal

from joulemark.suite.trial import processes
from joulemark.suite.trial.fork_server import MAX_MESSAGE_BYTES
from joulemark.suite.trial.outcome import Outcome, TrialLog, describe_exit, exit_status
from joulemark.suite.trial.request import Request

Isolation = Literal["fork", "spawn"]
OnStage = Callable[[str], None]
START_TIMEOUT_S = 180.0


class ForkServerError(Exception):
    """The fork server could not start, or has ended; the text says why."""


class ForkServer:
    """One fork server process. Close it at the end of its round."""

    def __init__(
        self,
        framework: str,
        environment: Mapping[str, str],
        python: str = sys.executable,
        isolation: Isolation = "fork",
    ) -> None:
        """Start the process without waiting for its imports. Raises ForkServerError if it cannot be started."""
        self.isolation = isolation
        self._channel, server_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        module = "joulemark.suite.trial.fork_server"
        try:
            self._process = subprocess.Popen(
                [python, "-P", "-m", module, framework, str(server_end.fileno()), isolation],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(server_end.fileno(),),
                # A session of its own: Ctrl-C in the terminal is for the runner to handle.
                start_new_session=True,
            )
        except OSError as error:
            self._channel.close()
            raise ForkServerError(f"cannot start {python}: {error.strerror}") from None
        finally:
            server_end.close()

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._process.pid

    def wait_ready(self) -> str:
        """Wait for the imports. Return why forking would not be safe; empty if it is.

        Raises ForkServerError if the imports failed or took too long; the process has ended then.
        """
        fork_hazards = ""
        self._channel.settimeout(START_TIMEOUT_S)
        try:
            message = self._receive()
        except TimeoutError:
            import_error = f"the framework was not imported within {START_TIMEOUT_S:.0f} s"
        else:
            reply = json.loads(message) if message else {"import_error": self._last_error_line(), "fork_hazards": ""}
            import_error, fork_hazards = reply["import_error"], reply["fork_hazards"]
        if import_error is not None:
            self.close()
            raise ForkServerError(import_error)
        return str(fork_hazards)

    def _last_error_line(self) -> str:
        """Return the last line that the process printed before it ended."""
        assert self._process.stderr is not None
        ended = processes.wait(self._process, processes.KILL_TIMEOUT_S)
        line = processes.last_line(self._process.stderr, 0.0 if ended else processes.KILL_TIMEOUT_S)
        return line or f"the process ended with exit status {self._process.returncode}"

    def run(self, request: Request, timeout_s: float, on_stage: OnStage = lambda _stage: None) -> Outcome:
        """Run one trial and return its outcome, after `timeout_s` at the latest.

        `on_stage` is called with the name of each stage that begins. Raises ForkServerError if the server itself has
        ended.
        """
        report, trial_report = os.pipe()
        output, trial_output = os.pipe()
        try:
            message = json.dumps(request.to_json()).encode()
            socket.send_fds(self._channel, [message], [trial_report, trial_output])
        except OSError as error:
            for descriptor in (report, output):
                os.close(descriptor)
            raise ForkServerError(f"the fork server has ended: {error.strerror}") from None
        finally:
            os.close(trial_report)
            os.close(trial_output)
        try:
            return self._follow(report, output, timeout_s, on_stage)
        finally:
            os.close(report)
            os.close(output)

    def _follow(self, report: int, output: int, timeout_s: float, on_stage: OnStage) -> Outcome:
        """Read what the trial reports and prints until it has ended or its time is up."""
        log = TrialLog(on_stage)
        deadline = time.monotonic() + timeout_s
        pid, ended_with, timed_out = 0, None, False
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel, selectors.EVENT_READ)
            for descriptor in (report, output):
                os.set_blocking(descriptor, False)
                selector.register(descriptor, selectors.EVENT_READ)
            while ended_with is None:
                left_s = deadline - time.monotonic()
                if left_s <= 0 and pid:
                    timed_out = True
                    processes.kill_group(pid)  # repeatedly: a trial that has only just begun leads no group yet
                if left_s < -START_TIMEOUT_S:
                    self.close()
                    raise ForkServerError("the fork server does not respond")
                events = selector.select(min(max(left_s, 0.05), 1.0))
                for descriptor, consume in ((report, log.add_report), (output, log.add_output)):
                    if _drain(descriptor, consume):
                        with contextlib.suppress(KeyError):
                            selector.unregister(descriptor)
                if any(key.fileobj is self._channel for key, _ in events):
                    message = self._receive()
                    fields = json.loads(message) if message else self._wait()
                    pid = fields.get("pid", pid)
                    ended_with = fields if "exit" in fields else None
        _drain(report, log.add_report)
        _drain(output, log.add_output)
        return log.outcome(ended_with, timed_out, timeout_s)

    def _receive(self) -> bytes:
        """Return the next message; empty if the other end is closed."""
        try:
            return self._channel.recv(MAX_MESSAGE_BYTES)
        except ConnectionResetError:
            return b""

    def _wait(self) -> dict[str, int]:
        """Return the exit status of a spawned trial. Raises ForkServerError if a fork server ended."""
        if not processes.wait(self._process, processes.KILL_TIMEOUT_S):
            processes.kill_group(self._process.pid)
            processes.wait(self._process, processes.KILL_TIMEOUT_S)
        status = exit_status(self._process.returncode or 0)
        if self.isolation == "fork":
            raise ForkServerError(f"the fork server ended ({describe_exit(status)})")
        return status

    def close(self) -> None:
        """End the process and everything that it started."""
        self._channel.close()
        if self._process.poll() is None:
            # SIGTERM lets the server kill the descendants that it has adopted; killing its group covers a hang.
            self._process.send_signal(signal.SIGTERM)
            processes.wait(self._process, processes.KILL_TIMEOUT_S)
        processes.kill_group(self._process.pid)
        processes.wait(self._process, processes.KILL_TIMEOUT_S)
        if self._process.stderr is not None:
            self._process.stderr.close()


def _drain(descriptor: int, consume: Callable[[bytes], None]) -> bool:
    """Pass everything that can be read now to `consume`. Return whether the other end is closed."""
    while True:
        try:
            data = os.read(descriptor, 1 << 16)
        except BlockingIOError:
            return False
        if not data:
            return True
        consume(data)
