"""A run ends with whoever started it, however that ends, and finishes first what it has."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from joulemark.suite.trial.processes import child_environment

pytestmark = pytest.mark.slow

SUPERVISED = """
import signal, subprocess, sys, time
def finish(*_):
    open(sys.argv[1], "w").write("finished")
    sys.exit(130)
signal.signal(signal.SIGTERM, finish)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print("ready", flush=True)
time.sleep(600)
"""
"""Leaves a process behind, in a session of its own."""
STARTER = "import subprocess, sys; subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE).wait()"


def supervisor(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "joulemark.suite.cluster.supervisor", *words]


def exit_code(program: str) -> int:
    """Return the exit code of a supervised program, whose supervisor's input stays open."""
    words = supervisor(sys.executable, "-c", program)
    with subprocess.Popen(words, env=child_environment(), stdin=subprocess.PIPE) as started:
        return started.wait(120)


def test_the_exit_code_is_that_of_the_command() -> None:
    assert exit_code("raise SystemExit(4)") == 4


def test_a_killed_command_has_the_code_of_a_shell() -> None:
    assert exit_code("import os; os.kill(os.getpid(), 9)") == 137


@pytest.mark.parametrize("how", ["end of input", "starter killed", "supervisor killed"])
def test_the_command_is_interrupted_and_nothing_is_left(tmp_path: Path, how: str) -> None:
    command = supervisor(sys.executable, "-c", SUPERVISED, str(tmp_path / "result"))
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, *command] if how == "starter killed" else command,
        env=child_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as started:
        assert started.stdout is not None
        assert started.stdin is not None
        assert started.stdout.readline() == b"ready\n"
        descendants = psutil.Process(started.pid).children(recursive=True)
        own = [each for each in descendants if SUPERVISED in each.cmdline()]
        if how == "end of input":
            started.stdin.close()
        else:
            started.send_signal(signal.SIGKILL)
        # What the command has left behind is ended by the supervisor: the kernel ends only the command with that.
        _, alive = psutil.wait_procs(own if how == "supervisor killed" else descendants, timeout=120)
        assert alive == []
        assert (tmp_path / "result").read_text() == "finished"
        for each in descendants:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
