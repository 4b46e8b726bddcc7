"""`joulemark run` ended by a kill, a signal or Ctrl-C, and `--resume`."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import time
from datetime import datetime, timedelta

import psutil
import pytest
from command import COMMAND, FAST, environment, joulemark, start, wait_for

from joulemark.suite.energy.totals import run_totals, sampled_windows
from joulemark.suite.notices import Code
from joulemark.suite.records import read

pytestmark = pytest.mark.slow
pytest.importorskip("torch")
pytest.importorskip("tensorflow")

MATMUL = ("run", "--profile", "fast", "--zone", "CH", "--workload", "matmul", "--no-report")
"""Two cases, one per framework."""


@pytest.fixture(autouse=True)
def fast_profile(tmp_path):
    (tmp_path / "joulemark.toml").write_text(FAST)


def show(home):
    shown = joulemark(home, "show", "latest", "--json")
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout)


def trials(document):
    return [trial for case in document["cases"] for trial in case["trials"]]


def files(home):
    return sorted(path.suffix for path in (home / "runs").iterdir())


def test_killed_run_has_every_finished_trial(tmp_path):
    running = start(tmp_path, *MATMUL, "--rounds", "3")
    wait_for(running, "[2/6]")
    descendants = psutil.Process(running.pid).children(recursive=True)
    running.kill()
    running.communicate()
    _, alive = psutil.wait_procs(descendants, timeout=10)
    assert alive == [], "processes of a killed run go on"
    document = show(tmp_path)
    assert document["run"]["complete"] is False
    assert [trial["status"] for trial in trials(document)] == ["ok", "ok"]
    assert all(
        reading["energy_j"] for trial in trials(document) for reading in trial["energy"] if reading["attributed"]
    )
    assert "run_incomplete" in {notice["code"] for notice in document["notices"]}
    assert joulemark(tmp_path, "report", "latest", "-o", "page.html").returncode == 0


def test_a_second_run_is_refused(tmp_path):
    running = start(tmp_path, *MATMUL, "--rounds", "3")
    wait_for(running, "[1/6]")
    refused = joulemark(tmp_path, *MATMUL)
    running.kill()
    running.communicate()
    assert refused.returncode == 2
    assert f"process {running.pid} is measuring on this machine" in refused.stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_keeps_finished_trials_ends_all_processes_and_leaves_no_scratch(tmp_path, how):
    running = start(tmp_path, *MATMUL, "--rounds", "3")
    wait_for(running, "[1/6]")
    descendants = psutil.Process(running.pid).children(recursive=True)
    # As timeout(1) and a terminal do: to the process, and to its group.
    running.send_signal(how)
    running.send_signal(how)
    _, stderr = running.communicate(timeout=60)
    assert running.returncode == 130, stderr
    assert "continue with --resume" in stderr
    assert "Traceback" not in stderr
    assert psutil.wait_procs(descendants, timeout=10)[1] == []
    document = show(tmp_path)
    assert document["run"]["complete"] is False
    assert len(trials(document)) >= 1
    assert files(tmp_path) == [".json", ".parquet"]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_signal_to_all_processes_of_a_job_does_not_make_a_trial_fail(tmp_path):
    """Slurm and systemd send it so: the trial may end before the run knows why."""
    running = start(tmp_path, *MATMUL, "--rounds", "3")
    wait_for(running, "[1/6]")
    for process in psutil.Process(running.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    running.terminate()
    _, stderr = running.communicate(timeout=60)
    assert running.returncode == 130, stderr
    assert {trial["status"] for trial in trials(show(tmp_path))} == {"ok"}
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_closed_terminal_ends_a_run_and_keeps_what_is_finished(tmp_path):
    """The kernel sends SIGHUP, and writing to the terminal fails from then on."""
    ours, theirs = pty.openpty()
    take_terminal = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    running = subprocess.Popen(
        [*COMMAND[:-1], take_terminal + COMMAND[-1], *MATMUL, "--rounds", "3"],
        env=environment(tmp_path, TERM="xterm"),
        cwd=tmp_path,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    printed = b""
    while b"1/6  round" not in printed:
        printed += os.read(ours, 65536)
    os.close(ours)
    assert running.wait(60) == 130
    assert files(tmp_path) == [".json", ".parquet"]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_signal_before_the_first_trial_leaves_no_run(tmp_path):
    running = start(tmp_path, *MATMUL)
    wait_for(running, "cases x")
    time.sleep(0.3)  # idle power is being measured
    running.send_signal(signal.SIGTERM)
    _, stderr = running.communicate(timeout=60)
    assert running.returncode == 130
    assert stderr.startswith("joulemark: interrupted")
    assert len(stderr.splitlines()) == 1
    assert list((tmp_path / "runs").iterdir()) == []


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
    again = joulemark(tmp_path, "run", "--resume", "latest")
    assert again.returncode == 2
    assert "is complete" in again.stderr


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
