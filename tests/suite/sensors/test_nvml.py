"""NVML through the real nvidia-ml-py and a library in C that exports the calls used."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nvml_library
import pytest
from nvml_library import Board
from places import ROOT
from run_files import trial

from joulemark.suite.energy.sensor_checks import sensor_notices
from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.notices import Code
from joulemark.suite.records import BoardState, EnergyReading, Gpu, Trace
from joulemark.suite.sensors import nvml, trace_file
from joulemark.suite.sensors.sampler import Sampler

A, B, C = (f"GPU-{name}-0000-0000-0000-000000000000" for name in ("aaaa1111", "bbbb2222", "cccc3333"))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nvml_library.build(tmp_path_factory.mktemp("nvml"))


def _ask(library: Path, boards: list[Board], code: str, given: str = "", **environment: str) -> Any:
    """What `code` prints, as JSON, in a process that sees `boards` and reads `given`."""
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env=dict(nvml_library.environment(library, boards, PYTHONPATH=str(ROOT), **environment)),
        input=given,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(answer.stdout)


def _trace(library: Path, path: Path, boards: list[Board], seconds: float = 0.6) -> tuple[Sampler, Trace, float]:
    origin_s = time.monotonic()
    environment = dict(nvml_library.environment(library, boards))
    with Sampler.start(path, origin_s, sensors=["nvml"], environment=environment) as sampler:
        ready_s = time.monotonic() - origin_s
        time.sleep(seconds)
    (trace,) = trace_file.load(path)
    return sampler, trace, ready_s


def _gpu(uuid: str, device: str | None, **more: Any) -> Gpu:
    return Gpu(index=0, vendor="NVIDIA", name="Test GPU", uuid=uuid, pci_bus_id="", device=device, **more)


def _of(readings: tuple[EnergyReading, ...], scope: str) -> EnergyReading:
    return next(energy for energy in readings if energy.scope == scope)


def test_counter_and_instant_power_of_each_board(library: Path, tmp_path: Path) -> None:
    boards = [Board(A, 250.0), Board(B, 100.0, bus="00000000:02:00.0")]
    _, trace, ready_s = _trace(library, tmp_path / "t", boards)
    found = [(c.scope, c.unit, c.kind, c.average_s) for c in trace.channels]
    assert found == [(u, unit, k, 0.0) for u in (A, B) for unit, k in (("J", "counter"), ("W", "integrated"))]
    assert {channel.limit_w for channel in trace.channels} == {400.0}
    window_s = (ready_s + 0.05, ready_s + 0.45)
    energies = compute_readings([trace], window_s, "cuda:0", [_gpu(A, "cuda:0"), _gpu(B, "cuda:1")])
    own, other = _of(energies, A), _of(energies, B)
    assert own.attributed
    assert not other.attributed
    assert own.kind == "counter"
    assert own.energy_j == pytest.approx(250.0 * 0.4, rel=0.01)
    assert other.energy_j == pytest.approx(100.0 * 0.4, rel=0.01)


def test_without_a_counter_power_is_integrated(library: Path, tmp_path: Path) -> None:
    _, trace, ready_s = _trace(library, tmp_path / "t", [Board(A, 250.0, "no_energy no_instant")])
    (channel,) = trace.channels
    assert (channel.unit, channel.average_s) == ("W", 1.0)
    energy = _of(compute_readings([trace], (ready_s, ready_s + 0.1), "cuda:0", [_gpu(A, "cuda:0")]), A)
    assert energy.kind == "integrated"
    assert energy.energy_j == pytest.approx(25.0)


def test_fields_that_the_board_does_not_support_are_left_for_the_older_call(library: Path, tmp_path: Path) -> None:
    """The call succeeds; each field has a code of its own, and a value that is none."""
    _, trace, ready_s = _trace(library, tmp_path / "t", [Board(A, 250.0, "old_fields no_energy ga100")])
    (channel,) = trace.channels
    assert channel.source.startswith("nvmlDeviceGetPowerUsage")
    assert _of(compute_readings([trace], (ready_s, ready_s + 0.1), "cuda:0", [_gpu(A, "cuda:0")]), A).energy_j == (
        pytest.approx(25.0)
    )


REASONS = ("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons")
PROCESSES = ("nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2")


@pytest.mark.parametrize(
    ("without", "throttled", "processes"),
    [
        (REASONS[:1], ("power_cap", "thermal"), 3),
        (REASONS, None, 3),
        (PROCESSES[:1], ("power_cap", "thermal"), 3),
        (PROCESSES, ("power_cap", "thermal"), None),
    ],
)
def test_what_an_older_driver_does_not_tell_is_unknown(
    tmp_path: Path, without: tuple[str, ...], throttled: tuple[str, ...] | None, processes: int | None
) -> None:
    library = nvml_library.build(tmp_path, without)
    _, trace, _ = _trace(library, tmp_path / "t", [Board(A, 250.0, "hot processes:3")], 0.4)
    state = trace.states[0]
    assert (state.throttled, state.processes, state.sm_clock_mhz) == (throttled, processes, 1410.0)


@pytest.mark.parametrize(("trait", "average_s"), [("ampere", 1.0), ("ga100", 0.0), ("", 0.0)])
def test_power_usage_is_an_average_on_ampere_but_ga100(
    library: Path, tmp_path: Path, trait: str, average_s: float
) -> None:
    _, trace, _ = _trace(library, tmp_path / "t", [Board(A, 250.0, f"no_energy no_instant no_average {trait}")], 0.2)
    (channel,) = trace.channels
    assert "nvmlDeviceGetPowerUsage" in channel.source
    assert channel.average_s == average_s


def test_a_reset_of_the_counter_is_undone_and_said(library: Path, tmp_path: Path) -> None:
    _, trace, ready_s = _trace(
        library, tmp_path / "t", [Board(A, 250.0, "reset:1.5 no_instant no_average no_legacy")], 1.5
    )
    (channel,) = trace.channels
    assert len(channel.resets_s) == 1
    energy = _of(compute_readings([trace], (ready_s + 0.1, ready_s + 1.2), "cuda:0", [_gpu(A, "cuda:0")]), A)
    assert energy.energy_j is not None
    assert energy.high_j is not None
    assert 250.0 * 1.1 - 250.0 * 0.15 <= energy.energy_j <= 250.0 * 1.1 + 0.01
    assert energy.high_j >= 250.0 * 1.1
    assert "reset" in (energy.reason or "")


def test_a_lost_board_has_no_energy_and_a_reason(library: Path, tmp_path: Path) -> None:
    _, trace, ready_s = _trace(library, tmp_path / "t", [Board(A, 250.0, "lost:1.3")], 2.0)
    energy = _of(compute_readings([trace], (ready_s, ready_s + 1.8), "cuda:0", [_gpu(A, "cuda:0")]), A)
    assert (energy.energy_j, energy.kind, energy.attributed) == (None, "unavailable", True)
    assert energy.reason


def test_a_board_that_gives_nothing_is_found_but_not_readable(library: Path, tmp_path: Path) -> None:
    environment = dict(nvml_library.environment(library, [Board(A, 1.0, "no_energy no_instant no_average no_legacy")]))
    with Sampler.start(tmp_path / "t", time.monotonic(), sensors=["nvml"], environment=environment) as sampler:
        (finding,) = sampler.findings
    assert (finding.found, finding.readable) == (True, False)
    assert "Not Supported" in (finding.reason or "")
    assert trace_file.load(tmp_path / "t") == ()


def test_a_split_board_is_labelled_as_shared(library: Path, tmp_path: Path) -> None:
    _, trace, ready_s = _trace(library, tmp_path / "t", [Board(A, 250.0, "mig")], 0.3)
    gpu = _gpu(A, "cuda:0", mig=True)
    energy = _of(compute_readings([trace], (ready_s, ready_s + 0.2), "cuda:0", [gpu]), A)
    assert "MIG" in (energy.reason or "")


@pytest.mark.parametrize(("code", "word"), [(9, "Driver Not Loaded"), (18, "mismatch"), (4, "Permission")])
def test_a_driver_that_refuses_is_named_with_its_fix(library: Path, tmp_path: Path, code: int, word: str) -> None:
    environment = dict(nvml_library.environment(library, [], NVML_INIT_CODE=str(code)))
    with Sampler.start(tmp_path / "t", time.monotonic(), sensors=["nvml"], environment=environment) as sampler:
        (finding,) = sampler.findings
    assert word in (finding.reason or "")
    assert finding.fix


DISCOVER = """
import json
from joulemark.suite.sensors.gpus import discover
found = discover()
print(json.dumps([[[g.uuid, g.device, g.mig, g.power_limit_w, g.driver] for g in found.gpus], found.reason]))
"""


@pytest.mark.parametrize(
    ("variables", "devices"),
    [
        ({}, ["cuda:0", "cuda:1"]),
        ({"CUDA_VISIBLE_DEVICES": "1"}, [None, "cuda:0"]),
        ({"CUDA_VISIBLE_DEVICES": "1,0"}, ["cuda:1", "cuda:0"]),
        ({"CUDA_VISIBLE_DEVICES": B}, [None, "cuda:0"]),
        ({"CUDA_VISIBLE_DEVICES": "GPU-bbbb, GPU-aaaa"}, ["cuda:1", "cuda:0"]),
        ({"CUDA_VISIBLE_DEVICES": "0,7,1"}, ["cuda:0", None]),
        ({"CUDA_VISIBLE_DEVICES": f"GPU-cccc,{B}"}, [None, None]),
        ({"CUDA_VISIBLE_DEVICES": ""}, [None, None]),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, [None, None]),
    ],
)
def test_boards_are_matched_under_any_visible_devices(
    library: Path, variables: dict[str, str], devices: list[str | None]
) -> None:
    found, _ = _ask(library, [Board(A), Board(B, bus="00000000:02:00.0")], DISCOVER, **variables)
    assert found == [[A, devices[0], False, 400.0, "610.57"], [B, devices[1], False, 400.0, "610.57"]]


@pytest.mark.parametrize(
    ("variables", "devices"),
    [
        # CUDA shows one instance, and no whole board beside it (MIG User Guide).
        ({}, [None, "cuda:0"]),
        ({"CUDA_VISIBLE_DEVICES": f"MIG-{B}/3/0"}, [None, "cuda:0"]),
        ({"CUDA_VISIBLE_DEVICES": B.replace("GPU", "MIG")}, [None, "cuda:0"]),
        ({"CUDA_VISIBLE_DEVICES": A}, ["cuda:0", None]),
        # What numbers mean then is not said: no joules rather than another board's.
        ({"CUDA_VISIBLE_DEVICES": "0"}, [None, None]),
        ({"CUDA_VISIBLE_DEVICES": "1,0"}, [None, None]),
    ],
)
def test_beside_a_split_board_numbers_name_nothing(
    library: Path, variables: dict[str, str], devices: list[str | None]
) -> None:
    boards = [Board(A), Board(B, bus="00000000:02:00.0", traits="mig")]
    found, reason = _ask(library, boards, DISCOVER, **variables)
    assert [(entry[1], entry[2]) for entry in found] == [(devices[0], False), (devices[1], True)]
    assert ("nvidia-smi -L" in (reason or "")) == (devices == [None, None])


TOLD = """
import json, sys
from joulemark.suite.sensors.gpus import discover
print(json.dumps([gpu.device for gpu in discover().told(json.loads(sys.stdin.read()))]))
"""


@pytest.mark.parametrize(
    ("uuids", "devices"),
    [
        ([], [None, None, "cuda:0"]),  # as the environment has it
        ([B[4:], A[4:]], ["cuda:1", "cuda:0", None]),
        ([C[4:]], [None, None, "cuda:0"]),  # an instance has a UUID of its own
        (["dddd"], [None, None, "cuda:0"]),
    ],
)
def test_what_a_framework_sees_decides(library: Path, uuids: list[str], devices: list[str | None]) -> None:
    boards = [
        Board(A, name="Old GPU"),
        Board(B, bus="00000000:02:00.0"),
        Board(C, bus="00000000:03:00.0", traits="mig"),
    ]
    assert _ask(library, boards, TOLD, given=json.dumps(uuids)) == devices


def test_unlike_boards_are_not_matched_by_number_unless_in_bus_order(library: Path) -> None:
    boards = [Board(A, name="Old GPU"), Board(B, name="New GPU", bus="00000000:02:00.0")]
    found, reason = _ask(library, boards, DISCOVER)
    assert [entry[1] for entry in found] == [None, None]
    assert "CUDA_DEVICE_ORDER=PCI_BUS_ID" in reason
    found, reason = _ask(library, boards, DISCOVER, CUDA_DEVICE_ORDER="PCI_BUS_ID")
    assert [entry[1] for entry in found] == ["cuda:0", "cuda:1"]
    assert reason is None


def test_the_tick_is_probed_once_and_kept(library: Path, tmp_path: Path) -> None:
    environment = dict(nvml_library.environment(library, [Board(A, traits="tick ga100")], JOULEMARK_HOME=str(tmp_path)))
    took_s = []
    for run in ("first", "second"):
        begin_s = time.monotonic()
        with Sampler.start(tmp_path / run, begin_s, sensors=["nvml"], environment=environment) as sampler:
            took_s.append(time.monotonic() - begin_s)
        (trace,) = trace_file.load(tmp_path / run)
        assert trace.channels[0].tick_s == pytest.approx(0.1, abs=0.03)
        assert trace.channels[0].coverage == 0.25
        assert sampler.findings[0].tick_s == trace.channels[0].tick_s
    kept = json.loads((tmp_path / "ticks.json").read_text())
    assert list(kept) == [f"probe 2: {A} driver 610.57 nvmlDeviceGetTotalEnergyConsumption"]


def test_the_board_s_state_is_kept_beside_its_power(library: Path, tmp_path: Path) -> None:
    _, trace, _ = _trace(library, tmp_path / "t", [Board(A, 250.0, "hot")], 0.4)
    state = trace.states[0]
    assert (state.scope, state.temperature_c, state.sm_clock_mhz, state.memory_clock_mhz) == (A, 61.0, 1410.0, 1215.0)
    assert (state.power_limit_w, state.throttled, state.processes) == (400.0, ("power_cap", "thermal"), 0)
    assert state.t_s >= 0


@pytest.mark.parametrize(
    ("architecture", "ga100", "name", "share"),
    [(7, True, "A100", 0.25), (9, False, "H100", 0.25), (5, False, "V100", 0.5), (8, False, "RTX 4090", 1.0)],
)
def test_what_a_sensor_sees_follows_the_paper(architecture: int, ga100: bool, name: str, share: float) -> None:
    assert nvml.coverage(architecture, ga100, name) == share
    assert nvml.coverage(None, False, "new") == nvml.UNKNOWN_COVERAGE


def test_a_modules_power_is_listed_and_not_charged(library: Path, tmp_path: Path) -> None:
    """On Grace the module's power contains the board's: charged with both, a case would pay for the board twice."""
    boards = [Board(A, 250.0, "grace", name="NVIDIA GH200 480GB"), Board(B, 100.0, bus="00000000:02:00.0")]
    _, trace, ready_s = _trace(library, tmp_path / "t", boards)
    assert [c.component for c in trace.channels if c.scope == A] == ["gpu", "gpu", "module"]
    window_s = (ready_s + 0.05, ready_s + 0.45)
    found = compute_readings([trace], window_s, "cuda:0", [_gpu(A, "cuda:0"), _gpu(B, "cuda:1")])
    (module,) = [energy for energy in found if energy.component == "module"]
    assert (module.scope, module.attributed, module.kind) == (A, False, "integrated")
    assert module.energy_j == pytest.approx(0.4 * (250.0 + nvml_library.GRACE_W), rel=0.01)
    charged = [energy for energy in found if energy.attributed and energy.energy_j is not None]
    assert [(energy.component, energy.scope) for energy in charged] == [("gpu", A)]
    assert charged[0].energy_j == pytest.approx(0.4 * 250.0, rel=0.01)


def test_a_driver_without_the_modules_power_leaves_it_out(library: Path, tmp_path: Path) -> None:
    _, trace, _ = _trace(library, tmp_path / "t", [Board(A, 250.0, name="NVIDIA GH200 480GB")], 0.2)
    assert {channel.component for channel in trace.channels} == {"gpu"}


def _look(path: Path, wanted: Callable[[BoardState], bool]) -> float:
    """When the sampler that writes to `path` first saw the board A in a state that is wanted, seconds."""
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s:
        for state in (state for trace in trace_file.load(path) for state in trace.states):
            if state.scope == A and wanted(state):
                return state.t_s
        time.sleep(0.05)
    pytest.fail("the sampler does not look at the board")


def test_what_disturbs_a_board_in_a_window_is_told_of_the_case(library: Path, tmp_path: Path) -> None:
    """From the driver's calls to the case's notices: throttle reasons, clocks and processes at both ends."""
    boards, heat = [Board(A, 250.0, "heats processes:3"), Board(B)], tmp_path / "heat"
    environment = dict(nvml_library.environment(library, boards, NVML_HEAT=str(heat)))
    path = tmp_path / "t"
    with Sampler.start(path, time.monotonic(), sensors=["nvml"], environment=environment):
        cool_s = _look(path, lambda state: state.throttled == ())
        heat.touch()
        hot_s = _look(path, lambda state: bool(state.throttled))
        time.sleep(0.2)
    (trace,) = trace_file.load(path)
    window_s = (cool_s, hot_s)
    gpus = [_gpu(A, "cuda:0"), _gpu(B, "cuda:1")]

    def notices(device: str) -> dict[Code, Any]:
        measured = trial(start_s=window_s[0], length_s=window_s[1] - window_s[0], readings=())
        return {notice.code: notice.value for notice in sensor_notices([measured], [trace], device, gpus)}

    found = notices("cuda:0")
    assert found.keys() == {
        Code.BOARD_POWER_CAPPED,
        Code.BOARD_THROTTLED,
        Code.BOARD_CLOCK_MOVED,
        Code.BOARD_SHARED,
    }
    assert found[Code.BOARD_CLOCK_MOVED] == "from 1410 to 705 MHz in one window"
    assert str(found[Code.BOARD_THROTTLED]).startswith("thermal in ")
    assert str(found[Code.BOARD_POWER_CAPPED]).startswith("400 W, in ")
    assert "3 processes" in str(found[Code.BOARD_SHARED])
    assert notices("cuda:1") == {}
    assert notices("cpu") == {}
