"""One run while it lasts: idle, floor, rounds of trials, probes, each written to the journal as it happens."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from suite import __version__
from suite.frameworks import FRAMEWORKS, mode_class
from suite.measure import environment as environments
from suite.measure import floor as floors
from suite.measure.launcher import Outcome
from suite.measure.probe import probe
from suite.measure.request import Request
from suite.measure.zygotes import How, Zygotes
from suite.notices import Code
from suite.order import Order, Watcher
from suite.plan import SEED, Plan
from suite.power.sampler import Sampler
from suite.power.second_opinion import Tracker
from suite.results import journal as journals
from suite.results.journal import Journal
from suite.results.records import (
    Case,
    Floor,
    Idle,
    Notice,
    Rest,
    Run,
    RunFile,
    Segment,
    Trial,
)
from suite.results.validity import run_notices

SETTLE_MOST_S = 60.0
"""The longest wait for the machine to come to rest after the last trial, seconds."""

SETTLED_WITHIN = 0.02
"""Power is at rest when it changes by less than this between two halves of a few seconds."""


class Session:
    """One run while it lasts."""

    def __init__(self, order: Order, run_id: str, environment: environments.Environment, watcher: Watcher) -> None:
        self.order, self.watcher, self.environment = order, watcher, environment
        # A resumed run counts its seconds from its first start: by the wall clock, since the machine may have rebooted.
        gone_s = _seconds_since(order.resumed.run.started_at) if order.resumed else 0.0
        self.origin = time.monotonic() - gone_s
        self.done = _done(order.resumed)
        planned = self._resumed(order.resumed) if order.resumed else self._planned(run_id)
        self.journal = Journal(order.directory / f"{run_id}{journals.SUFFIX}", planned)
        self.zygotes = Zygotes(environment.variables, order.settings.python, self._spawns)
        self.skipped: set[str] = set()
        self.compiled: set[str] = set()
        probes = order.resumed.probes if order.resumed else ()
        self.probed = {(probe.framework, probe.device, probe.precision) for probe in probes}
        self.sampler: Sampler | None = None

    def _planned(self, run_id: str) -> RunFile:
        order = self.order
        notices = list(order.notices)
        if self.environment.kept:
            notices.append(Notice.of(Code.ENVIRONMENT_KEPT, ", ".join(self.environment.kept)))
        return RunFile(
            run=Run(
                id=run_id,
                started_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
                finished_at=None,
                segments=(self._segment(),),
                command=order.command,
                profile=order.plan.profile.name,
                suite_version=__version__,
                complete=False,
                order_seed=order.plan.order_seed,
                rounds=order.plan.rounds,
                environment={**self.environment.ours, **self.environment.kept},
            ),
            machine=order.machine,
            settings=order.settings,
            cases=order.plan.cases,
            notices=tuple(notices),
            emissions=order.emissions,
        )

    def _spawns(self, framework: str, why: str) -> None:
        self.journal.notice(Notice.of(Code.SPAWNED, f"{framework}: {why}"))

    def _segment(self) -> Segment:
        return Segment(at_s=self.now(), monotonic_s=time.monotonic(), boot_id=_boot_id())

    def _resumed(self, earlier: RunFile) -> RunFile:
        """The interrupted run as the plan of its next segment: what it has stays in it."""
        segments = (*earlier.run.segments, self._segment())
        run = earlier.run.model_copy(update={"segments": segments, "finished_at": None, "complete": False})
        made_anew = {Code.RUN_INCOMPLETE, *(notice.code for notice in run_notices(earlier))}
        notices = tuple(notice for notice in earlier.notices if notice.code not in made_anew)
        return earlier.model_copy(update={"run": run, "notices": notices})

    def now(self) -> float:
        """Seconds since the run started."""
        return time.monotonic() - self.origin

    def measure(self) -> None:
        """The whole run."""
        self.watcher.begins(self.order.plan)
        self.watcher.stage("sensors")
        self.sampler = Sampler.start(journals.trace_path(self.journal.path), self.origin, sensors=self.order.sensors)
        tracker = Tracker.start() if self.order.settings.second_opinion else None
        try:
            self._idle("before")
            self._floor()
            for round_number in range(1, self.order.plan.rounds + 1):
                self._round(round_number)
            self._settle()
            self._idle("after")
        finally:
            self.zygotes.close()
            if tracker is not None:
                self.journal.second_opinion(tracker.stop(self.origin))
            self.sampler.stop()
        self.journal.end(datetime.now(UTC).isoformat(timespec="milliseconds"))

    def _idle(self, when: Literal["before", "after"]) -> None:
        self.watcher.stage(f"idle {when}")
        start = self.now()
        time.sleep(self.order.plan.profile.idle_s)
        self.journal.idle(Idle(when=when, window_s=(start, self.now())))

    def _settle(self) -> None:
        """Wait until power has come to rest: boards stay warm, and fans on, for a while after the last trial."""
        assert self.sampler is not None
        self.watcher.stage("settling")
        deadline = time.monotonic() + SETTLE_MOST_S
        seen: list[float] = []
        while time.monotonic() < deadline:
            time.sleep(0.5)
            power_w = self.sampler.latest_power_w()
            if power_w is None:
                return
            seen.append(power_w)
            if len(seen) >= 8:
                earlier, later = sum(seen[-8:-4]) / 4, sum(seen[-4:]) / 4
                if abs(later - earlier) <= SETTLED_WITHIN * max(earlier, later):
                    return

    def _floor(self) -> None:
        self.watcher.stage("noise floor")
        at_s = self.now()
        threads = str(self.order.plan.cases[0].threads)
        found = floors.measure({**self.environment.variables, "OPENBLAS_NUM_THREADS": threads})
        self.journal.floor(Floor(at_s=at_s, **found))

    def _round(self, round_number: int) -> None:
        cases = [
            case
            for case in self.order.plan.order(round_number)
            if case.id not in self.skipped and (case.id, round_number) not in self.done
        ]
        if not cases:
            return
        frameworks = {case.framework for case in cases}
        self.watcher.stage("importing " + " and ".join(sorted(frameworks)))
        self.zygotes.start(frameworks)
        for case in cases:
            self.watcher.trial_begins(case, round_number)
            trial = self._trial(case, round_number)
            if trial.status == "skipped":
                self.skipped.add(case.id)
                self.journal.skipped(case, trial.reason_code or "skipped", trial.reason or "skipped")
            else:
                self.journal.trial(case, trial)
            power_w = self.sampler.latest_power_w() if self.sampler is not None else None
            self.watcher.trial_ends(case, trial, power_w)
        self._probe(frameworks)
        self.zygotes.close()
        self._floor()

    def _probe(self, frameworks: Collection[str]) -> None:
        """The roofline of each framework, device and precision, once a run."""
        plan = self.order.plan
        kinds = {(case.framework, case.device, case.precision): case for case in plan.runnable()}
        for kind, case in sorted(kinds.items()):
            if kind[0] in frameworks and kind not in self.probed:
                self.probed.add(kind)
                self.watcher.stage("probing the machine's peak")
                mode = FRAMEWORKS[case.framework].default_mode
                self.journal.probe(probe(self.zygotes, _request(case, plan), mode, plan.profile.timeout_s))

    def _trial(self, case: Case, round_number: int) -> Trial:
        """One trial of `case`, whatever becomes of it."""
        started_s = self.now()
        plan = self.order.plan
        how = None if case.framework in self.zygotes.broken else self.zygotes.how(case.framework)
        request = _request(case, plan, rest=round_number == 1)
        outcome = self.zygotes.run(request, plan.profile.timeout_s, self.watcher.part)
        return self._record(outcome, case, round_number, started_s, how)

    def _since_start(self, window: tuple[float, float]) -> tuple[float, float]:
        """An interval of CLOCK_MONOTONIC in seconds since the run started."""
        return (window[0] - self.origin, window[1] - self.origin)

    def _compile_cache(self, case: Case) -> Literal["cold", "warm"] | None:
        """State of the run's own cache before a trial of `case`; None where nothing is compiled."""
        if mode_class(case.framework, case.mode) != "compiled":
            return None
        if case.id in self.compiled and FRAMEWORKS[case.framework].caches_compilation:
            return "warm"
        self.compiled.add(case.id)
        return "cold"

    def _record(self, outcome: Outcome, case: Case, round_number: int, started_s: float, how: How | None) -> Trial:
        """The outcome as a record, its times since the start of the run."""
        if outcome.trial is None:
            return Trial(
                round=round_number,
                status="skipped" if outcome.reason_code == "unsupported" else "failed",
                reason_code=outcome.reason_code,
                reason=outcome.reason,
                started_s=started_s,
                ended_s=self.now(),
                isolation=how,
            )
        fields = dict(outcome.trial)
        rest = fields.pop("rest")
        return Trial(
            round=round_number,
            status="ok",
            started_s=started_s,
            ended_s=self.now(),
            isolation=how,
            window_s=self._since_start(fields.pop("window")),
            resident_idle=Rest(window_s=self._since_start(rest)) if rest else None,
            compile_cache=self._compile_cache(case),
            **fields,
        )


def _request(case: Case, plan: Plan, rest: bool = False) -> Request:
    """What a trial of `case` is asked; with a rest between load and first call where the plan has one."""
    workload = f"{case.workload}.{case.variant}" if case.variant else case.workload
    return Request(
        workload=workload,
        size=case.size,
        phase=case.phase,
        framework=case.framework,
        mode=case.mode,
        device=case.device,
        precision=case.precision,
        batch_size=case.batch_size,
        threads=case.threads,
        allocator=case.allocator,
        seed=SEED,
        effort=plan.effort(case, rest),
    )


def _done(earlier: RunFile | None) -> frozenset[tuple[str, int]]:
    """(case, round) of the trials that an interrupted run has."""
    cases = earlier.cases if earlier else ()
    return frozenset((case.id, trial.round) for case in cases for trial in case.trials)


def _seconds_since(started_at: str) -> float:
    """Seconds by the wall clock since an ISO 8601 time."""
    return (datetime.now(UTC) - datetime.fromisoformat(started_at)).total_seconds()


def _boot_id() -> str:
    """The kernel's id of this boot: CLOCK_MONOTONIC means nothing after the next one."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
