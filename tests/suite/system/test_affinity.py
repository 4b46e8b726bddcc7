"""The cores that a trial may run on are read back: a library that binds threads does not go unnoticed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import faulty_trials
import pytest
from environments import require

from joulemark.suite.system.affinity import allowed_cores, as_ranges
from joulemark.suite.trial.fork_server_client import ForkServer


@pytest.mark.parametrize(
    ("numbers", "text"),
    [({0}, "0"), ({0, 1}, "0-1"), ({7, 0, 1, 2, 5}, "0-2,5,7"), (set(range(64)), "0-63"), (set(), "")],
)
def test_cores_are_ranges(numbers, text):
    assert as_ranges(numbers) == text


def test_cores_are_those_of_the_kernel():
    code = "from joulemark.suite.system.affinity import allowed_cores; print(allowed_cores())"
    cores = min(os.sched_getaffinity(0))
    done = subprocess.run(
        ["taskset", "-c", str(cores), sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True
    )
    assert done.stdout.strip() == str(cores)
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if "Cpus_allowed_list" in line)
    assert line.split()[1] == allowed_cores()


@pytest.mark.slow
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core: there is nothing to bind to")
@pytest.mark.parametrize("binds", [False, True])
def test_a_trial_has_the_cores_that_its_libraries_left_it(tmp_path, binds):
    """PyTorch's OpenMP reads its variables while it is imported: here a start-up file of the interpreter sets one."""
    require("torch")
    first = min(os.sched_getaffinity(0))
    if binds:
        (tmp_path / "sitecustomize.py").write_text(f"import os; os.environ['GOMP_CPU_AFFINITY'] = '{first}'")
    # The user's own variable does not reach the trial.
    variables = faulty_trials.variables(tmp_path, tmp_path / "pid", {"GOMP_CPU_AFFINITY": str(first)})
    variables["PYTHONPATH"] = os.pathsep.join([str(tmp_path), variables["PYTHONPATH"]])
    server = ForkServer("pytorch", variables)
    try:
        server.wait_ready()
        outcome = server.run(faulty_trials.request("none"), 60.0)
    finally:
        server.close()
    assert outcome.trial is not None, outcome.reason
    assert outcome.trial["environment"]["affinity"] == (str(first) if binds else allowed_cores())
