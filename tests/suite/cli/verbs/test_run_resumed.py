"""`joulemark run --resume`: after a kill, a signal or Ctrl-C, at any time, and by one process only."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import datetime, timedelta

import pytest
from command import FAST, environment, joulemark, start, wait_for
from interrupted_runs import MATMUL, files, show, trials

from joulemark.suite.energy.totals import run_totals, sampled_windows
from joulemark.suite.notices import Code
from joulemark.suite.results.run_files import read

pytestmark = pytest.mark.slow
pytest.importorskip("torch")
pytest.importorskip("tensorflow")


@pytest.fixture(autouse=True)
def fast_profile(tmp_path):
    (tmp_path / "joulemark.toml").write_text(FAST)


def test_resumed_run_keeps_its_trials_and_finishes(tmp_path):
    running = start(tmp_path, *MATMUL, "--rounds", "2", "--latency")
    wait_for(running, "[1/4]")
    running.kill()
    running.communicate()
    before = show(tmp_path)
    assert joulemark(tmp_path, "run", "--resume", "latest", "--rounds", "5").returncode == 2
    assert len(list((tmp_path / "tmp").iterdir())) == 1, "a killed run leaves its scratch directory"
    done = joulemark(tmp_path, "run", "--resume", "latest", "--json", "--no-report")
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "tmp").iterdir()) == [], "the next run does not remove it"
    after = json.loads(done.stdout)
    assert after["run"]["id"] == before["run"]["id"]
    assert after["run"]["complete"] is True
    assert len(after["run"]["segments"]) == 2
    assert len(trials(before)) >= 1
    assert all(trial in trials(after) for trial in trials(before)), "a finished trial changed"
    for case in after["cases"]:
        assert sorted(trial["round"] for trial in case["trials"]) == [1, 2]
        assert case["summary"]["energy_per_item_j"]["n"] == 2
    for trial in trials(after):
        assert trial["latency"]["p50_s"] <= trial["latency"]["p95_s"] <= trial["latency"]["p99_s"]
    assert files(tmp_path) == [".json", ".parquet"]


def test_times_do_not_go_back_where_the_clock_did(tmp_path):
    """A machine without a clock battery was a day ahead: here the run's start is moved a day ahead instead."""
    running = start(tmp_path, *MATMUL, "--rounds", "2")
    wait_for(running, "[1/4]")
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=60)
    (path,) = (tmp_path / "runs").glob("*.json")
    document = json.loads(path.read_text())
    started_at = datetime.fromisoformat(document["run"]["started_at"]) + timedelta(days=1)
    document["run"]["started_at"] = started_at.isoformat(timespec="milliseconds")
    path.write_text(json.dumps(document))
    before = read(path)
    done = joulemark(tmp_path, "run", "--resume", "latest", "--no-report")
    assert done.returncode == 0, done.stderr
    after = read(path)
    assert Code.CLOCK_SET_BACK in {notice.code for notice in after.notices}
    assert after.run.finished_at is not None
    finished_s = (datetime.fromisoformat(after.run.finished_at) - started_at).total_seconds()
    first, second = (segment.at_s for segment in after.run.segments)
    ends = [trial.ended_s for case in before.cases for trial in case.trials]
    assert first < 1.0
    assert second >= max(ends)
    assert finished_s > max(trial.ended_s for case in after.cases for trial in case.trials)
    windows = sampled_windows(after)
    assert len(windows) == 2
    assert windows[0] == sampled_windows(before)[0]
    assert second <= windows[1][0] < windows[1][1] <= finished_s
    assert run_totals(after).run.energy_j > run_totals(before).run.energy_j


def test_a_run_that_another_machine_measures_is_not_resumed(tmp_path):
    """Two machines with one home have a lock of their own each."""
    running = start(tmp_path, *MATMUL, "--rounds", "2")
    wait_for(running, "[1/4]")
    done = joulemark(tmp_path, "run", "--resume", "latest", variables={"JOULEMARK_LOCK": str(tmp_path / "other")})
    running.kill()
    running.communicate()
    assert done.returncode == 2
    assert "is being measured by another process, maybe on another machine" in done.stderr
    assert files(tmp_path) == [".journal", ".trace"]


def test_run_in_progress_cannot_be_resumed(tmp_path):
    running = start(tmp_path, *MATMUL, "--rounds", "2", "--json")
    wait_for(running, "[1/4]")
    for more in ((), ("--dry-run",)):
        done = joulemark(tmp_path, "run", "--resume", "latest", *more)
        assert done.returncode == 2
        assert "is measuring on this machine" in done.stderr
    stdout, _ = running.communicate(timeout=120)
    assert running.returncode == 0
    assert [len(case["trials"]) for case in json.loads(stdout)["cases"]] == [2, 2]


