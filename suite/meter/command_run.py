"""Measure any command: each execution is a trial, in a journal that survives a kill.

The command's input, output and exit code are its own, and signals sent to this process are passed on to it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType

import psutil

from joulemark.suite.errors import UsageError
from joulemark.suite.machine import default_threads, describe
from joulemark.suite.meter import user_run
from joulemark.suite.meter.live_sampler import LiveSampler, charged_devices
from joulemark.suite.meter.node_record import node_of
from joulemark.suite.notices import Code
from joulemark.suite.records import Case, Emissions, Idle, Notice, Settings, Trial
from joulemark.suite.records.journal import SUFFIX, Journal, trace_path
from joulemark.suite.results.assemble import COMMAND, finish
from joulemark.suite.sensors.base import check_request
from joulemark.suite.sensors.gpus.inventory import discover
from joulemark.suite.system.ranks import Rank

FORWARDED_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
"""Signals that the interpreter ignores, and that the command would ignore in turn (execve(2))."""
SI_KERNEL = 0x80
"""si_code of a signal from the terminal (sigaction(2)). It goes to the whole foreground group, so that the command has
it already."""


@dataclass(frozen=True)
class CommandRun:
    """A command to measure, and what its run file says of it."""

    program: tuple[str, ...]
    """The command and its arguments."""
    name: str
    settings: Settings
    """`settings.rounds` says how often to execute it; None: once."""
    emissions: Emissions
    notices: tuple[Notice, ...]
    directory: Path
    """Where the run file, and meanwhile the journal, are kept."""
    command: tuple[str, ...]
    """The command line of joulemark itself."""
    idle_s: float = 0.0
    """How long to measure idle power first, seconds."""
    output_to_stderr: bool = False
    rank: Rank | None = None
    """This process as the rank that measures its node; None where it works alone."""


@dataclass(frozen=True)
class Execution:
    """One execution of a command, from start to end."""

    begin_s: float
    """CLOCK_MONOTONIC just before the start."""
    end_s: float
    """CLOCK_MONOTONIC just after the end."""
    exit_code: int
    """As a shell reports it: 128 + n for signal n."""
    cpu_s: float
    """CPU time of the command and of the descendants that were waited for, seconds."""
    machine_cpu_s: float
    """CPU time of all programs on the machine meanwhile, seconds."""
    killed: bool
    """Whether a signal ended it."""


def measure(request: CommandRun) -> tuple[Path, tuple[Execution, ...]]:
    """Execute the command `settings.rounds` times, or until it fails; return the path of the run file and how it went.

    Raises:
        UsageError: where the command cannot be started or the directory cannot be written; nothing has run then.
    """
    for sensor in request.settings.sensor:
        check_request(sensor)
    detected = discover()
    case = user_run.case(
        request.name,
        charged_devices(detected.gpus, detected.reason, request.settings.device),
        default_threads(),
        {"framework": COMMAND, "workload_version": user_run.program_version(request.program)},
    )
    started_at, origin_s = datetime.now(UTC), time.monotonic()
    rounds = request.settings.rounds or 1
    machine = describe(detected.gpus)
    planned = user_run.planned(
        started_at,
        origin_s,
        request.command,
        machine,
        request.settings,
        request.emissions,
        request.notices,
        case,
        rounds,
        None if request.rank is None else node_of(request.rank, machine, case.device),
    )
    journal_path = request.directory / f"{planned.run.id}{SUFFIX}"
    with contextlib.closing(Journal(journal_path, planned)) as journal, _stop_signals() as stop:
        executions = _execute_all(request, journal, case, (started_at, origin_s), stop)
        journal.add(notice=Notice.of(Code.WHOLE_MACHINE, cpu_share(executions)))
        finished_at = started_at + timedelta(seconds=time.monotonic() - origin_s)  # the clock may have been set
        journal.end(finished_at.isoformat(timespec="milliseconds"))
        return finish(journal.path), tuple(executions)


def _execute_all(
    request: CommandRun, journal: Journal, case: Case, start: tuple[datetime, float], stop: _Stop
) -> list[Execution]:
    """Execute the command as often as asked for; `start` is the time of the start, and CLOCK_MONOTONIC then."""
    executions: list[Execution] = []
    try:
        with LiveSampler.start(trace_path(journal.path), request.settings.sensor, *start) as sampler:
            if request.idle_s:
                begin_s = sampler.now()
                time.sleep(request.idle_s)
                journal.add(idle=Idle(when="before", window_s=(begin_s, sampler.now())))
            stop.is_deferred = True
            while len(executions) < (request.settings.rounds or 1) and not stop.received:
                executions.append(execute(request.program, request.output_to_stderr))
                journal.trial(case, _trial(len(executions), executions[-1], start[1]))
                if executions[-1].exit_code:
                    break
            if not executions:
                raise KeyboardInterrupt
            sampler.wait_for(executions[-1].end_s - start[1])
    except BaseException:
        if not executions:
            journal.delete()
        raise
    return executions


@dataclass
class _Stop:
    """Whether a signal has asked this process to end, and when it obeys."""

    received: bool = False
    is_deferred: bool = False
    """Whether there is something to keep first; else the signal raises KeyboardInterrupt."""

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.received = True
        if not self.is_deferred:
            raise KeyboardInterrupt


@contextlib.contextmanager
def _stop_signals() -> Iterator[_Stop]:
    """Handle the signals that end a process, those that are not ignored, for the length of the block."""
    stop = _Stop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: handler for number in numbers if (handler := signal.getsignal(number)) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, stop)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _trial(number: int, execution: Execution, origin_s: float) -> Trial:
    """Return an execution as a trial. One with a non-zero exit code has failed, and has its energy all the same."""
    trial = user_run.trial(number, (execution.begin_s - origin_s, execution.end_s - origin_s))
    if not execution.exit_code:
        return trial
    code = "killed" if execution.killed else "exit_code"
    reason = f"it ended with exit code {execution.exit_code}"
    return trial.model_copy(update={"status": "failed", "reason_code": code, "reason": reason})


def cpu_share(executions: Sequence[Execution]) -> str:
    """Return in words how much of the CPU time was the command's."""
    command_s = sum(execution.cpu_s for execution in executions)
    machine_s = sum(execution.machine_cpu_s for execution in executions)
    percent = f" ({min(1.0, command_s / machine_s):.0%})" if machine_s > 0 else ""
    total_s = max(command_s, machine_s)
    return f"the command and its children used {command_s:.3g} of the {total_s:.3g} s of CPU time{percent}"


