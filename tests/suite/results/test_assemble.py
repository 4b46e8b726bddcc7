"""The journal: what was finished is there, whatever happened to the run, and a run file can be made at any time."""

from __future__ import annotations

import pytest
from run_files import case, failed_trial, run_file, trial

from joulemark.suite.errors import UsageError
from joulemark.suite.meter import user_run
from joulemark.suite.notices import Code
from joulemark.suite.records import ArmRecord, Channel, Floor, Idle, Notice, Trace, read
from joulemark.suite.records.journal import SUFFIX, Journal, trace_path
from joulemark.suite.results import store
from joulemark.suite.results.assemble import assemble, complete, finish

PLANNED = [
    case(trials=[], framework=framework, mode=mode).model_copy(
        update={"status": "skipped", "reason_code": "not_attempted", "reason": "not attempted"}
    )
    for framework, mode in (("pytorch", "eager"), ("tensorflow", "graph"))
]
ID = "20261101T120000Z-a1b2"


def planned(rounds: int = 2):
    file = run_file(PLANNED, traces=(), idle=(), floor=())
    return file.model_copy(update={"run": file.run.model_copy(update={"rounds": rounds, "finished_at": None})})


@pytest.fixture
def path(tmp_path):
    return tmp_path / f"{ID}{SUFFIX}"


