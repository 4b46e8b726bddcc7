"""Somebody's command as our child: its output and signals are its own, its end and its use of the CPU are noted."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import psutil

from joulemark.suite.errors import UsageError

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
SI_KERNEL = 0x80
"""si_code of a signal that the terminal sent (sigaction(2)): it went to the whole foreground group, so the command has
it already."""
IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
"""What the interpreter ignores would be ignored in the command too (execve(2))."""


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    begin_s: float
    """CLOCK_MONOTONIC just before it was started."""
    end_s: float
    """CLOCK_MONOTONIC just after it was seen to have ended."""
    exit_code: int
    """As a shell has it: 128 + n for signal n."""
    cpu_s: float
    """CPU time of it and of those of its descendants that were waited for, seconds."""
    machine_cpu_s: float
    """CPU time that all programs of the machine used meanwhile, seconds."""
    signalled: bool
    """Whether a signal ended it."""


def run(command: Sequence[str], output_to_stderr: bool = False, clock: Callable[[], float] = time.monotonic) -> Ended:
    """Run `command` to its end, passing signals on. Only from the main thread.

    `output_to_stderr`: its standard output goes to our standard error. UsageError where it cannot be started.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # else, where our parent ignored it, no child could be waited for
    watched = {*PASSED_ON, signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    try:
        busy_s = _busy_s()
        begin_s = clock()
        pid = _spawn(command, before, output_to_stderr)
        status, usage = _wait(pid, watched)
        end_s = clock()
        machine_cpu_s = _busy_s() - busy_s
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    code = os.waitstatus_to_exitcode(status)
    cpu_s = usage.ru_utime + usage.ru_stime
    return Ended(begin_s, end_s, code if code >= 0 else 128 - code, cpu_s, machine_cpu_s, code < 0)


def _spawn(command: Sequence[str], mask: Collection[int], output_to_stderr: bool) -> int:
    actions = [(os.POSIX_SPAWN_DUP2, 2, 1)] if output_to_stderr else []
    try:
        return os.posix_spawnp(
            command[0], list(command), os.environ, file_actions=actions, setsigmask=mask, setsigdef=IGNORED_BY_PYTHON
        )
    except OSError as error:
        raise UsageError(f"cannot run {command[0]!r}: {error.strerror}.") from None


def _wait(pid: int, watched: Collection[int]) -> tuple[int, os.struct_rusage]:  # type: ignore[name-defined]
    """Status and resource usage of `pid` once it has ended."""
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            return status, usage
        received = signal.sigwaitinfo(watched)
        if received.si_signo != signal.SIGCHLD and received.si_code != SI_KERNEL:
            os.kill(pid, received.si_signo)


def _busy_s() -> float:
    """CPU time that all programs have used since the machine started, seconds."""
    times = psutil.cpu_times()
    return float(times.user + times.system + getattr(times, "nice", 0.0))
