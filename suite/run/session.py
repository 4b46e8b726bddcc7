"""One run while it lasts: idle, floor, rounds of trials, probes, each written to the journal as it happens."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Literal

from joulemark.suite.errors import MeasurementError
from joulemark.suite.notices import Code
from joulemark.suite.plan.cases import SEED, Plan
from joulemark.suite.records import ArmName, Case, Floor, Idle, Notice, Probe, Trial
from joulemark.suite.records.journal import SUFFIX, Journal, trace_path
from joulemark.suite.results.assemble import assemble
from joulemark.suite.run import run_records
from joulemark.suite.run.run_spec import ProgressListener, RunSpec
from joulemark.suite.run.timeouts import Timeouts
from joulemark.suite.run.trial_record import trial_record
from joulemark.suite.sensors.external_tracker import Tracker
from joulemark.suite.sensors.sampler import Sampler
from joulemark.suite.stats.interim_analysis import first_rounds
from joulemark.suite.trial import noise_floor as floors
from joulemark.suite.trial.environment import Environment
from joulemark.suite.trial.outcome import TIMEOUT
from joulemark.suite.trial.fork_servers import ForkServers
from joulemark.suite.trial.frameworks import FRAMEWORKS, mode_class
from joulemark.suite.trial.probe import probe
from joulemark.suite.trial.request import Request

SETTLE_MOST_S = 60.0
"""The longest wait for the machine to come to rest after the last trial, seconds."""

SETTLED_WITHIN = 0.02
"""Power is at rest when it changes by less than this between two halves of a few seconds."""


class Session:
    """One run while it lasts."""

    def __init__(
        self, order: RunSpec, run_id: str, environments: Mapping[ArmName | None, Environment], watcher: ProgressListener
    ) -> None:
        """`environments` are the trials' by arm; one, for None, where there are no arms."""
        self.order, self.watcher, self.environments = order, watcher, environments
        # A resumed run counts its seconds from its first start: by the wall clock, since the machine may have rebooted.
        gone_s = run_records.seconds_since(order.resumed.run.started_at) if order.resumed else 0.0
        self.origin = time.monotonic() - gone_s
        self.done = run_records.done(order.resumed)
        segment = run_records.segment(self.now())
        begun = (
            run_records.resumed_run_file(order.resumed, segment)
            if order.resumed
            else run_records.new_run_file(order, run_id, environments, segment)
        )
        self.journal = Journal(order.directory / f"{run_id}{SUFFIX}", begun)
        self.zygotes = {arm: self._zygotes(arm) for arm in environments}
        self.given_up = run_records.timed_out(order.resumed)
        self.compiled: set[str] = set()
        self.patience = Timeouts(order.plan.profile.timeout_s)
        probes = order.resumed.probes if order.resumed else ()
        self.probed = {_probed_by(probe) for probe in probes}
        self.floor_failed = False
        self.sampler: Sampler | None = None

    def _zygotes(self, arm: ArmName | None) -> ForkServers:
        """The zygotes of one arm."""
        pythons = self.order.sides[arm].pythons if arm is not None else self.order.settings.python
        where = f" in arm {arm}" if arm is not None else ""

        def spawns(framework: str, why: str) -> None:
            self.journal.notice(Notice.of(Code.SPAWNED, f"{framework}{where}: {why}"))

        return ForkServers(self.environments[arm].variables, pythons, spawns)

    def now(self) -> float:
        """Seconds since the run started."""
        return time.monotonic() - self.origin

    def measure(self) -> None:
        """The whole run."""
        self._begins()
        self.watcher.stage("sensors")
        trace = trace_path(self.journal.path)
        try:
            self.sampler = Sampler.start(trace, self.origin, sensors=self.order.sensors)
        except Exception:
            self.journal.forget()  # it would be the latest run, with nothing in it
            raise
        tracker = Tracker.start() if self.order.settings.second_opinion else None
        try:
            self._idle("before")
            self._floor()
            for round_number in range(1, self.order.plan.rounds + 1):
                self._round(round_number)
            self._go_on()
            self._settle()
            self._idle("after")
        finally:
            self._close()
            if tracker is not None:
                self.journal.second_opinion(tracker.stop(self.origin))
            self.sampler.stop()
        self.journal.end(datetime.now(UTC).isoformat(timespec="milliseconds"))

    def _begins(self) -> None:
        """Say what is to be done, and what of it is done or given up already."""
        plan = self.order.plan
        self.watcher.begins(plan, self.done)
        for case in plan.runnable():
            if case.id in self.given_up:
                done = sum((case.id, number) in self.done for number in range(1, plan.rounds + 1))
                self.watcher.gives_up(case, plan.rounds - done)

    def _go_on(self) -> None:
        """More rounds of what is not decided: as many again as all had, then another look, to the plan's most."""
        plan, done = self.order.plan, self.order.plan.rounds
        while self.order.undecided is not None and plan.max_rounds is not None and done < plan.max_rounds:
            # A resumed run has later rounds already; what this look decided was decided without them.
            undecided = self.order.undecided(first_rounds(assemble(self.journal.path), done))
            if not undecided:
                return
            self.watcher.goes_on([case for case in plan.runnable() if case.id in undecided], plan.rounds)
            for round_number in range(done + 1, done + plan.rounds + 1):
                self._round(round_number, undecided)
            done += plan.rounds

    def _close(self) -> None:
        for zygotes in self.zygotes.values():
            zygotes.close()

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
        variables = next(iter(self.environments.values())).variables
        try:
            found = floors.measure({**variables, "OPENBLAS_NUM_THREADS": threads})
        except MeasurementError as error:
            if not self.floor_failed:  # each round's would say the same
                self.journal.notice(Notice.of(Code.FLOOR_NOT_MEASURED, str(error)))
            self.floor_failed = True
            return
        self.journal.floor(Floor(at_s=at_s, **found))

    def _round(self, round_number: int, only: Collection[str] | None = None) -> None:
        """One trial of every case, or of those whose ids are in `only`."""
        cases = [
            case
            for case in self.order.plan.order(round_number)
            if case.id not in self.given_up
            and (case.id, round_number) not in self.done
            and (only is None or case.id in only)
        ]
        if not cases:
            return
        frameworks = {case.framework for case in cases}
        self.watcher.stage("importing " + " and ".join(sorted(frameworks)))
        for arm, zygotes in self.zygotes.items():
            zygotes.start({case.framework for case in cases if case.arm == arm})
        for case in cases:
            self.watcher.trial_begins(case, round_number)
            trial = self._trial(case, round_number)
            if trial.status == "skipped":
                self.journal.skipped(case, trial.reason_code or "skipped", trial.reason or "skipped")
            else:
                self.journal.trial(case, trial)
            power_w = self.sampler.latest_power_w() if self.sampler is not None else None
            if trial.status == "skipped" or trial.reason_code == TIMEOUT:
                # Another trial would say the same, or take as long for nothing.
                self.given_up.add(case.id)
                self.watcher.gives_up(case, max(0, self.order.plan.rounds - round_number))
            self.watcher.trial_ends(case, trial, power_w)
        self._probe({(case.arm, case.framework) for case in cases})
        self._close()
        self._floor()

    def _probe(self, started: Collection[tuple[ArmName | None, str]]) -> None:
        """The roofline of each framework, device, precision and number of threads, once a run."""
        plan = self.order.plan
        for case in sorted(plan.runnable(), key=_probed_by):
            if (case.arm, case.framework) in started and _probed_by(case) not in self.probed:
                self.probed.add(_probed_by(case))
                self.watcher.stage("probing the machine's peak")
                mode = FRAMEWORKS[case.framework].default_mode
                zygotes = self.zygotes[case.arm]
                self.journal.probe(probe(zygotes, _request(case, plan), mode, plan.profile.timeout_s))

    def _trial(self, case: Case, round_number: int) -> Trial:
        """One trial of `case`, whatever becomes of it."""
        started_s = self.now()
        zygotes = self.zygotes[case.arm]
        how = zygotes.isolation(case.framework)
        request = _request(case, self.order.plan, rest=round_number == 1)

        def part(name: str) -> None:
            self.patience.on_stage(case, name)
            self.watcher.part(name)

        outcome = zygotes.run(request, self.patience.seconds(case), part)
        attempt = {"round": round_number, "started_s": started_s, "ended_s": self.now(), "isolation": how}
        cache = self._compile_cache(case) if outcome.trial is not None else None
        return trial_record(outcome, attempt, self.origin, cache)

    def _compile_cache(self, case: Case) -> Literal["cold", "warm"] | None:
        """State of the run's own cache before a trial of `case`; None where nothing is compiled."""
        if mode_class(case.framework, case.mode) != "compiled":
            return None
        if case.id in self.compiled and FRAMEWORKS[case.framework].caches_compilation:
            return "warm"
        self.compiled.add(case.id)
        return "cold"


def _probed_by(of: Case | Probe) -> tuple[str, str, str, int]:
    """What one probe stands for."""
    return of.framework, of.device, of.precision, of.threads


def _request(case: Case, plan: Plan, rest: bool = False) -> Request:
    """What a trial of `case` is asked; with a rest between load and first call where the plan has one."""
    workload = case.workload_id
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