def written(path, trials: int = 3) -> Journal:
    """A journal of a run of two cases and two rounds, cut off after `trials`."""
    made = Journal(path, planned())
    for number in range(trials):
        made.trial(PLANNED[number % 2], trial(1 + number // 2, start_s=10.0 * (number + 1), readings=()))
    made.close()
    return made


def test_an_interrupted_run_has_its_finished_trials(path):
    written(path)
    file = assemble(path)
    assert [len(entry.trials) for entry in file.cases] == [2, 1]
    assert [entry.status for entry in file.cases] == ["ok", "ok"]
    assert not file.run.complete
    assert {notice.code: notice.value for notice in file.notices}[Code.RUN_INCOMPLETE] == 1


def test_every_planned_trial_makes_it_complete_failed_ones_too(path):
    made = Journal(path, planned(rounds=1))
    made.trial(PLANNED[0], trial())
    made.trial(PLANNED[1], failed_trial())
    made.end("2026-11-01T12:02:00Z")
    made.close()
    file = assemble(path)
    assert file.run.complete
    assert [entry.status for entry in file.cases] == ["ok", "failed"]
    assert file.cases[1].reason_code == "out_of_memory"


def test_a_case_that_was_skipped_on_the_way_is_not_missing(path):
    made = Journal(path, planned(rounds=1))
    made.trial(PLANNED[0], trial())
    made.skipped(PLANNED[1], "unsupported", "needs a board")
    made.close()
    file = assemble(path)
    assert file.run.complete
    assert (file.cases[1].status, file.cases[1].reason) == ("skipped", "needs a board")


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_a_line_that_was_cut_off_loses_that_trial_only(path, cut):
    written(path)
    data = path.read_bytes()
    path.write_bytes(data[:-cut])
    assert [len(entry.trials) for entry in assemble(path).cases] == [1, 1]


def test_finish_writes_the_file_and_leaves_nothing_else(path):
    written(path)
    target = finish(path)
    assert read(target).cases[0].trials
    assert [entry.name for entry in path.parent.iterdir()] == [f"{ID}.json"]


def test_floor_idle_and_notices_are_kept(path):
    made = Journal(path, planned())
    made.floor(Floor(at_s=1.0, arithmetic_s=0.1, copy_s=0.2))
    made.idle(Idle(when="before", window_s=(0.0, 5.0)))
    made.notice(Notice.of(Code.SPAWNED, "pytorch: 2 threads"))
    made.close()
    file = assemble(path)
    assert file.floor[0].copy_s == 0.2
    assert file.idle[0].when == "before"
    assert Code.SPAWNED in {notice.code for notice in file.notices}


def test_a_resumed_run_that_cannot_begin_keeps_what_it_had(path):
    older = path.with_suffix(".json")
    older.write_text("{}")
    made = Journal(path, planned())
    trace_path(path).touch()
    made.forget()
    assert list(path.parent.iterdir()) == [older]


def test_a_journal_is_never_overwritten(path):
    written(path)
    with pytest.raises(UsageError, match="cannot write"):
        Journal(path, planned())


@pytest.mark.parametrize("text", ["", "{}\n", "no json\n", '{"planned": {"schema_version": 7}}\n', "[]\n"])
def test_what_is_no_journal_is_one_line(path, text):
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        assemble(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_run_is_found_by_path_id_beginning_and_latest(path):
    written(path)
    directory = path.parent
    for name in (str(path), ID, "2026", "latest"):
        assert store.load(name, directory).run.id == ID
    other = directory / "20261102T120000Z-ffff.json"
    other.write_text(run_file(id="20261102T120000Z-ffff").model_dump_json())
    assert store.load("latest", directory).run.id == "20261102T120000Z-ffff"
    with pytest.raises(UsageError, match="give more of the id"):
        store.find("2026", directory)
    with pytest.raises(UsageError, match="unknown run"):
        store.find("1999", directory)


def test_a_resumed_run_is_read_from_its_journal(path):
    """Both the older run file and the journal that holds all of it lie there: the journal is the newer one."""
    (path.parent / f"{ID}.json").write_text(run_file(id=ID).model_dump_json())
    written(path)
    assert store.find(ID, path.parent) == path


def test_a_case_that_ran_out_of_time_is_given_up_and_not_missing(path):
    made = Journal(path, planned(rounds=3))
    for number in (1, 2, 3):
        made.trial(PLANNED[0], trial(number, start_s=10.0 * number, readings=()))
    made.trial(PLANNED[1], failed_trial().model_copy(update={"reason_code": "timeout"}))
    made.close()
    file = assemble(path)
    assert file.run.complete
    assert Code.RUN_INCOMPLETE not in {notice.code for notice in file.notices}


@pytest.mark.parametrize(
    ("framework", "arm", "remedy"),
    [
        ("pytorch", None, "`joulemark run --resume RUN` goes on with it."),
        ("pytorch", "b", "`joulemark ab --resume RUN` goes on with it."),
        ("command", None, "Measure it again: a command cannot be gone on with."),
    ],
)
def test_what_goes_on_with_an_interrupted_run_depends_on_its_kind(path, framework, arm, remedy):
    file = planned()
    cases = (file.cases[0].model_copy(update={"framework": framework, "arm": arm}),)
    sides = {arm: ArmRecord(interpreter="python", python="3.11.1", suite_version="0.1.0")} if arm else {}
    Journal(path, file.model_copy(update={"cases": cases, "arms": sides})).close()
    (notice,) = (each for each in assemble(path).notices if each.code == Code.RUN_INCOMPLETE)
    assert (notice.value, notice.remedy) == (2, remedy)


def test_a_command_that_failed_was_not_interrupted(path):
    """It is not run again, as `joulemark measure` says."""
    file = planned(rounds=3)
    case = file.cases[0].model_copy(update={"framework": "command"})
    made = Journal(path, file.model_copy(update={"cases": (case,)}))
    made.trial(case, trial(1, readings=()))
    made.trial(case, failed_trial(2, "exit_code", "it ended with exit code 1"))
    made.close()
    file = assemble(path)
    assert not file.run.complete
    assert Code.RUN_INCOMPLETE not in {notice.code for notice in file.notices}


@pytest.mark.parametrize(("steps", "in_step"), [(1, False), (20, True)])
def test_only_steps_can_keep_pace_with_a_sensor(steps, in_step):
    """A window without marked steps, as long as the sensor's cycle, has no rhythm."""
    times = tuple(i / 10 for i in range(300))
    powers = (300.0,) * len(times)
    channel = Channel(
        component="package", scope="0", unit="W", kind="integrated", tick_s=0.1, coverage=0.25, values=powers
    )
    traces = (Trace(sensor="test", t_s=times, channels=(channel,)),)
    measured = user_run.trial(1, (10.0, 10.0 + 0.1 * steps), steps, (0.1,) * steps if steps > 1 else ())
    file = planned(rounds=1)
    happened = [{"trial": measured.model_dump(mode="json"), "case": file.cases[0].id}]
    made = complete(file, happened, traces).cases[0]
    (energy,) = (each for each in made.trials[0].energy if each.sensor == "test")
    assert energy.in_step == in_step
    assert (Code.NEAR_SENSOR_PERIOD in {notice.code for notice in made.notices}) == in_step
