"""Starting fork servers, and what becomes of a server, an interpreter or a runner that ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import psutil
import pytest
from environments import require
from faulty_trials import LIMIT_S, request
from places import ROOT, SUPPORT

from joulemark.suite.trial.fork_server_client import ForkServer, ForkServerError
from joulemark.suite.trial.outcome import Outcome

require("torch")


def run_spawned(variables: dict[str, str], fault: str) -> Outcome:
    spawned = ForkServer("pytorch", variables, isolation="spawn")
    spawned.wait_ready()
    try:
        return spawned.run(request(fault), LIMIT_S)
    finally:
        spawned.close()


def test_a_spawned_trial_gives_the_same_result_as_a_forked_one(server, variables):
    outcome = run_spawned(variables, "none")
    assert outcome.trial is not None, outcome.reason
    assert outcome.trial["result"] == server.run(request("none"), LIMIT_S).trial["result"]


@pytest.mark.parametrize(("fault", "how"), [("exits", "exit status 7"), ("segfault", "SIGSEGV")])
def test_a_spawned_trial_that_crashes_has_its_reason(variables, fault, how):
    outcome = run_spawned(variables, fault)
    assert outcome.reason_code == "crashed"
    assert how in outcome.reason


def test_a_killed_server_is_an_error_and_not_a_hang(variables):
    killed = ForkServer("pytorch", variables)
    killed.wait_ready()
    psutil.Process(killed.pid).kill()
    with pytest.raises(ForkServerError):
        killed.run(request("none"), LIMIT_S)
    killed.close()


def test_a_missing_interpreter_is_an_error(variables):
    with pytest.raises(ForkServerError, match="/nowhere/python"):
        ForkServer("pytorch", variables, python="/nowhere/python")


def test_an_interpreter_without_joulemark_names_what_it_lacks(variables):
    without_path = {name: value for name, value in variables.items() if name != "PYTHONPATH"}
    bare = ForkServer("pytorch", without_path, python="/usr/bin/python3")
    with pytest.raises(ForkServerError, match="joulemark"):
        bare.wait_ready()


RUNNER = """
import os
from faulty_trials import LIMIT_S, request
from joulemark.suite.trial.fork_server_client import ForkServer
server = ForkServer("pytorch", dict(os.environ))
server.wait_ready()
print(server.pid, flush=True)
server.run(request("hang"), 600)
"""


def test_server_and_trial_end_when_the_runner_is_killed(variables, tmp_path):
    path = f"{variables['PYTHONPATH']}:{ROOT}:{SUPPORT}"
    runner = subprocess.Popen(
        [sys.executable, "-c", RUNNER], env={**variables, "PYTHONPATH": path}, stdout=subprocess.PIPE, text=True
    )
    server = psutil.Process(int(runner.stdout.readline()))
    deadline = time.monotonic() + LIMIT_S
    while not server.children() and time.monotonic() < deadline:
        time.sleep(0.05)
    family = [server, *server.children(recursive=True)]
    assert len(family) >= 2
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    runner.stdout.close()
    _, alive = psutil.wait_procs(family, timeout=LIMIT_S)
    assert alive == []