def test_resume_takes_no_options_but_ignores_the_environment(tmp_path):
    variables = {"JOULEMARK_PROFILE": "ci", "JOULEMARK_ZONE": "CH", "JOULEMARK_THREADS": "1"}
    assert joulemark(tmp_path, "list", variables=variables).returncode == 0
    assert "no run 'latest'" in joulemark(tmp_path, "run", "--resume", "latest", variables=variables).stderr
    assert "leave out --zone" in joulemark(tmp_path, "run", "--resume", "latest", "--zone", "DE").stderr
    assert "leave out -k" in joulemark(tmp_path, "run", "--resume", "latest", "-k", "cnn").stderr


AT_EVENT = """
import os, signal, subprocess, sys
from pathlib import Path
def claim(journal):
    code = "import sys; from pathlib import Path; from joulemark.suite.records.journal import claim\\n"
    code += "with claim(Path(sys.argv[1])): pass"
    subprocess.run([sys.executable, "-P", "-c", code, journal])
def hook(name, values):
    if name == event and any(str(each).endswith(suffix) for each in values) and os.path.exists(values[0]):
        os.kill(os.getpid(), signal.SIGKILL) if act == "kill" else claim(Path(values[1]).with_suffix(".journal"))
act, event, suffix = sys.argv[1:4]
sys.addaudithook(hook)
sys.argv = ["joulemark", *sys.argv[4:]]
from joulemark.suite.cli.app import main
main()
"""


def run_until(home, act, event, suffix):
    """Run two trials; `act` where the interpreter reports `event` for a file with this suffix."""
    arguments = [act, event, suffix, *MATMUL, "--framework", "pytorch", "--rounds", "2"]
    command = [sys.executable, "-P", "-c", AT_EVENT, *arguments]
    return subprocess.run(command, env=environment(home), cwd=home, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("event", "suffix"), [("os.rename", ".json"), ("os.remove", ".journal"), ("os.remove", ".trace")]
)
def test_a_run_killed_after_its_last_trial_is_finished_by_resume(tmp_path, event, suffix):
    """A gate that resumes until the exit code is 0 gets there, however often it asks."""
    assert run_until(tmp_path, "kill", event, suffix).returncode == -signal.SIGKILL
    assert len(trials(show(tmp_path))) == 2
    dry = joulemark(tmp_path, "run", "--resume", "latest", "--dry-run")
    assert (dry.returncode, "nothing left to measure" in dry.stderr) == (2, True)
    for _ in range(2):
        done = joulemark(tmp_path, "run", "--resume", "latest", "--json", "--no-report")
        assert done.returncode == 0, done.stderr
        assert "is complete" in done.stderr
        document = json.loads(done.stdout)
        assert document["run"]["complete"] is True
        assert len(trials(document)) == 2
        assert all(trial["energy"] for trial in trials(document))
        assert files(tmp_path) == [".json", ".parquet"]


def test_no_other_process_finishes_a_run_whose_file_is_being_written(tmp_path):
    done = run_until(tmp_path, "claim", "os.rename", ".json")
    assert done.returncode == 0, done.stderr
    assert "is being measured by another process" in done.stderr
    assert len(trials(show(tmp_path))) == 2


def test_a_run_that_lost_a_trial_does_not_end_as_if_it_had_not(tmp_path):
    running = start(tmp_path, *MATMUL, "--framework", "pytorch", "--rounds", "2")
    wait_for(running, "[1/2]")
    (journal,) = (tmp_path / "runs").glob("*.journal")
    with journal.open("r+b") as file:  # a disk error; the writer does not see it
        lines = file.read().splitlines(keepends=True)
        number = next(number for number, line in enumerate(lines) if line.startswith(b'{"trial"'))
        file.seek(sum(map(len, lines[:number])) + len(lines[number]) // 2)
        file.write(b"\0\0\0\0")
    errors = running.communicate(timeout=120)[1]
    assert running.returncode == 4, errors
    assert "is not complete" in errors
    assert "--resume" in errors
    done = joulemark(tmp_path, "run", "--resume", "latest", "--json", "--no-report")
    assert done.returncode == 0, done.stderr
    assert len(trials(json.loads(done.stdout))) == 2


def test_a_measured_command_is_not_resumed(tmp_path):
    command = ("measure", "--sensor", "simulated:rapl/constant", "--no-report", "--rounds", "2", "--")
    running = start(tmp_path, *command, "sh", "-c", "echo ready >&2; exec sleep 10")
    wait_for(running, "ready")
    running.kill()
    running.communicate()
    done = joulemark(tmp_path, "run", "--resume", "latest")
    assert done.returncode == 2
    assert "a command, which cannot be resumed" in done.stderr