def execute(
    program: Sequence[str], output_to_stderr: bool = False, clock: Callable[[], float] = time.monotonic
) -> Execution:
    """Run `program` to its end, passing signals on. Only from the main thread.

    Args:
        program: The command and its arguments.
        output_to_stderr: Whether its standard output goes to this process's standard error.
        clock: CLOCK_MONOTONIC, seconds.

    Raises:
        UsageError: where it cannot be started.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # a parent that ignores it would keep us from waiting for a child
    awaited = {*FORWARDED_SIGNALS, signal.SIGCHLD}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    try:
        busy_s = _busy_s()
        begin_s = clock()
        pid = _spawn(program, mask, output_to_stderr)
        status, usage = _wait(pid, awaited)
        end_s = clock()
        machine_cpu_s = _busy_s() - busy_s
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    code = os.waitstatus_to_exitcode(status)
    cpu_s = usage.ru_utime + usage.ru_stime
    return Execution(begin_s, end_s, code if code >= 0 else 128 - code, cpu_s, machine_cpu_s, killed=code < 0)


def _spawn(program: Sequence[str], mask: Collection[int], output_to_stderr: bool) -> int:
    actions = [(os.POSIX_SPAWN_DUP2, 2, 1)] if output_to_stderr else []
    try:
        return os.posix_spawnp(
            program[0], list(program), os.environ, file_actions=actions, setsigmask=mask, setsigdef=IGNORED_BY_PYTHON
        )
    except OSError as error:
        raise UsageError(f"cannot run {program[0]!r}: {error.strerror}.") from None


def _wait(pid: int, awaited: Collection[int]) -> tuple[int, os.struct_rusage]:  # type: ignore[name-defined]
    """Return the exit status and resource usage of `pid` once it has ended; pass on the signals of meanwhile."""
    while True:
        ended_pid, status, usage = os.wait4(pid, os.WNOHANG)
        if ended_pid:
            return status, usage
        received = signal.sigwaitinfo(awaited)
        if received.si_signo != signal.SIGCHLD and received.si_code != SI_KERNEL:
            os.kill(pid, received.si_signo)


def _busy_s() -> float:
    """Return the CPU time that all programs have used since the machine started, seconds."""
    times = psutil.cpu_times()
    return float(times.user + times.system + getattr(times, "nice", 0.0))
