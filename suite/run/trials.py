"""Runs trials and probes, in the fork servers of each arm."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

from pydantic import ValidationError

from joulemark.suite.limits.base import LimitError
from joulemark.suite.limits.guard import LimitGuard
from joulemark.suite.notices import Code
from joulemark.suite.records import ArmName, Case, Notice, Part, Probe, RankWindow, ResidentIdle, Trial
from joulemark.suite.run.run_spec import ProgressListener, RunSpec
from joulemark.suite.system.text import one_line
from joulemark.suite.trial.environment import Environment
from joulemark.suite.trial.fork_server_client import RunningTrial
from joulemark.suite.trial.fork_servers import ForkServers
from joulemark.suite.trial.frameworks import FRAMEWORKS, mode_class
from joulemark.suite.trial.outcome import Outcome
from joulemark.suite.trial.probe import probe

FIRST_USE_FACTOR = 5
"""A GPU's first trial may take so many times the timeout: a framework without kernels for its architecture compiles
all of them at first use, and the driver caches them."""
FIRST_CALL = "first_call"
"""The stage of a trial (`suite.trial.worker`) in which a framework first computes."""
OnTurns = Callable[[RunningTrial, Trial], None]
LIMIT_NOT_SET = "limit_not_set"
"""Reason code of a trial whose power limit or clock the device did not take."""
EnvironmentKey = tuple[ArmName | None, int]
"""What trials share whose fork servers have one environment: arm, and number of threads."""


def environment_key(case: Case) -> EnvironmentKey:
    """Return the arm and the number of threads of a case."""
    return case.arm, case.threads


class Timeouts:
    """Extends the timeout of trials by arm, framework and GPU until one of them has reached its first call.

    A trial that was refused before, such as one in a precision that the GPU lacks, has compiled nothing.
    """

    def __init__(self, timeout_s: float) -> None:
        """`timeout_s`: the limit of all other trials, seconds."""
        self.timeout_s = timeout_s
        self._used: set[tuple[ArmName | None, str, str]] = set()

    def for_trial(self, case: Case) -> float:
        """Return how long the next trial of `case` may take, seconds."""
        first_use = case.device != "cpu" and _key(case) not in self._used
        return self.timeout_s * (FIRST_USE_FACTOR if first_use else 1)

    def on_stage(self, case: Case, stage: str) -> None:
        """Note that a stage of a trial of `case` starts."""
        if stage == FIRST_CALL:
            self._used.add(_key(case))


def _key(case: Case) -> tuple[ArmName | None, str, str]:
    return case.arm, case.framework, case.device


class TrialRunner:
    """The fork servers of a run, and what one trial must know about earlier ones."""

    def __init__(
        self,
        spec: RunSpec,
        environments: Mapping[EnvironmentKey, Environment],
        origin_s: float,
        listener: ProgressListener,
        add_notice: Callable[[Notice], None],
        guard: LimitGuard | None = None,
    ) -> None:
        """`origin_s` is the start of the run on CLOCK_MONOTONIC; `guard` sets the limits of a sweep."""
        self._guard = guard
        self._spec, self._plan, self._origin_s = spec, spec.plan, origin_s
        self._listener, self._add_notice = listener, add_notice
        self._timeouts = Timeouts(spec.plan.profile.timeout_s)
        self._compiled: set[str] = set()
        self._probed = {_probe_key(probe) for probe in spec.resumed.probes} if spec.resumed else set()
        self._servers = {key: self._fork_servers(key[0], environments[key]) for key in environments}

    def _fork_servers(self, arm: ArmName | None, environment: Environment) -> ForkServers:
        pythons = self._spec.settings.python if arm is None else self._spec.arms[arm].pythons
        where = "" if arm is None else f" in arm {arm}"

        def on_spawn(framework: str, reason: str) -> None:
            self._add_notice(Notice.of(Code.SPAWNED, f"{framework}{where}: {reason}"))

        return ForkServers(environment.variables, pythons, on_spawn)

    def has_servers(self, cases: Iterable[Case]) -> bool:
        """Return whether there are fork servers for all `cases`, or have been and cannot be started."""
        return all(self._servers[environment_key(case)].has(case.framework) for case in cases)

    def start_servers(self, cases: Iterable[Case]) -> None:
        """Start fresh fork servers for `cases`, and end all others."""
        self.close_servers()
        for key, servers in self._servers.items():
            servers.start({case.framework for case in cases if environment_key(case) == key})

    def close_servers(self) -> None:
        """End all fork servers."""
        for servers in self._servers.values():
            servers.close()

    def run(self, case: Case, round_number: int, on_turns: OnTurns | None = None) -> Trial:
        """Run one trial and return its record, however it ends; the limits of a sweep hold during the trial only.

        With `on_turns`, the trial takes turns: it is called with the trial and its record so far when it waits for
        them, and what it does takes the place of the trial until it returns.
        """
        self._listener.on_trial_start(case, round_number)
        if self._guard is None:
            return self._run(case, round_number, on_turns)
        started_s = self._now()
        try:
            shown = self._guard.apply(case.power_limit_w, case.clock_mhz)
            trial = self._run(case, round_number, on_turns)
        except LimitError as error:
            times = {"started_s": started_s, "ended_s": self._now()}
            return Trial(round=round_number, status="failed", reason_code=LIMIT_NOT_SET, reason=str(error), **times)
        finally:
            with contextlib.suppress(LimitError):  # the next trial tries again, and the end says if it failed
                self._guard.apply(None, None)
        read_back = {name: f"{value:g}" for name, value in shown.items()}
        return trial.model_copy(update={"environment": {**trial.environment, **read_back}})

    def _run(self, case: Case, round_number: int, on_turns: OnTurns | None) -> Trial:
        servers = self._servers[environment_key(case)]
        isolation, started_s = servers.isolation(case.framework), self._now()

        def on_stage(stage: str) -> None:
            self._timeouts.on_stage(case, stage)
            self._listener.on_trial_stage(stage)

        compile_cache = self._compile_cache(case)

        def record(outcome: Outcome) -> Trial:
            attempt = {"round": round_number, "started_s": started_s, "ended_s": self._now(), "isolation": isolation}
            return trial_record(outcome, attempt, self._origin_s, compile_cache)

        records: list[Trial] = []

        def wait(trial: RunningTrial) -> None:
            if on_turns is not None:
                records.append(record(trial.log.so_far()))
                on_turns(trial, records[0])
                self._listener.on_trial_start(case, round_number)

        request = self._plan.request(case, round_number)
        if on_turns is None:
            request = replace(request, effort=replace(request.effort, turn_s=0.0))
        outcome = servers.run(request, self._timeouts.for_trial(case), on_stage, wait)
        if outcome.trial is not None:
            self._compiled.add(case.id)
        records.append(record(outcome))
        # A window that was measured stays so, whatever became of the process, or of its server, afterwards.
        return next((trial for trial in reversed(records) if trial.status == "ok"), records[-1])

    def _now(self) -> float:
        """Return the seconds since the run started."""
        return time.monotonic() - self._origin_s

    def _compile_cache(self, case: Case) -> Literal["cold", "warm"] | None:
        """Return the state of the run's compile cache before a trial of `case`; None if its mode does not compile."""
        if mode_class(case.framework, case.mode) != "compiled":
            return None
        caches = FRAMEWORKS[case.framework].caches_compilation
        return "warm" if caches and case.id in self._compiled else "cold"

    def probes(self, cases: Iterable[Case]) -> Iterator[Probe]:
        """Probe the roofline of each framework, device, precision and number of threads, once a run.

        Only frameworks and arms of `cases`, whose fork servers are running, are probed.
        """
        running = {(environment_key(case), case.framework) for case in cases}
        for case in sorted(self._plan.runnable(), key=_probe_key):
            if (environment_key(case), case.framework) in running and _probe_key(case) not in self._probed:
                self._probed.add(_probe_key(case))
                self._listener.on_stage("probing the machine's peak")
                request = replace(self._plan.request(case), mode=FRAMEWORKS[case.framework].default_mode)
                yield probe(self._servers[environment_key(case)], request, self._plan.profile.timeout_s)


