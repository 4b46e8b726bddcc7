"""Measures a plan: idle, noise floor, rounds of trials and probes, each in the journal before the next starts."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from joulemark.suite.energy.present_power import charged_power_w
from joulemark.suite.errors import MeasurementError
from joulemark.suite.limits.guard import LimitGuard
from joulemark.suite.notices import Code
from joulemark.suite.records import Case, Floor, Idle, Notice, RunFile, Trial
from joulemark.suite.records.journal import SUFFIX, Journal, trace_path
from joulemark.suite.records.run_id import new_run_id
from joulemark.suite.results.assemble import assemble, finish
from joulemark.suite.run import lock, resume, run_records
from joulemark.suite.run.run_spec import ProgressListener, RunSpec
from joulemark.suite.run.trials import EnvironmentKey, TrialRunner, environment_key
from joulemark.suite.run.turns import PairRunner
from joulemark.suite.sensors.external_tracker import ExternalTracker
from joulemark.suite.sensors.sampler import Sampler
from joulemark.suite.stats.interim_analysis import first_rounds
from joulemark.suite.system.scratch import scratch_directory
from joulemark.suite.trial import environment, noise_floor
from joulemark.suite.trial.environment import Environment
from joulemark.suite.trial.outcome import TIMEOUT


def measure(spec: RunSpec, listener: ProgressListener) -> Path:
    """Measure `spec` and return the path of its run file. A run that fails to start leaves no files.

    Raises UsageError if another run is measuring or the directory cannot be written, and InterruptedRun on
    KeyboardInterrupt, after the run file has been written (`complete` is false).
    """
    run_id = spec.resumed.run.id if spec.resumed else new_run_id(datetime.now(UTC))
    with lock.hold(), scratch_directory() as scratch, _limit_guard(spec) as guard:
        runner = Runner(spec, run_id, _environments(spec, scratch), listener, guard)
        with contextlib.closing(runner.journal):  # until its run file is written, no other process may resume it
            try:
                runner.run()
            except KeyboardInterrupt:
                raise InterruptedRun(finish(runner.journal.path)) from None
            return finish(runner.journal.path)


class InterruptedRun(KeyboardInterrupt):
    """Ctrl-C or a signal during a run; `path` is the run file with what was finished before."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path


def _limit_guard(spec: RunSpec) -> contextlib.AbstractContextManager[LimitGuard | None]:
    """Return what sets the limits of a sweep: started once the lock is held, so that it sees nobody else's limits."""
    return LimitGuard(spec.limits) if spec.limits is not None else contextlib.nullcontext()


def _environments(spec: RunSpec, scratch: Path) -> dict[EnvironmentKey, Environment]:
    """Return the environment of the trials by arm and number of threads, each with its own caches."""
    keys = dict.fromkeys(environment_key(case) for case in spec.plan.cases)
    if len(keys) == 1:
        return {key: environment.build(os.environ, key[1], scratch) for key in keys}
    environments: dict[EnvironmentKey, Environment] = {}
    for arm, threads in keys:
        own = scratch / f"{arm or 'threads'}-{threads}"
        own.mkdir()
        environments[arm, threads] = environment.build(os.environ, threads, own)
    return environments


