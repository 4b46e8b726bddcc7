"""Processes of the command that are forked from one which has imported it (`command_server`)."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SERVER = Path(__file__).with_name("command_server.py")
READ_LATE = ("JOULEMARK_", "ELECTRICITYMAPS_", "CO2_SIGNAL_", "PYTEST_", "TMPDIR")
"""Variables that joulemark reads when a verb is run, and no interpreter or library as it starts."""


class CommandServer:
    """The server, and how it is asked."""

    def __init__(self, environment: Mapping[str, str], prefix: Sequence[str] = ()) -> None:
        """Start the server in an `environment` that differs from those of its commands only in what is read late.

        `prefix` is a command that runs it as another user.
        """
        self.environment = dict(environment)
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, "-P", SERVER, str(theirs.fileno())],
                # Threads of a library would be lost in the forks.
                env={**self.environment, "OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,  # as those of its commands, which are no files
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
            )

    def suits(self, environment: Mapping[str, str]) -> bool:
        """Return whether a process that is started in `environment` would be the same as a fork."""
        names = self.environment.keys() | environment.keys()
        changed = (name for name in names if self.environment.get(name) != environment.get(name))
        return all(name.startswith(READ_LATE) for name in changed)

    def run(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        directory: Path,
        timeout: float = 900,
        streams: tuple[int | None, int | None] = (None, None),
    ) -> subprocess.CompletedProcess[str]:
        """Run the command to its end, for `timeout` seconds at most.

        `streams` are descriptors for its output and errors; what goes to None is returned.
        """
        request = {"arguments": list(arguments), "environment": dict(environment), "directory": str(directory)}
        (output, its_output), (errors, its_errors) = (
            os.pipe() if stream is None else (os.open(os.devnull, os.O_RDONLY), os.dup(stream)) for stream in streams
        )
        with os.fdopen(output) as stdout, os.fdopen(errors) as stderr, ThreadPoolExecutor(2) as pool:
            socket.send_fds(self.channel, [json.dumps(request).encode()], [its_output, its_errors])
            os.close(its_output)
            os.close(its_errors)
            texts = [pool.submit(stream.read) for stream in (stdout, stderr)]
            pid = int(self._answer())
            self.channel.settimeout(timeout)
            try:
                code = int(self._answer())
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                self.channel.settimeout(None)
                self._answer()
                raise subprocess.TimeoutExpired(list(arguments), timeout) from None
            self.channel.settimeout(None)
            return subprocess.CompletedProcess(list(arguments), code, *(text.result() for text in texts))

    def _answer(self) -> bytes:
        answer = self.channel.recv(64)
        if not answer:
            raise RuntimeError(f"the command's server has ended: {self.process.communicate()[1].decode()}")
        return answer

    def close(self) -> None:
        """End the server."""
        self.channel.close()
        with self.process:  # waits for it
            pass
