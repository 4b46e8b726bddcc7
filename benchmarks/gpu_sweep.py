"""Every workload and phase in every precision, and in each compiled mode, once on a device.

Each workload has a process of its own, `benchmarks.gpu_case`. A case that crashes or hangs loses itself alone: a new
process goes on with the next one.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import gpu_process
from benchmarks.gpu_case import FRESH_PROCESS, Row, cases, row_of
from joulemark.suite.system.scratch import scratch_directory
from joulemark.suite.trial import environment
from joulemark.workloads.registry import supports, workloads
from joulemark.workloads.spec import Workload

POLL_S = 0.1
THREADS = 2
"""Threads of a case on the CPU."""


@dataclass
class Task:
    """The cases of one workload in one framework."""

    framework: str
    workload: Workload
    device: str
    size: str
    folder: Path
    timeout_s: float
    """Time limit of one case, with the start of its process, seconds."""
    rows: list[Row] = field(default_factory=list)
    """Of the cases that have ended, in order."""
    process: subprocess.Popen[bytes] | None = None
    stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    """Kills the process."""
    changed_s: float = 0.0
    """When the process was started, or its last case ended."""

    def start(self, variables: dict[str, str]) -> None:
        """Start a process for the cases that have no row."""
        self.folder.mkdir(exist_ok=True)
        arguments = (self.framework, self.workload.id, self.device, self.size, str(len(self.rows)), str(self.folder))
        started = gpu_process.started(["benchmarks.gpu_case", *arguments], self.folder, variables)
        self.process, self.changed_s = self.stack.enter_context(started), time.monotonic()

    def update(self) -> bool:
        """Read the rows that were added; return whether the process has ended, or was killed for taking too long."""
        assert self.process is not None
        count, now_s = len(self.rows), time.monotonic()
        self._read_rows()
        if len(self.rows) > count:
            self.changed_s = now_s
        returncode = self.process.poll()
        if returncode is None and now_s - self.changed_s < self.timeout_s:
            return False
        self.stop()
        self._read_rows()
        if self.remaining() and returncode != FRESH_PROCESS:
            late = f"not finished within {self.timeout_s:.0f} s"
            self._add_failure(late if returncode is None else gpu_process.failure(returncode, self.folder))
        return True

    def remaining(self) -> list[Row]:
        """Return the cases that have no row."""
        planned = [
            row_of(self.framework, self.workload, self.size, case) for case in cases(self.framework, self.workload)
        ]
        return planned[len(self.rows) :]

    def abandon(self) -> None:
        """Kill the process: no time is left for the remaining cases."""
        running = self.process is not None
        self.stop()
        self._read_rows()
        reasons = ["not finished when the time was over"] if running else []
        for row in self.remaining():
            self.rows.append(row | {"status": "not run", "reason": reasons.pop() if reasons else "no time was left"})

    def stop(self) -> None:
        """Kill the process."""
        self.stack.close()
        self.process = None

    def _read_rows(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            lines = (self.folder / "rows").read_text(encoding="utf-8").split("\n")
            self.rows = [json.loads(line) for line in lines[:-1]]  # the last one is empty, or cut off

    def _add_failure(self, reason: str | None) -> None:
        reason = reason or "its process ended early"
        self.rows.append(self.remaining()[0] | {"status": "failed", "reason": reason})
        self._write_rows()

    def _write_rows(self) -> None:
        (self.folder / "rows").write_text("".join(json.dumps(row) + "\n" for row in self.rows), encoding="utf-8")


def sweep(
    frameworks: Sequence[str], device: str, size: str, names: Sequence[str], timeout_s: float, end_s: float
) -> Iterator[list[Row]]:
    """Yield all rows so far whenever a process ends, and at last.

    Args:
        frameworks: Those that can use the device.
        device: Such as `cuda:0`.
        size: The size of all workloads; those without it are left out.
        names: Ids of workloads; empty: all.
        timeout_s: Time limit of one case, seconds.
        end_s: CLOCK_MONOTONIC of the deadline.
    """
    processes = max(1, min(12, (os.cpu_count() or 1) * 3 // 4))
    with scratch_directory() as scratch, contextlib.ExitStack() as stack:
        built = environment.build(os.environ, THREADS, scratch).variables
        # One process compiles for one workload: Inductor's own workers would each import PyTorch first.
        variables = gpu_process.variables({**built, "TORCHINDUCTOR_COMPILE_THREADS": "1"})
        tasks = [
            Task(framework, workload, device, size, scratch / f"{workload.id}-{framework}", timeout_s)
            for workload in workloads().values()
            for framework in frameworks
            if supports(workload, framework)
            and device.partition(":")[0] in workload.devices
            and size in workload.sizes
            and (not names or workload.id in names)
        ]
        for task in tasks:
            stack.callback(task.stop)
        waiting, running = list(tasks), list[Task]()
        while (waiting or running) and time.monotonic() < end_s:
            while waiting and len(running) < processes:
                running.append(waiting.pop(0))
                running[-1].start(variables)
            time.sleep(POLL_S)
            for task in [each for each in running if each.update()]:
                running.remove(task)
                waiting = [task, *waiting] if task.remaining() else waiting
                yield [row for each in tasks for row in each.rows]
        for task in tasks:
            task.abandon()
        yield [row for task in tasks for row in task.rows]
