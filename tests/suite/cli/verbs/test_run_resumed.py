"""`joulemark run --resume`: after a kill, a signal or Ctrl-C, at any time, and by one process only."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
from command import FAST_ROUNDS, environment, joulemark, start, wait_for
from environments import require
from interrupted_runs import MATMUL, TWO_CASES, files, show, trials

from joulemark.suite.energy.totals import run_totals, sampled_windows
from joulemark.suite.notices import Code
from joulemark.suite.results.assemble import finish
from joulemark.suite.results.run_files import read

pytestmark = pytest.mark.slow
require("torch")

RESUME = ("run", "--resume", "latest")


class Killed(NamedTuple):
    """A run that was killed after the first of its four trials."""

    home: Path
    answers: dict[str, subprocess.CompletedProcess[str]]
    """What others were answered before."""
    alive: list[psutil.Process]
    """Those of its processes that did not end with it."""
    finished: int
    """Trials that it had said to be finished: one, or more where we were late to stop it."""


@pytest.fixture
def home(tmp_path):
    (tmp_path / "joulemark.toml").write_text(FAST_ROUNDS)
    return tmp_path


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    home = tmp_path_factory.mktemp("killed")
    (home / "joulemark.toml").write_text(FAST_ROUNDS)
    running = start(home, *TWO_CASES, "--rounds", "2")
    wait_for(running, "[1/4]")
    running.send_signal(signal.SIGSTOP)  # it goes no further while others ask
    answers = {
        "new run": joulemark(home, *MATMUL),
        "resume": joulemark(home, *RESUME),
        "dry run": joulemark(home, *RESUME, "--dry-run"),
        "on another machine": joulemark(home, *RESUME, variables={"JOULEMARK_LOCK": str(home / "other")}),
    }
    assert files(home) == [".journal", ".trace"]
    descendants = psutil.Process(running.pid).children(recursive=True)
    running.kill()
    finished = 1 + running.communicate()[1].count("/4]")
    _, alive = psutil.wait_procs(descendants, timeout=60)
    shutil.copytree(home / "runs", home / "copy")
    return Killed(home, answers, alive, finished)


@pytest.mark.parametrize(
    ("who", "text"),
    [
        ("new run", "is measuring on this machine"),
        ("resume", "is measuring on this machine"),
        ("dry run", "is measuring on this machine"),
        # Two machines with one home have a lock of their own each.
        ("on another machine", "is being measured by another process, maybe on another machine"),
    ],
)
def test_run_in_progress_is_nobody_elses(killed: Killed, who: str, text: str) -> None:
    answer = killed.answers[who]
    assert answer.returncode == 2
    assert text in answer.stderr


def test_killed_run_has_every_finished_trial(killed: Killed, home: Path) -> None:
    assert killed.alive == [], "processes of a killed run go on"
    shutil.copytree(killed.home / "copy", home / "runs")
    document = show(home)
    assert document["run"]["complete"] is False
    assert len(trials(document)) in (killed.finished, killed.finished + 1), "each is kept before it is shown"
    assert {trial["status"] for trial in trials(document)} == {"ok"}
    assert any(reading["energy_j"] for trial in trials(document) for reading in trial["energy"])
    assert "run_incomplete" in {notice["code"] for notice in document["notices"]}
    assert joulemark(home, "report", "latest", "-o", "page.html").returncode == 0


def test_resumed_run_keeps_its_trials_and_finishes(killed: Killed) -> None:
    home = killed.home
    before = show(home)
    assert joulemark(home, *RESUME, "--rounds", "5").returncode == 2
    assert len(list((home / "tmp").iterdir())) == 1, "a killed run leaves its scratch directory"
    done = joulemark(home, *RESUME, "--json", "--no-report")
    assert done.returncode == 0, done.stderr
    assert list((home / "tmp").iterdir()) == [], "the next run does not remove it"
    after = json.loads(done.stdout)
    assert after["run"]["id"] == before["run"]["id"]
    assert after["run"]["complete"] is True
    assert len(after["run"]["segments"]) == 2
    assert 1 <= len(trials(before)) < 4
    assert all(trial in trials(after) for trial in trials(before)), "a finished trial changed"
    for case in after["cases"]:
        assert sorted(trial["round"] for trial in case["trials"]) == [1, 2]
        assert case["summary"]["energy_per_item_j"]["n"] == 2
    assert files(home) == [".json", ".parquet"]


def test_resume_takes_no_options_but_ignores_the_environment(home: Path) -> None:
    variables = {"JOULEMARK_PROFILE": "ci", "JOULEMARK_ZONE": "CH", "JOULEMARK_THREADS": "1"}
    assert joulemark(home, "list", variables=variables).returncode == 0
    assert "no run 'latest'" in joulemark(home, *RESUME, variables=variables).stderr
    assert "leave out --zone" in joulemark(home, *RESUME, "--zone", "DE").stderr
    assert "leave out -k" in joulemark(home, *RESUME, "-k", "cnn").stderr


AT_EVENT = """
import os, signal, subprocess, sys
from pathlib import Path
def claim(journal):
    code = "import sys; from pathlib import Path; from joulemark.suite.records.journal import claim\\n"
    code += "with claim(Path(sys.argv[1])): pass"
    subprocess.run([sys.executable, "-P", "-c", code, journal])
