"""`joulemark run` ended by a signal or Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import time

import psutil
import pytest
from command import COMMAND, FAST, environment, start, wait_for
from environments import require
from interrupted_runs import TWO_CASES, files, show, trials

pytestmark = pytest.mark.slow
require("torch")


@pytest.fixture(autouse=True)
def fast_profile(tmp_path):
    (tmp_path / "joulemark.toml").write_text(FAST)


def test_a_signal_keeps_finished_trials_ends_all_processes_and_leaves_no_scratch(tmp_path):
    """Ctrl-C; `test_stop_signals.py` shows that others act as it does."""
    running = start(tmp_path, *TWO_CASES, "--rounds", "3")
    wait_for(running, "[1/6]")
    descendants = psutil.Process(running.pid).children(recursive=True)
    # As timeout(1) and a terminal do: to the process, and to its group.
    running.send_signal(signal.SIGINT)
    running.send_signal(signal.SIGINT)
    _, stderr = running.communicate(timeout=300)
    assert running.returncode == 130, stderr
    assert "continue with --resume" in stderr
    assert "Traceback" not in stderr
    assert psutil.wait_procs(descendants, timeout=60)[1] == []
    document = show(tmp_path)
    assert document["run"]["complete"] is False
    assert len(trials(document)) >= 1
    assert files(tmp_path) == [".json", ".parquet"]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_signal_to_all_processes_of_a_job_does_not_make_a_trial_fail(tmp_path):
    """Slurm and systemd send SIGTERM so: the trial may end before the run knows why."""
    running = start(tmp_path, *TWO_CASES, "--rounds", "3")
    wait_for(running, "[1/6]")
    for process in psutil.Process(running.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    running.terminate()
    _, stderr = running.communicate(timeout=300)
    assert running.returncode == 130, stderr
    assert "continue with --resume" in stderr
    assert "Traceback" not in stderr
    assert {trial["status"] for trial in trials(show(tmp_path))} == {"ok"}
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_closed_terminal_ends_a_run_and_keeps_what_is_finished(tmp_path):
    """The kernel sends SIGHUP, and writing to the terminal fails from then on."""
    ours, theirs = pty.openpty()
    take_terminal = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    running = subprocess.Popen(
        [*COMMAND[:-1], take_terminal + COMMAND[-1], *TWO_CASES, "--rounds", "3"],
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
    descendants = psutil.Process(running.pid).children(recursive=True)
    os.close(ours)
    assert running.wait(300) == 130
    assert psutil.wait_procs(descendants, timeout=60)[1] == []
    assert files(tmp_path) == [".json", ".parquet"]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_signal_before_the_first_trial_leaves_no_run(tmp_path):
    running = start(tmp_path, *TWO_CASES)
    wait_for(running, "cases x")
    time.sleep(0.3)  # idle power is being measured
    running.send_signal(signal.SIGTERM)
    _, stderr = running.communicate(timeout=300)
    assert running.returncode == 130
    assert stderr.startswith("joulemark: interrupted")
    assert len(stderr.splitlines()) == 1
    assert list((tmp_path / "runs").iterdir()) == []
