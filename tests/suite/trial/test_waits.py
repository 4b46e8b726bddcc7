"""Every wait for a helper has an end, whatever the helper does, and helpers end with their parent."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from joulemark.suite.trial import processes
from joulemark.suite.trial.discover import run_module
from joulemark.suite.trial.fork_server_client import ForkServer, ForkServerError

pytestmark = pytest.mark.slow


def script(tmp_path: Path, text: str) -> str:
    """Return the path of a shell script that stands for an interpreter."""
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def wait_until_gone(pid: int) -> None:
    deadline_s = time.monotonic() + 30
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def test_half_an_answer_is_none(tmp_path: Path) -> None:
    (tmp_path / "half.py").write_text("import time; print('{', end='', flush=True); time.sleep(10); print('}')\n")
    process = processes.start_module("half", {**os.environ, "PYTHONPATH": str(tmp_path)})
    assert processes.receive_json(process, timeout_s=3.0) is None
    assert process.poll() is None  # the wait ended before the child
    processes.stop(process, timeout_s=0.0)


def test_what_an_interpreter_leaves_behind_is_not_waited_for(tmp_path: Path) -> None:
    python = script(tmp_path, f"sleep 300 & echo $! > {tmp_path}/pid; echo '{{}}'")
    assert run_module(python, "interpreter", [], 60.0) == {}
    left_behind = int((tmp_path / "pid").read_text())
    wait_until_gone(left_behind)


def test_an_interpreter_that_does_not_end_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no answer within 1 s"):
        run_module(script(tmp_path, "sleep 300 & sleep 300"), "interpreter", [], 1.0)


def test_a_fork_server_that_hangs_up_and_goes_on_is_given_up(tmp_path: Path) -> None:
    """Its first line of standard error is the reason: it was not waited for until it said more."""
    hangs_up = "import os, sys, time; os.close(int(sys.argv[5])); os.write(2, b'broken\\n'); time.sleep(60)"
    python = script(tmp_path, f'exec {sys.executable} -c "{hangs_up}; os.write(2, b\'late\')" "$@"')
    server = ForkServer("pytorch", dict(os.environ), python=python)
    with pytest.raises(ForkServerError, match="broken"):
        server.wait_ready()


PARENT = """
import os, signal, subprocess, sys
from joulemark.suite.trial import processes
child = processes.start_module("waits")
holder = subprocess.Popen(["sleep", "60"], pass_fds=[child.stdin.fileno()], stdout=subprocess.DEVNULL)
child.stdout.readline()
print(child.pid, holder.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_helper_ends_with_its_parent_though_its_input_is_held_open(tmp_path: Path) -> None:
    """As in a system without prctl(2)."""
    waits = "from joulemark.suite.trial import processes; print(flush=True); processes.wait_for_end_of_input()"
    (tmp_path / "waits.py").write_text(waits)
    done = subprocess.run(
        [sys.executable, "-c", PARENT],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        check=False,
    )
    helper, holder = map(int, done.stdout.split())
    try:
        wait_until_gone(helper)
        assert psutil.pid_exists(holder)
    finally:
        os.kill(holder, 9)
