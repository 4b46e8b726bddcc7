"""What a node does: its part, by `joulemark run` in a process of its own, as if somebody had typed it there.

The run is kept on the node, in `cluster` of its joulemark home, until it has come home: where the node or the head dies
meanwhile, the next attempt finds it there.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psutil

from joulemark.suite.cluster.engine import Assignment, NodeEvent, Outcome
from joulemark.suite.cluster.settings_text import without_own_settings
from joulemark.suite.errors import JoulemarkError
from joulemark.suite.records.journal import SUFFIX as JOURNAL
from joulemark.suite.results.store import kept_runs
from joulemark.suite.system.directories import home, make_private
from joulemark.suite.system.text import one_line
from joulemark.suite.trial.processes import child_environment

INTERRUPTED: Final = 130
ERROR_START: Final = "joulemark: "
STDOUT: Final = "stdout"
"""Name of the file that takes the run's standard output."""


class NodeRun:
    """One part of a job while it is measured on this node."""

    def __init__(self, assignment: Assignment, environment: Mapping[str, str] = os.environ) -> None:
        """`environment`: the variables that a user has on this node."""
        self._assignment, self._environment = assignment, environment
        self._events: list[NodeEvent] = []
        self._more = threading.Condition()
        self._process: subprocess.Popen[str] | None = None
        self._directory: Path | None = None
        self._last_line = ""

    def start(self) -> None:
        """Start the run. Whatever goes wrong is its outcome."""
        try:
            self._start()
        except JoulemarkError as error:
            self._end(Outcome(error.exit_code, one_line(str(error))))
        except OSError as error:
            self._end(Outcome(2, f"cannot start the run in {error.filename or 'the home'}: {error.strerror}."))
        else:
            self._add(NodeEvent(self._assignment.number, line="started"))
            threading.Thread(target=self._follow, daemon=True).start()

    def events(self, timeout_s: float, seen: int) -> list[NodeEvent]:
        """Return what has happened after the first `seen` events: at once if there is anything, or after `timeout_s`.

        Events are kept, so that an answer that was lost on its way is given again.
        """
        with self._more:
            self._more.wait_for(lambda: len(self._events) > seen, timeout_s)
            return self._events[seen:]

    def stop(self) -> None:
        """Interrupt the run: its outcome follows."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def discard(self) -> None:
        """Remove the part's run from this node: it has come home. One that was killed is kept, to be resumed here."""
        if self._directory is not None and not any(self._directory.glob(f"*{JOURNAL}")):
            shutil.rmtree(self._directory, ignore_errors=True)

    def _start(self) -> None:
        part = self._assignment
        self._directory = _directory(part, self._environment)
        if part.fresh:
            shutil.rmtree(self._directory, ignore_errors=True)
        make_private(self._directory)
        (self._directory / "joulemark.toml").write_text(part.settings)
        begun = None if part.dry_run else self._begun()
        words = ["--out", str(self._directory), "--no-report"]
        words += ["--dry-run", "--json"] if part.dry_run else []
        words += ["--resume", str(begun)] if begun is not None else part.options
        runs = [sys.executable, "-P", "-m", "joulemark", "run", *words]
        with (self._directory / STDOUT).open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "joulemark.suite.cluster.supervisor", *runs],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                cwd=self._directory,
                env=child_environment(
                    {**without_own_settings(self._environment), **interface_variables(part.address), **part.environment}
                ),
                start_new_session=True,
            )

    def _begun(self) -> Path | None:
        """Return the run that an earlier attempt has begun: the node's own, which has most, or what came home of it."""
        assert self._directory is not None
        part = self._assignment
        if own := kept_runs(self._directory):
            return own[-1]
        if part.run_id is None or not part.run_data:
            return None
        path = self._directory / f"{part.run_id}.json"
        path.touch(mode=0o600)
        path.write_bytes(zlib.decompress(part.run_data))
        return path

    def _follow(self) -> None:
        """Pass on the lines of the run, then its outcome."""
        assert self._process is not None
        assert self._process.stderr is not None
        with self._process as process:
            for line in self._process.stderr:
                text = one_line(line.strip())
                if text and not text.startswith("Run file:"):  # which comes home
                    self._last_line = text
                    self._add(NodeEvent(self._assignment.number, line=text))
        self._end(self._outcome(process.returncode))

    def _outcome(self, code: int) -> Outcome:
        reason = "" if code in (0, 4) else self._last_line.removeprefix(ERROR_START)
        if code > 128 and code != INTERRUPTED:
            reason = f"the run was ended by signal {code - 128}"
        assert self._directory is not None
        if self._assignment.dry_run:
            result = [self._directory / STDOUT]
        else:
            result = [path for path in kept_runs(self._directory) if path.suffix != JOURNAL]
        try:
            data = zlib.compress(result[-1].read_bytes()) if result else b""
        except OSError as error:
            return Outcome(code, f"its run file cannot be read: {error.strerror}")
        return Outcome(code, reason, data)

    def _end(self, outcome: Outcome) -> None:
        self._add(NodeEvent(self._assignment.number, outcome=outcome))

    def _add(self, event: NodeEvent) -> None:
        with self._more:
            self._events.append(event)
            self._more.notify_all()


def _directory(part: Assignment, environment: Mapping[str, str]) -> Path:
    """Return where this node keeps its run of a job. Nodes may share a home: each has a directory of its own."""
    chosen = environment.get("JOULEMARK_HOME")
    return (Path(chosen).expanduser() if chosen else home()) / "cluster" / part.job / part.place


def interface_variables(address: str) -> dict[str, str]:
    """Return the variables by which Gloo and NCCL take the network interface that has `address`.

    By themselves they take what the host name resolves to, which may be the loopback, or nothing.
    """
    found = [name for name, entries in psutil.net_if_addrs().items() if address in (entry.address for entry in entries)]
    return {"GLOO_SOCKET_IFNAME": found[0], "NCCL_SOCKET_IFNAME": found[0]} if address and found else {}
