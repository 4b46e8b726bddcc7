"""The fault drill: whatever a trial does, it ends as one outcome with a reason, and the next trial is intact."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import memory_group
import psutil
import pytest
from places import ROOT, SUPPORT

from joulemark.suite.trial import environment
from joulemark.suite.trial.request import Effort
from joulemark.suite.trial.fork_server_client import Outcome, Zygote, ZygoteError
from joulemark.suite.trial.request import Request

pytest.importorskip("torch")

FAULTY = SUPPORT / "faulty"
EFFORT = Effort(window_s=0.3, warmup_s=0.05, max_warmup_s=0.3, guard_s=0.01)


def request(fault: str, window_s: float = 0.3) -> Request:
    effort = Effort(window_s=window_s, warmup_s=0.05, max_warmup_s=0.3, guard_s=0.01)
    return Request(
        workload="faulty",
        size=fault,
        phase="inference",
        framework="pytorch",
        mode="eager",
        device="cpu",
        precision="fp32",
        batch_size=1,
        threads=1,
        allocator="retain",
        seed=1,
        effort=effort,
    )


@pytest.fixture(scope="module")
def pid_file(tmp_path_factory):
    return tmp_path_factory.mktemp("faults") / "pid"


@pytest.fixture(scope="module")
def variables(tmp_path_factory, pid_file):
    built = environment.build(os.environ, 1, tmp_path_factory.mktemp("scratch"))
    path = os.pathsep.join(filter(None, [str(FAULTY), os.environ.get("PYTHONPATH", "")]))
    return {**built.variables, "PYTHONPATH": path, "FAULTY_PID_FILE": str(pid_file)}


@pytest.fixture(scope="module")
def zygote(variables):
    started = Zygote("pytorch", variables)
    assert started.wait_ready() == ""
    yield started
    started.close()


def run(zygote: Zygote, fault: str, timeout_s: float = 30.0, **more) -> Outcome:
    outcome = zygote.run(request(fault, **more), timeout_s)
    # The drill's second half: the next trial must not have noticed.
    after = zygote.run(request("none"), 30.0)
    assert after.trial is not None, after.reason
    return outcome


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("segfault", "crashed", "SIGSEGV"),
        ("killed", "killed", "SIGKILL"),
        ("memory", "out_of_memory", "out of memory"),
        ("raises_at_load", "raised", "planted at load (in load)"),
        ("raises_at_first", "raised", "planted at step 1 (in first_call)"),
        ("raises_in_warmup", "raised", "planted at step 3 (in warmup)"),
        ("nan", "not_finite", "'y' holds NaN or infinity"),
        ("exits", "crashed", "exit status 7"),
    ],
)
def test_a_fault_is_one_outcome_with_its_reason(zygote, fault, code, words):
    outcome = run(zygote, fault)
    assert outcome.trial is None
    assert outcome.reason_code == code
    assert words in outcome.reason


def test_a_trial_that_its_address_space_does_not_hold_is_out_of_memory(zygote):
    """RLIMIT_AS: 512 MiB more than the process that it is forked from has; the fault asks for 1 GiB."""
    limit = psutil.Process(zygote._process.pid).memory_info().vms + 2**29
    outcome = zygote.run(replace(request("eats"), host_limit_bytes=limit), 60.0)
    assert (outcome.trial, outcome.reason_code) == (None, "out_of_memory")
    assert "in warmup" in outcome.reason
    # The limit was the trial's own: the next one is not under it.
    unlimited = zygote.run(request("eats"), 60.0)
    assert (unlimited.reason_code, "nobody minded" in unlimited.reason) == ("raised", True)
    assert zygote.run(request("none"), 30.0).trial is not None


def test_a_trial_that_the_kernel_kills_for_memory_is_one_failed_case(variables):
    """A control group of 256 MiB holds zygote and trial; the fault asks for 1 GiB, and the kernel kills the larger."""
    with memory_group.limited(2**28) as group:
        small = Zygote("pytorch", variables)
        try:
            small.wait_ready()
            memory_group.join(group, small._process.pid)
            outcome = small.run(request("eats"), 60.0)
            after = small.run(request("none"), 30.0)
        finally:
            small.close()
    assert (outcome.trial, outcome.reason_code) == (None, "killed")
    assert "by the kernel if memory ran out" in outcome.reason
    assert "SIGKILL" in outcome.reason
    assert after.trial is not None, after.reason


def test_a_precision_that_the_hardware_does_not_have_is_refused_and_not_another_one_run(zygote):
    outcome = zygote.run(replace(request("none"), precision="tf32"), 30.0)
    assert (outcome.trial, outcome.reason_code) == (None, "unsupported")
    assert "tensor cores" in outcome.reason


def test_raising_in_the_window_says_so(zygote):
    outcome = run(zygote, "raises_in_window", window_s=3.0)
    assert (outcome.reason_code, "in window" in outcome.reason) == ("raised", True)


@pytest.mark.parametrize("fault", ["hang", "hang_uninterruptibly"])
def test_a_hang_ends_at_its_timeout(zygote, fault):
    start = time.monotonic()
    outcome = zygote.run(request(fault), 2.0)
    assert outcome.reason_code == "timeout"
    assert "2 s" in outcome.reason
    assert time.monotonic() - start < 100  # the fault itself would last for an hour


@pytest.mark.parametrize("fault", ["grandchild", "daemon"])
def test_no_process_is_left_behind(zygote, pid_file, fault):
    outcome = run(zygote, fault)
    assert outcome.trial is not None
    pid = int(pid_file.read_text())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_flood_of_output_is_bounded_and_changes_nothing(zygote):
    outcome = run(zygote, "prints")
    assert outcome.trial is not None
    assert 0 < len(outcome.output) <= 1 << 16


def test_a_step_that_sleeps_5_ms_is_measured_as_5_ms(zygote):
    trial = zygote.run(request("sleep", window_s=1.0), 30.0).trial
    start, end = trial["window"]
    assert trial["steps"] == len(trial["block_s"]) * trial["steps_per_block"]
    # Never shorter than the sleep; a loaded machine wakes up late, but not in every block.
    assert (end - start) / trial["steps"] >= 0.005
    assert min(trial["block_s"]) / trial["steps_per_block"] < 0.010


def test_a_step_that_is_compiled_anew_in_the_window_is_counted(zygote):
    asked = replace(request("retraces", window_s=4.0), mode="compile")
    assert zygote.run(asked, 120.0).trial["counters"]["traces_in_window"] > 0
    assert "traces_in_window" not in zygote.run(request("none"), 30.0).trial["counters"]


def test_a_rest_lies_between_load_and_first_call(zygote):
    asked = request("none")
    trial = zygote.run(replace(asked, effort=replace(asked.effort, resident_idle_s=1.0)), 30.0).trial
    start, end = trial["resident_idle"]
    assert end - start >= 1.0
    assert end < trial["window"][0]
    assert trial["first_call_s"] < 1.0
    assert zygote.run(asked, 30.0).trial["resident_idle"] is None


def test_blocks_fill_the_window_without_a_gap(zygote):
    trial = zygote.run(request("none"), 30.0).trial
    start, end = trial["window"]
    assert sum(trial["block_s"]) == pytest.approx(end - start, rel=1e-9)
    assert end - start >= 0.3


def test_counts_are_those_of_as_many_steps_as_were_run(zygote):
    """A step that sleeps is switched away from once: also where a window has few blocks and one more lies before it."""
    trial = zygote.run(request("sleep", window_s=0.05), 30.0).trial
    assert len(trial["block_s"]) <= 6
    assert trial["counters"]["context_switches_voluntary"] == pytest.approx(1.0, abs=0.1)


def test_a_spawned_trial_gives_the_same_as_a_forked_one(zygote, variables):
    spawned = Zygote("pytorch", variables, how="spawn")
    spawned.wait_ready()
    try:
        outcome = spawned.run(request("none"), 30.0)
    finally:
        spawned.close()
    assert outcome.trial is not None, outcome.reason
    assert outcome.trial["result"] == zygote.run(request("none"), 30.0).trial["result"]


@pytest.mark.parametrize(("fault", "said"), [("exits", "exit status 7"), ("segfault", "SIGSEGV")])
def test_a_spawned_trial_that_crashes_has_its_reason(variables, fault, said):
    spawned = Zygote("pytorch", variables, how="spawn")
    spawned.wait_ready()
    try:
        outcome = spawned.run(request(fault), 30.0)
    finally:
        spawned.close()
    assert outcome.reason_code == "crashed"
    assert said in outcome.reason


def test_a_zygote_that_was_killed_is_an_error_and_not_a_hang(variables):
    doomed = Zygote("pytorch", variables)
    doomed.wait_ready()
    psutil.Process(doomed._process.pid).kill()
    with pytest.raises(ZygoteError):
        doomed.run(request("none"), 30.0)
    doomed.close()


def test_an_interpreter_that_is_not_there_is_an_error(variables):
    with pytest.raises(ZygoteError, match="cannot start"):
        Zygote("pytorch", variables, python="/nowhere/python")


def test_an_interpreter_without_joulemark_says_what_it_lacks(variables, tmp_path):
    clean = {name: value for name, value in variables.items() if name != "PYTHONPATH"}
    bare = Zygote("pytorch", clean, python="/usr/bin/python3")
    with pytest.raises(ZygoteError, match="suite"):
        bare.wait_ready()


def test_when_the_conductor_is_killed_nothing_of_it_goes_on(variables, tmp_path):
    """A process that runs a hanging trial is killed with SIGKILL; zygote and trial end too."""
    import signal
    import subprocess
    import sys

    script = tmp_path / "conductor.py"
    script.write_text(
        "import os, sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from joulemark.suite.trial.fork_server_client import Zygote\n"
        "from test_fork_server import request\n"
        "zygote = Zygote('pytorch', dict(os.environ)); zygote.wait_ready()\n"
        "print(zygote._process.pid, flush=True)\n"
        "zygote.run(request('hang'), 600)\n"
    )
    repository = str(ROOT)
    support = str(SUPPORT)
    path = os.pathsep.join([variables["PYTHONPATH"], repository, support])
    conductor = subprocess.Popen(
        [sys.executable, str(script)], env={**variables, "PYTHONPATH": path}, stdout=subprocess.PIPE, text=True
    )
    zygote = psutil.Process(int(conductor.stdout.readline()))
    deadline = time.monotonic() + 20
    while not zygote.children() and time.monotonic() < deadline:
        time.sleep(0.05)
    family = [zygote, *zygote.children(recursive=True)]
    assert len(family) >= 2
    conductor.send_signal(signal.SIGKILL)
    conductor.wait()
    conductor.stdout.close()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
