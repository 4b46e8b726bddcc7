"""The sensor `nvml`: findings, update periods and GPU states, through the real nvidia-ml-py and a library in C."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nvml_library
import pytest
from nvml_library import FakeGpu
from run_files import trial
from sampled_gpu import gpu, sample

from joulemark.suite.energy.sensor_checks import sensor_notices
from joulemark.suite.notices import Code
from joulemark.suite.records import GpuState
from joulemark.suite.sensors import trace_file
from joulemark.suite.sensors.base import Finding
from joulemark.suite.sensors.sampler import Sampler

A, B = (f"GPU-{name}-0000-0000-0000-000000000000" for name in ("aaaa1111", "bbbb2222"))

pytestmark = pytest.mark.slow


def _finding(path: Path, environment: dict[str, str]) -> Finding:
    with Sampler.start(path, time.monotonic(), sensors=["nvml"], environment=environment) as sampler:
        (finding,) = sampler.findings
    assert trace_file.load(path) == ()
    return finding


def test_gpu_without_any_value_is_found_but_not_readable(nvml_path: Path, tmp_path: Path) -> None:
    gpus = [FakeGpu(A, 1.0, "no_energy no_instant no_average no_legacy")]
    finding = _finding(tmp_path / "t", nvml_library.environment(nvml_path, gpus))
    assert (finding.found, finding.readable) == (True, False)
    assert "Not Supported" in (finding.reason or "")


@pytest.mark.parametrize(("code", "word"), [(9, "Driver Not Loaded"), (18, "mismatch"), (4, "Permission")])
def test_driver_failure_has_a_reason_and_a_fix(nvml_path: Path, tmp_path: Path, code: int, word: str) -> None:
    finding = _finding(tmp_path / "t", nvml_library.environment(nvml_path, [], NVML_INIT_CODE=str(code)))
    assert word in (finding.reason or "")
    assert finding.fix


def test_update_period_is_measured_once_and_kept(nvml_path: Path, tmp_path: Path) -> None:
    gpus = [FakeGpu(A, traits="tick ga100")]
    environment = nvml_library.environment(nvml_path, gpus, JOULEMARK_HOME=str(tmp_path))
    periods_s = []
    for run in ("first", "second"):
        with Sampler.start(tmp_path / run, time.monotonic(), sensors=["nvml"], environment=environment) as sampler:
            pass
        (trace,) = trace_file.load(tmp_path / run)
        assert trace.channels[0].tick_s == pytest.approx(0.1, abs=0.03)
        assert trace.channels[0].coverage == 0.25
        assert sampler.findings[0].tick_s == trace.channels[0].tick_s
        periods_s.append(trace.channels[0].tick_s)
    kept = json.loads((tmp_path / "ticks.json").read_text())
    assert kept == {f"probe 2: {A} driver 610.57 nvmlDeviceGetTotalEnergyConsumption": periods_s[0]}
    assert periods_s[1] == periods_s[0]


def test_gpu_state_is_recorded_beside_its_power(nvml_path: Path, tmp_path: Path) -> None:
    environment = nvml_library.environment(nvml_path, [FakeGpu(A, 250.0, "hot")])
    state = sample(tmp_path / "t", "nvml", environment, 0.4).trace.states[0]
    assert (state.scope, state.temperature_c, state.sm_clock_mhz, state.memory_clock_mhz) == (A, 61.0, 1410.0, 1215.0)
    assert (state.power_limit_w, state.throttled, state.processes) == (400.0, ("power_cap", "thermal"), 0)
    assert state.t_s >= 0


REASONS = ("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons")
PROCESSES = ("nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2")


@pytest.mark.parametrize(
    ("missing_calls", "throttled", "processes"),
    [
        (REASONS[:1], ("power_cap", "thermal"), 3),
        (REASONS, None, 3),
        (PROCESSES[:1], ("power_cap", "thermal"), 3),
        (PROCESSES, ("power_cap", "thermal"), None),
    ],
)
def test_state_is_unknown_if_an_older_driver_does_not_report_it(
    tmp_path: Path, missing_calls: tuple[str, ...], throttled: tuple[str, ...] | None, processes: int | None
) -> None:
    library = nvml_library.build(tmp_path, missing_calls)
    environment = nvml_library.environment(library, [FakeGpu(A, 250.0, "hot processes:3")])
    state = sample(tmp_path / "t", "nvml", environment, 0.4).trace.states[0]
    assert (state.throttled, state.processes, state.sm_clock_mhz) == (throttled, processes, 1410.0)


def _wait_for_state(path: Path, matches: Callable[[GpuState], bool]) -> float:
    """Return when the sampler that writes to `path` first recorded a state of GPU A that matches, seconds."""
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s:
        for state in (state for trace in trace_file.load(path) for state in trace.states):
            if state.scope == A and matches(state):
                return state.t_s
        time.sleep(0.05)
    pytest.fail("the sampler does not record the GPU's state")


def test_disturbance_of_a_gpu_in_a_window_becomes_a_notice(nvml_path: Path, tmp_path: Path) -> None:
    """From the driver's calls to the case's notices: throttle reasons, clocks and processes at both ends."""
    heat, path = tmp_path / "heat", tmp_path / "t"
    fake_gpus = [FakeGpu(A, 250.0, "heats processes:3"), FakeGpu(B)]
    environment = nvml_library.environment(nvml_path, fake_gpus, NVML_HEAT=str(heat))
    with Sampler.start(path, time.monotonic(), sensors=["nvml"], environment=environment):
        cool_s = _wait_for_state(path, lambda state: state.throttled == ())
        heat.touch()
        hot_s = _wait_for_state(path, lambda state: bool(state.throttled))
        time.sleep(0.2)
    (trace,) = trace_file.load(path)
    gpus = [gpu(A, "cuda:0"), gpu(B, "cuda:1")]

    def notices(device: str) -> dict[Code, Any]:
        measured = trial(start_s=cool_s, length_s=hot_s - cool_s, readings=())
        return {notice.code: notice.value for notice in sensor_notices([measured], [trace], device, gpus)}

    values = notices("cuda:0")
    assert values.keys() == {
        Code.BOARD_POWER_CAPPED,
        Code.BOARD_THROTTLED,
        Code.BOARD_CLOCK_MOVED,
        Code.BOARD_SHARED,
    }
    assert "1410 to 705 MHz" in str(values[Code.BOARD_CLOCK_MOVED])
    assert "thermal" in str(values[Code.BOARD_THROTTLED])
    assert "400 W" in str(values[Code.BOARD_POWER_CAPPED])
    assert "3 processes" in str(values[Code.BOARD_SHARED])
    assert notices("cuda:1") == {}
    assert notices("cpu") == {}
