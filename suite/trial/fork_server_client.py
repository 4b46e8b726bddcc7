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
from joulemark.suite.trial.outcome import TURNS, Outcome, TrialLog, describe_exit, exit_status
from joulemark.suite.trial.request import Request

Isolation = Literal["fork", "spawn"]
OnStage = Callable[[str], None]
START_TIMEOUT_S = 180.0


class ForkServerError(Exception):
    """The fork server could not start, or has ended; the text says why."""


class TurnError(Exception):
    """A trial did not take its turn; the text says why."""


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
        self.channel, server_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
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
            self.channel.close()
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
        self.channel.settimeout(START_TIMEOUT_S)
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

    def run(
        self,
        request: Request,
        timeout_s: float,
        on_stage: OnStage = lambda _stage: None,
        on_turns: OnTurns = lambda _trial: None,
    ) -> Outcome:
        """Run one trial and return its outcome, after `timeout_s` at the latest.

        `on_stage` is called with the name of each stage that begins. `on_turns` is called when the trial waits for its
        turns: the trial goes on when it returns, and what it takes is not counted in `timeout_s`. Raises
        ForkServerError if the server itself has ended.
        """
        report, trial_report = socket.socketpair()
        read_end, write_end = os.pipe()
        with report, os.fdopen(read_end, "rb", 0) as output:
            with trial_report, os.fdopen(write_end, "wb", 0) as trial_output:
                message = json.dumps(request.to_json()).encode()
                try:
                    socket.send_fds(self.channel, [message], [trial_report.fileno(), trial_output.fileno()])
                except OSError as error:
                    raise ForkServerError(f"the fork server has ended: {error.strerror}") from None
            return RunningTrial(self, report, output.fileno(), timeout_s, on_stage).finish(on_turns)

    def receive_fields(self) -> dict[str, int]:
        """Return what the server says of its trial. Raises ForkServerError if it has ended."""
        message = self._receive()
        return dict(json.loads(message)) if message else self._wait()

    def _receive(self) -> bytes:
        """Return the next message; empty if the other end is closed."""
        try:
            return self.channel.recv(MAX_MESSAGE_BYTES)
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
        self.channel.close()
        if self._process.poll() is None:
            # SIGTERM lets the server kill the descendants that it has adopted; killing its group covers a hang.
            self._process.send_signal(signal.SIGTERM)
            processes.wait(self._process, processes.KILL_TIMEOUT_S)
        processes.kill_group(self._process.pid)
        processes.wait(self._process, processes.KILL_TIMEOUT_S)
        if self._process.stderr is not None:
            self._process.stderr.close()


class RunningTrial:
    """A trial that is running. It is followed while one of these methods is called."""

    def __init__(
        self, server: ForkServer, report: socket.socket, output: int, timeout_s: float, on_stage: OnStage
    ) -> None:
        """`report` and `output` are this side's ends of what the trial reports to and prints to."""
        self._server, self._report, self._timeout_s = server, report, timeout_s
        self.log = TrialLog(on_stage)
        self._pid, self._timed_out = 0, False
        self._ended_with: dict[str, int] | None = None
        self._server_error: ForkServerError | None = None
        self._consumers = {report.fileno(): self.log.add_report, output: self.log.add_output}
        for descriptor in self._consumers:
            os.set_blocking(descriptor, False)

    def finish(self, on_turns: OnTurns) -> Outcome:
        """Follow the trial to its end. `on_turns` is called when it waits for its turns."""
        deadline = time.monotonic() + self._timeout_s
        self._follow(deadline, lambda: self.log.stage == TURNS)
        if self._ended_with is None:
            left_s = deadline - time.monotonic()
            on_turns(self)
            self._report.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + left_s
        ended_with = self._follow(deadline, lambda: False)
        assert ended_with is not None
        self._drain()
        return self.log.outcome(ended_with, self._timed_out, self._timeout_s)

    def take_turn(self, place: int) -> float:
        """Let a trial that waits take a turn, and return its step time, seconds. `place`, 0 to 255, chooses its cores.

        Raises TurnError if it ends instead, or does not answer within the time that a trial may take.
        """
        before = len(self.log.turns_s)
        with contextlib.suppress(OSError):  # it has ended
            self._report.send(bytes([place]))
        try:
            ended_with = self._follow(time.monotonic() + self._timeout_s, lambda: len(self.log.turns_s) > before)
        except ForkServerError as error:
            self._server_error = error  # for `finish`, which whoever started the trial has called
            raise TurnError(str(error)) from None
        if ended_with is not None:
            raise TurnError(self.log.failure(ended_with, self._timed_out, self._timeout_s)[1])
        return self.log.turns_s[-1]

    def _follow(self, deadline: float, until: Callable[[], bool]) -> dict[str, int] | None:
        """Read what the trial reports and prints `until` something, or until it has ended or its time is up.

        Return how its process ended; None while it runs.
        """
        if self._server_error is not None:
            raise self._server_error
        with selectors.DefaultSelector() as selector:
            selector.register(self._server.channel, selectors.EVENT_READ)
            for descriptor in self._consumers:
                selector.register(descriptor, selectors.EVENT_READ)
            while self._ended_with is None and not until():
                left_s = deadline - time.monotonic()
                if left_s <= 0 and self._pid:
                    self._timed_out = True
                    processes.kill_group(self._pid)  # repeatedly: a trial that has only just begun leads no group yet
                if left_s < -START_TIMEOUT_S:
                    self._server.close()
                    raise ForkServerError("the fork server does not respond")
                events = selector.select(min(max(left_s, 0.05), 1.0))
                for descriptor in self._drain():
                    with contextlib.suppress(KeyError):
                        selector.unregister(descriptor)
                if any(key.fileobj is self._server.channel for key, _ in events):
                    fields = self._server.receive_fields()
                    self._pid = fields.get("pid", self._pid)
                    self._ended_with = fields if "exit" in fields else None
        return self._ended_with

    def _drain(self) -> list[int]:
        """Pass on everything that can be read now. Return the descriptors whose other end is closed."""
        closed = []
        for descriptor, consume in self._consumers.items():
            try:
                while data := os.read(descriptor, 1 << 16):
                    consume(data)
            except BlockingIOError:
                continue
            except ConnectionResetError:  # it ended before it took its turn
                pass
            closed.append(descriptor)
        return closed


OnTurns = Callable[[RunningTrial], None]
