"""Faulty trials: each ends as one outcome with its reason, leaves nothing behind, and the next trial is intact."""

from __future__ import annotations

from dataclasses import replace

import control_group
import psutil
import pytest
from environments import require
from faulty_trials import LIMIT_S, request

from joulemark.suite.trial.fork_server_client import ForkServer
from joulemark.suite.trial.outcome import KEPT_OUTPUT, Outcome

require("torch")


def run(server: ForkServer, fault: str, window_s: float = 0.3) -> Outcome:
    """Return the outcome of a faulty trial, and check that the next one succeeds."""
    outcome = server.run(request(fault, window_s), LIMIT_S)
    next_outcome = server.run(request("none"), LIMIT_S)
    assert next_outcome.trial is not None, next_outcome.reason
    return outcome


@pytest.mark.parametrize(
    ("fault", "code", "detail"),
    [
        ("segfault", "crashed", "SIGSEGV"),
        ("killed", "killed", "SIGKILL"),
        ("memory", "out_of_memory", "out of memory"),
        ("raises_at_load", "raised", "planted at load (in load)"),
        ("raises_at_first", "raised", "planted at step 1 (in first_call)"),
        ("raises_in_warmup", "raised", "planted at step 3 (in warmup)"),
        ("nan", "not_finite", "'y'"),
        ("exits", "crashed", "exit status 7"),
    ],
)
def test_a_fault_is_one_outcome_with_its_reason(server, fault, code, detail):
    outcome = run(server, fault)
    assert outcome.trial is None
    assert outcome.reason_code == code
    assert detail in outcome.reason


def test_an_exception_in_the_window_names_that_stage(server):
    outcome = run(server, "raises_in_window", window_s=3.0)
    assert outcome.reason_code == "raised"
    assert "in window" in outcome.reason


def test_a_precision_that_the_hardware_lacks_is_unsupported(server):
    outcome = server.run(replace(request("none"), precision="tf32"), LIMIT_S)
    assert (outcome.trial, outcome.reason_code) == (None, "unsupported")
    assert "tf32" in outcome.reason


def test_a_trial_over_its_address_space_limit_is_out_of_memory(server):
    """RLIMIT_AS: 512 MiB more than the fork server has; the fault allocates 1 GiB."""
    limit = psutil.Process(server.pid).memory_info().vms + 2**29
    outcome = server.run(replace(request("allocates_1_gib"), host_limit_bytes=limit), LIMIT_S)
    assert (outcome.trial, outcome.reason_code) == (None, "out_of_memory")
    assert "in warmup" in outcome.reason
    # The limit applies to that trial only.
    unlimited = server.run(request("allocates_1_gib"), LIMIT_S)
    assert unlimited.reason_code == "raised"
    assert "allocated" in unlimited.reason
    assert server.run(request("none"), LIMIT_S).trial is not None


def test_a_trial_that_the_kernel_kills_for_memory_leaves_the_server_alive(variables):
    """A control group of 256 MiB holds server and trial; the fault allocates 1 GiB, and the kernel kills the larger."""
    with control_group.limited_memory(2**28) as group:
        small = ForkServer("pytorch", variables)
        try:
            small.wait_ready()
            control_group.join(group, small.pid)
            outcome = small.run(request("allocates_1_gib"), LIMIT_S)
            next_outcome = small.run(request("none"), LIMIT_S)
        finally:
            small.close()
    assert (outcome.trial, outcome.reason_code) == (None, "killed")
    assert "SIGKILL" in outcome.reason
    assert next_outcome.trial is not None, next_outcome.reason


@pytest.mark.parametrize("fault", ["hang", "hang_uninterruptibly"])
def test_a_hang_ends_at_its_timeout(server, fault):
    """The fault itself would last for an hour."""
    outcome = server.run(request(fault), 2.0)
    assert outcome.reason_code == "timeout"
    assert "2 s" in outcome.reason


@pytest.mark.parametrize("fault", ["grandchild", "daemon"])
def test_no_process_is_left_behind(server, pid_file, fault):
    outcome = run(server, fault)
    assert outcome.trial is not None
    pid = int(pid_file.read_text())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_flood_of_output_is_bounded_and_harmless(server):
    outcome = run(server, "prints")
    assert outcome.trial is not None
    assert 0 < len(outcome.output) <= KEPT_OUTPUT