class Runner:
    """One run while it lasts."""

    def __init__(
        self,
        spec: RunSpec,
        run_id: str,
        environments: Mapping[EnvironmentKey, Environment],
        listener: ProgressListener,
        guard: LimitGuard | None = None,
    ) -> None:
        """Start the journal; `environments` are the trials'; `guard` sets the limits of a sweep."""
        self.spec, self.plan, self.listener = spec, spec.plan, listener
        # A resumed run counts from its first start.
        elapsed_s, notices = resume.resume_time(spec.resumed, datetime.now(UTC)) if spec.resumed else (0.0, [])
        self.origin_s = time.monotonic() - elapsed_s
        segment = run_records.new_segment(self.now())
        run_file = (
            resume.resumed_run_file(spec.resumed, segment, notices)
            if spec.resumed
            else run_records.new_run_file(spec, run_id, environments, segment)
        )
        self.started_at = run_file.run.started_at
        self.journal = self._start_journal(spec.directory / f"{run_id}{SUFFIX}", run_file)
        self.measured = resume.measured_trials(spec.resumed)
        self.given_up = resume.timed_out_cases(spec.resumed)
        self.trials = TrialRunner(
            spec, environments, self.origin_s, listener, lambda notice: self.journal.add(notice=notice), guard
        )
        self.pairs = PairRunner(
            self.trials, self.plan, self.journal.trial, self._end_trial, lambda notice: self.journal.add(notice=notice)
        )
        variables = next(iter(environments.values())).variables
        self.floor_variables = {**variables, "OPENBLAS_NUM_THREADS": str(self.plan.cases[0].threads)}
        self.floor_failed = False

    def _start_journal(self, path: Path, run_file: RunFile) -> Journal:
        """Start the journal. From now on no other process, on any machine, can resume the run."""
        journal = Journal(path, run_file)
        try:
            trace_path(path).unlink(missing_ok=True)  # of an earlier part, killed once its run file was written
            if self.spec.resumed:
                resume.check_unchanged(self.spec.resumed, path.with_suffix(".json"))
        except BaseException:
            journal.delete()
            raise
        return journal

    def now(self) -> float:
        """Return the seconds since the run started."""
        return time.monotonic() - self.origin_s

    def run(self) -> None:
        """Measure everything."""
        self._announce()
        self.listener.on_stage("sensors")
        try:
            self.sampler = Sampler.start(trace_path(self.journal.path), self.origin_s, sensors=self.spec.sensors)
        except Exception:
            self.journal.delete()  # otherwise an empty run would be the latest one
            raise
        tracker = ExternalTracker.start() if self.spec.settings.second_opinion else None
        try:
            self._measure_idle("before")
            self._measure_floor()
            for round_number in range(1, self.plan.rounds + 1):
                self._run_round(round_number)
            self._run_more_rounds()
            self.trials.close_servers()
            self.listener.on_stage("settling")
            self.sampler.wait_until_settled()
            self._measure_idle("after")
        finally:
            self.trials.close_servers()
            if tracker is not None:
                self.journal.add(second_opinion=tracker.stop(self.origin_s))
            self.sampler.stop()
        self.journal.end(run_records.time_at(self.started_at, self.now()))

    def _announce(self) -> None:
        """Tell the listener what the run will do, and what of it is done or given up already."""
        self.listener.on_run_start(self.plan, self.measured)
        for case in self.plan.runnable():
            if case.id in self.given_up:
                done = sum((case.id, number) in self.measured for number in range(1, self.plan.rounds + 1))
                self.listener.on_give_up(case, self.plan.rounds - done)

    def _measure_idle(self, when: Literal["before", "after"]) -> None:
        self.listener.on_stage(f"idle {when}")
        start_s = self.now()
        time.sleep(self.plan.profile.idle_s)
        self.journal.add(idle=Idle(when=when, window_s=(start_s, self.now())))

    def _measure_floor(self) -> None:
        """Run the fixed loop. Its first failure becomes a notice: later ones would repeat it."""
        self.listener.on_stage("noise floor")
        at_s = self.now()
        try:
            repeat_s = self.plan.profile.reference_s if self.plan.measures_reference else 0.0
            self.journal.add(floor=Floor(at_s=at_s, **noise_floor.measure(self.floor_variables, repeat_s)))
        except MeasurementError as error:
            if not self.floor_failed:
                self.journal.add(notice=Notice.of(Code.FLOOR_NOT_MEASURED, str(error)))
            self.floor_failed = True

    def _run_more_rounds(self) -> None:
        """Run more rounds of undecided cases, as many at a time as were planned, up to the plan's maximum."""
        rounds, max_rounds = self.plan.rounds, self.plan.max_rounds
        while self.spec.find_undecided is not None and max_rounds is not None and rounds < max_rounds:
            # A resumed run may have later rounds already; the decision at this point was made without them.
            undecided = self.spec.find_undecided(first_rounds(assemble(self.journal.path), rounds))
            if not undecided:
                return
            cases = [case for case in self.plan.runnable() if case.id in undecided]
            self.listener.on_more_rounds(cases, self.plan.rounds)
            for round_number in range(rounds + 1, rounds + self.plan.rounds + 1):
                self._run_round(round_number, undecided)
            rounds += self.plan.rounds

    def _run_round(self, round_number: int, only: Collection[str] | None = None) -> None:
        """Run one trial of every case, or of those whose ids are in `only`."""
        cases = [
            case
            for case in self.plan.round_order(round_number)
            if case.id not in self.given_up
            and (case.id, round_number) not in self.measured
            and (only is None or case.id in only)
        ]
        if not cases:
            return
        if not self.trials.has_servers(cases):
            self.listener.on_stage("importing " + " and ".join(sorted({case.framework for case in cases})))
            self.trials.start_servers(cases)
        groups = self.plan.in_pairs(cases)
        for number, group in enumerate(groups, 1):
            self.pairs.run(group, round_number)
            if self.plan.measures_reference_after(number, len(groups)):
                self._measure_floor()
        for probe in self.trials.probes(cases):
            self.journal.add(probe=probe)
        if round_number % self.plan.profile.server_rounds == 0:
            self.trials.close_servers()
        self._measure_floor()

    def _end_trial(self, case: Case, trial: Trial) -> None:
        """Write a trial that has ended to the journal."""
        if trial.status == "skipped":
            self.journal.skipped(case, trial.reason_code or "skipped", trial.reason or "skipped")
        else:
            self.journal.trial(case, trial)
        power = charged_power_w(self.sampler.latest_powers(), case.charged_devices, self.spec.machine.gpus)
        if trial.status == "skipped" or trial.reason_code == TIMEOUT:
            # Another trial would give the same reason, or take as long in vain.
            self.given_up.add(case.id)
            self.listener.on_give_up(case, max(0, self.plan.rounds - trial.round))
        self.listener.on_trial_end(case, trial, power)
