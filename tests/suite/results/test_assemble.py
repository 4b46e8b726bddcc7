"""Assembling: a journal gives a run file at any moment of a run, and always the same one."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from journal_files import RUN_ID, journal_path, planned_run, record_trial, write_journal
from late_counter import LAG_S, LOAD_W, late_trace
from places import ROOT
from run_files import failed_trial, trial

from joulemark.suite.errors import UsageError
from joulemark.suite.meter import user_run
from joulemark.suite.notices import Code
from joulemark.suite.records import ArmRecord, Channel, Floor, Idle, Notice, RunFile, Trace
from joulemark.suite.records.journal import Journal
from joulemark.suite.results.assemble import assemble, assemble_events, finish
from joulemark.suite.results.run_files import read

KEPT_JOURNALS = ROOT / "tests" / "data" / "journals"
PROSE = {"message", "consequence", "remedy", "reason", "differences"}
"""Keys whose texts may be reworded, as may a notice's `value` that is text; numbers, ids and codes may not change."""


@pytest.fixture
def path(tmp_path):
    return journal_path(tmp_path)


def codes(file: RunFile) -> set[Code]:
    return {notice.code for notice in file.notices}


def as_kept(value: Any, kept: Any) -> Any:
    """Return what of `value` the kept file has too, without prose; floats to 12 digits."""
    if isinstance(kept, dict):
        numbers = (key for key in kept if key not in PROSE and not (key == "value" and isinstance(kept[key], str)))
        return {key: as_kept(value[key], kept[key]) for key in numbers}
    if isinstance(kept, list):
        return [as_kept(entry, other) for entry, other in zip(value, kept, strict=True)]
    return float(f"{value:.12g}") if isinstance(value, float) else value


@pytest.mark.parametrize("name", ["estimate", "ab"])
def test_kept_journals_give_the_run_files_they_always_gave(name):
    """A run under codecarbon's model with an external tracker, and an A/B run without any energy."""
    kept = json.loads(gzip.decompress((KEPT_JOURNALS / name / "run.json.gz").read_bytes()))
    file = json.loads(assemble(KEPT_JOURNALS / name / "run.journal").model_dump_json())
    assert as_kept(file, kept) == as_kept(kept, kept)


def test_an_interrupted_run_has_its_finished_trials(tmp_path):
    file = assemble(write_journal(tmp_path, trials=3))
    assert [len(case.trials) for case in file.cases] == [2, 1]
    assert [case.status for case in file.cases] == ["ok", "ok"]
    assert not file.run.complete
    assert {notice.code: notice.value for notice in file.notices}[Code.RUN_INCOMPLETE] == 1


def test_a_run_is_complete_when_every_planned_trial_was_attempted(path):
    planned = planned_run(rounds=1)
    journal = Journal(path, planned)
    record_trial(journal, planned.cases[0])
    journal.trial(planned.cases[1], failed_trial())
    journal.end("2026-11-01T12:02:00Z")
    journal.close()
    file = assemble(path)
    assert file.run.complete
    assert [case.status for case in file.cases] == ["ok", "failed"]
    assert file.cases[1].reason_code == "out_of_memory"


def test_a_case_skipped_during_the_run_is_not_missing(path):
    planned = planned_run(rounds=1)
    journal = Journal(path, planned)
    record_trial(journal, planned.cases[0])
    journal.skipped(planned.cases[1], "unsupported", "needs a GPU")
    journal.close()
    file = assemble(path)
    assert file.run.complete
    assert (file.cases[1].status, file.cases[1].reason) == ("skipped", "needs a GPU")


def test_a_case_that_timed_out_is_not_missing(path):
    planned = planned_run(rounds=3)
    journal = Journal(path, planned)
    for number in (1, 2, 3):
        record_trial(journal, planned.cases[0], number, start_s=10.0 * number)
    journal.trial(planned.cases[1], failed_trial().model_copy(update={"reason_code": "timeout"}))
    journal.close()
    file = assemble(path)
    assert file.run.complete
    assert Code.RUN_INCOMPLETE not in codes(file)


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_a_truncated_last_line_loses_only_that_trial(tmp_path, cut):
    path = write_journal(tmp_path, trials=3)
    path.write_bytes(path.read_bytes()[:-cut])
    assert [len(case.trials) for case in assemble(path).cases] == [1, 1]


def test_a_trial_that_waited_for_its_turns_is_replaced_by_what_it_became(path):
    planned = planned_run(rounds=1)
    journal = Journal(path, planned)
    waiting = trial(1, start_s=10.0)
    journal.trial(planned.cases[0], waiting)
    journal.trial(planned.cases[0], waiting.model_copy(update={"turns_s": (0.1, 0.2)}))
    journal.trial(planned.cases[1], waiting)
    journal.close()
    assert [[each.turns_s for each in case.trials] for case in assemble(path).cases] == [[(0.1, 0.2)], [()]]


def test_finish_leaves_the_run_file_alone(tmp_path):
    target = finish(write_journal(tmp_path))
    assert read(target).cases[0].trials
    assert [entry.name for entry in tmp_path.iterdir()] == [f"{RUN_ID}.json"]


def test_floor_idle_and_notices_are_kept(path):
    journal = Journal(path, planned_run())
    journal.add(floor=Floor(at_s=1.0, arithmetic_s=0.1, copy_s=0.2))
    journal.add(idle=Idle(when="before", window_s=(0.0, 5.0)))
    journal.add(notice=Notice.of(Code.SPAWNED, "pytorch: 2 threads"))
    journal.close()
    file = assemble(path)
    assert file.floor[0].copy_s == 0.2
    assert file.idle[0].when == "before"
    assert Code.SPAWNED in codes(file)