def hook(name, values):
    if name == event and any(str(each).endswith(suffix) for each in values) and os.path.exists(values[0]):
        if event == "os.rename":
            claim(Path(values[1]).with_suffix(".journal"))
        os.kill(os.getpid(), signal.SIGKILL)
event, suffix = sys.argv[1:3]
sys.addaudithook(hook)
sys.argv = ["joulemark", *sys.argv[3:]]
from joulemark.suite.cli.app import main
main()
"""


def run_until(home: Path, event: str, suffix: str, *arguments: str) -> str:
    """Run a command that is killed where the interpreter reports `event` for a file with this suffix; return its
    errors. Before it renames a file, another process claims the journal."""
    command = [sys.executable, "-P", "-c", AT_EVENT, event, suffix, *arguments]
    done = subprocess.run(command, env=environment(home), cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The home of a run that was killed when its file was to be renamed, and what was printed."""
    home = tmp_path_factory.mktemp("measured")
    (home / "joulemark.toml").write_text(FAST_ROUNDS)
    return home, run_until(home, "os.rename", ".json", *MATMUL, "--rounds", "2")


def test_no_other_process_finishes_a_run_whose_file_is_being_written(measured: tuple[Path, str]) -> None:
    assert "is being measured by another process" in measured[1]


@pytest.mark.parametrize(
    ("event", "suffix"), [("os.rename", ".json"), ("os.remove", ".journal"), ("os.remove", ".trace")]
)
def test_a_run_killed_after_its_last_trial_is_finished_by_resume(
    measured: tuple[Path, str], home: Path, event: str, suffix: str
) -> None:
    """A gate that resumes until the exit code is 0 gets there, however often it asks and is killed."""
    shutil.copytree(measured[0] / "runs", home / "runs")
    if event != "os.rename":
        run_until(home, event, suffix, *RESUME)
    assert len(trials(show(home))) == 2
    dry = joulemark(home, *RESUME, "--dry-run")
    assert (dry.returncode, "nothing left to measure" in dry.stderr) == (2, True)
    for _ in range(2):
        done = joulemark(home, *RESUME, "--json", "--no-report")
        assert done.returncode == 0, done.stderr
        assert "is complete" in done.stderr
        document = json.loads(done.stdout)
        assert document["run"]["complete"] is True
        assert len(trials(document)) == 2
        assert all(trial["energy"] for trial in trials(document))
        assert files(home) == [".json", ".parquet"]


def test_times_do_not_go_back_where_the_clock_did(measured: tuple[Path, str], home: Path) -> None:
    """A machine without a clock battery was a day ahead: here the run's start is moved a day ahead instead."""
    shutil.copytree(measured[0] / "runs", home / "runs")
    (journal,) = (home / "runs").glob("*.journal")
    lines = journal.read_bytes().splitlines(keepends=True)
    second_trial = max(number for number, line in enumerate(lines) if line.startswith(b'{"trial"'))
    journal.write_bytes(b"".join(lines[:second_trial]))
    path = finish(journal)
    document = json.loads(path.read_text())
    started_at = datetime.fromisoformat(document["run"]["started_at"]) + timedelta(days=1)
    document["run"]["started_at"] = started_at.isoformat(timespec="milliseconds")
    path.write_text(json.dumps(document))
    before = read(path)
    done = joulemark(home, *RESUME, "--no-report")
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


def test_a_run_that_lost_a_trial_does_not_end_as_if_it_had_not(home: Path) -> None:
    running = start(home, *MATMUL, "--rounds", "2")
    wait_for(running, "[1/2]")
    (journal,) = (home / "runs").glob("*.journal")
    with journal.open("r+b") as file:  # a disk error; the writer does not see it
        lines = file.read().splitlines(keepends=True)
        number = next(number for number, line in enumerate(lines) if line.startswith(b'{"trial"'))
        file.seek(sum(map(len, lines[:number])) + len(lines[number]) // 2)
        file.write(b"\0\0\0\0")
    errors = running.communicate(timeout=300)[1]
    assert running.returncode == 4, errors
    assert "is not complete" in errors
    assert "--resume" in errors
    done = joulemark(home, *RESUME, "--json", "--no-report")
    assert done.returncode == 0, done.stderr
    assert len(trials(json.loads(done.stdout))) == 2


def test_a_measured_command_is_not_resumed(home: Path) -> None:
    command = ("measure", "--sensor", "simulated:rapl/constant", "--no-report", "--rounds", "2", "--")
    running = start(home, *command, "sh", "-c", "echo ready >&2; exec sleep 10 >/dev/null 2>&1")
    wait_for(running, "ready")
    running.kill()
    running.communicate()
    done = joulemark(home, *RESUME)
    assert done.returncode == 2
    assert "a command, which cannot be resumed" in done.stderr