def _probe_key(subject: Case | Probe) -> tuple[str, str, str, int]:
    """Return what distinguishes one probe from another."""
    return subject.framework, subject.device, subject.precision, subject.threads


def trial_record(
    outcome: Outcome, attempt: Mapping[str, Any], origin_s: float, compile_cache: Literal["cold", "warm"] | None
) -> Trial:
    """Return the record of `outcome`.

    `attempt` are the trial's round, isolation and times; `origin_s` is the start of the run on CLOCK_MONOTONIC. A
    result that another version of joulemark gave and this one cannot parse is a failed trial.
    """
    if outcome.trial is None:
        status: Literal["skipped", "failed"] = "skipped" if outcome.reason_code == "unsupported" else "failed"
        return Trial(status=status, reason_code=outcome.reason_code, reason=outcome.reason, **attempt)
    fields = dict(outcome.trial)
    try:
        window, resident_idle, last_step = (fields.pop(name) for name in ("window", "resident_idle", "last_step"))
        parts = {
            name: Part(**{**part, "window_s": _relative(part["window_s"], origin_s)})
            for name, part in fields.pop("parts", {}).items()
        }
        ranks = tuple(
            RankWindow(**{**rank, "window_s": _relative(rank["window_s"], origin_s)})
            for rank in fields.pop("ranks", ())
        )
        return Trial(
            status="ok",
            parts=parts,
            ranks=ranks,
            window_s=_relative(window, origin_s),
            last_step_s=last_step - origin_s,
            resident_idle=ResidentIdle(window_s=_relative(resident_idle, origin_s)) if resident_idle else None,
            compile_cache=compile_cache,
            **attempt,
            **fields,
        )
    except (ValidationError, KeyError, TypeError) as error:
        reason = f"could not parse the trial's result: {one_line(str(error))[:200]}"
        return Trial(status="failed", reason_code="protocol", reason=reason, **attempt)


def _relative(interval: tuple[float, float], origin_s: float) -> tuple[float, float]:
    """Return an interval of CLOCK_MONOTONIC in seconds since the run started."""
    start, end = interval
    return start - origin_s, end - origin_s