@pytest.mark.parametrize("text", ["", "{}\n", "no json\n", '{"planned": {"schema_version": 7}}\n', "[]\n"])
def test_a_file_that_is_not_a_journal_is_one_line(path, text):
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        assemble(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("framework", "arm", "command"),
    [("pytorch", None, "run --resume"), ("pytorch", "b", "ab --resume"), ("command", None, None)],
)
def test_how_an_interrupted_run_is_resumed_depends_on_its_kind(path, framework, arm, command):
    file = planned_run()
    id_ = file.cases[0].id.replace("pytorch", framework)
    cases = (file.cases[0].model_copy(update={"id": id_, "framework": framework, "arm": arm}),)
    arms = {arm: ArmRecord(interpreter="python", python="3.11.1", suite_version="0.1.0")} if arm else {}
    Journal(path, file.model_copy(update={"cases": cases, "arms": arms})).close()
    (notice,) = (notice for notice in assemble(path).notices if notice.code == Code.RUN_INCOMPLETE)
    assert notice.value == 2
    assert (f"joulemark {command}" if command else "Measure it again") in notice.remedy
    assert ("--resume" in notice.remedy) == (command is not None)


def test_a_failed_command_was_not_interrupted(path):
    """`joulemark measure` does not run it again."""
    file = planned_run(rounds=3)
    id_ = file.cases[0].id.replace("pytorch", "command")
    command = file.cases[0].model_copy(update={"id": id_, "framework": "command"})
    journal = Journal(path, file.model_copy(update={"cases": (command,)}))
    record_trial(journal, command)
    journal.trial(command, failed_trial(2, "exit_code", "it ended with exit code 1"))
    journal.close()
    file = assemble(path)
    assert not file.run.complete
    assert Code.RUN_INCOMPLETE not in codes(file)


@pytest.mark.parametrize(("steps", "in_step"), [(1, False), (20, True)])
def test_only_marked_steps_can_alias_with_a_sensor(steps, in_step):
    """A window as long as the sensor's cycle has no period if no steps were marked in it."""
    times = tuple(i / 10 for i in range(300))
    channel = Channel(
        component="package", scope="0", unit="W", kind="integrated", tick_s=0.1, coverage=0.25, values=(300.0,) * 300
    )
    traces = (Trace(sensor="test", t_s=times, channels=(channel,)),)
    measured = user_run.trial(1, (10.0, 10.0 + 0.1 * steps), steps, (0.1,) * steps if steps > 1 else ())
    file = planned_run(rounds=1)
    events = [{"trial": measured.model_dump(mode="json"), "case": file.cases[0].id}]
    case = assemble_events(file, events, traces).cases[0]
    (reading,) = (reading for reading in case.trials[0].energy if reading.sensor == "test")
    assert reading.in_step == in_step
    assert (Code.NEAR_SENSOR_PERIOD in {notice.code for notice in case.notices}) == in_step


def test_ends_of_trials_show_the_publication_lag():
    planned = planned_run(rounds=3)
    loads = [(5.0, 8.0), (13.0, 16.0), (21.0, 24.0)]
    trials = [
        trial(number, start_s=begin_s + 0.5, readings=()).model_copy(update={"last_step_s": end_s})
        for number, (begin_s, end_s) in enumerate(loads, 1)
    ]
    events = [{"trial": one.model_dump(mode="json"), "case": planned.cases[0].id} for one in trials]
    file = assemble_events(planned, events, (late_trace(loads),))
    lag = file.traces[0].channels[0].publication_lag
    assert lag is not None
    assert (lag.steps, lag.method) == (3, "the end of the last step of trials")
    assert lag.lag_s == pytest.approx(LAG_S, abs=lag.error_s)
    for one in file.cases[0].trials:
        (reading,) = (reading for reading in one.energy if reading.sensor == "simulated")
        assert reading.publication_lag_s == lag.lag_s
        assert reading.energy_j == pytest.approx(LOAD_W * one.window_length_s, rel=0.01)


def test_trials_of_a_resumed_run_come_after_its_earlier_ones(path):
    planned = planned_run(rounds=2)
    done = trial(1, readings=())
    cases = tuple(case.model_copy(update={"trials": (done,), "status": "ok"}) for case in planned.cases)
    journal = Journal(path, planned.model_copy(update={"cases": cases}))
    record_trial(journal, cases[0], 2, start_s=50.0)
    journal.close()
    file = assemble(path)
    assert [[entry.round for entry in case.trials] for case in file.cases] == [[1, 2], [1]]
    assert {notice.code: notice.value for notice in file.notices}[Code.RUN_INCOMPLETE] == 1


@pytest.mark.parametrize(("own", "of_trial", "bound"), [("0-1", "0", True), ("0-1", "0-1", False), ("", "0", False)])
def test_a_case_whose_trials_a_library_bound_to_fewer_cores_has_a_notice(path, own, of_trial, bound):
    planned = planned_run(rounds=1)
    cpu = planned.machine.cpu.model_copy(update={"affinity": own})
    planned = planned.model_copy(update={"machine": planned.machine.model_copy(update={"cpu": cpu})})
    journal = Journal(path, planned)
    journal.trial(planned.cases[0], trial(readings=()).model_copy(update={"environment": {"affinity": of_trial}}))
    journal.close()
    notices = {notice.code: notice.value for notice in assemble(path).cases[0].notices}
    assert notices.get(Code.THREADS_BOUND) == ("0 instead of 0-1" if bound else None)
