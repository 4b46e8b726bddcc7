"""The passes after a trial's window: what they report, and that their failures cost nothing else.

The GPU is simulated, the trial's process is not. A step takes 40 ms at any batch size, as if the CPU set its pace.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from environments import require
from faulty_trials import LIMIT_S, request

from joulemark.suite.run.trials import trial_record
from joulemark.suite.trial.outcome import Outcome

require("torch")


def run(server, fault: str, timeout_s: float = LIMIT_S) -> Outcome:
    """Return the outcome of a trial with the passes."""
    plain = request(fault)
    return server.run(replace(plain, effort=replace(plain.effort, profiled_s=0.05)), timeout_s)


def test_a_gpu_that_waits_is_tried_at_twice_the_batch_size(server):
    busy = run(server, "gpu_waits").trial["gpu_busy"]
    assert 0.1 < busy["share"] <= 0.2
    assert busy["doubled_batch_ratio"] == pytest.approx(2.0, rel=0.2)
    assert "reason" not in busy


def test_a_busy_gpu_is_not(server):
    assert run(server, "gpu_busy").trial["gpu_busy"] == {"share": 1.0}


def test_a_trial_without_the_passes_has_no_such_field(server):
    assert "gpu_busy" not in server.run(request("gpu_waits"), LIMIT_S).trial


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("gpu_waits_then_raises", "out of memory: planted at twice the batch size (in doubled_batch)"),
        ("gpu_waits_then_dies", "SIGKILL, in doubled_batch"),
    ],
)
def test_a_failure_at_twice_the_batch_size_leaves_the_trial_ok(server, fault, reason):
    check_ok_with(run(server, fault), reason)
    assert server.run(request("none"), LIMIT_S).trial is not None


def test_a_hang_at_twice_the_batch_size_ends_at_the_timeout_and_leaves_the_trial_ok(server):
    timeout_s = 4.0
    while (outcome := run(server, "gpu_waits_then_hangs", timeout_s)).trial is None and timeout_s < LIMIT_S:
        timeout_s *= 4  # a busy machine did not come as far
    check_ok_with(outcome, f"not finished within {timeout_s:.0f} s (in doubled_batch)")


def check_ok_with(outcome: Outcome, reason: str) -> None:
    """Check that a trial is ok and that its pass at twice the batch size has failed, with the reason."""
    assert (outcome.reason_code, outcome.reason) == (None, None)
    assert outcome.trial["gpu_busy"]["share"] > 0
    assert reason in outcome.trial["gpu_busy"]["reason"]
    record = trial_record(outcome, {"round": 1}, 0.0, None)
    assert (record.status, record.gpu_busy.doubled_batch_ratio) == ("ok", None)


def test_a_profiler_without_a_gpu_leaves_the_trial_ok(server):
    """PyTorch's own profiler, on a machine without a GPU."""
    outcome = run(server, "none")
    assert outcome.reason is None
    assert outcome.trial["gpu_busy"].keys() == {"reason"}
    assert "in gpu_busy" in outcome.trial["gpu_busy"]["reason"]


def test_a_workload_without_batch_sizes_says_so(server):
    unbatched = replace(request("gpu_waits"), workload="unbatched")
    trial = server.run(replace(unbatched, effort=replace(unbatched.effort, profiled_s=0.05)), LIMIT_S).trial
    assert trial["gpu_busy"]["share"] > 0
    assert "unbatched takes batch size 1, not 2" in trial["gpu_busy"]["reason"]
