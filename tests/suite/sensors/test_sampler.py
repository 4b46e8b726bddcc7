"""The sampler's process: what it does when others die, hang or are missing, and what it costs."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import nvml_library
import psutil
import pytest
from nvml_library import Board
from places import ROOT
from powercap import FakeZone, build

from joulemark.suite.errors import MeasurementError, UsageError
from joulemark.suite.sensors import sampler_process, trace_file
from joulemark.suite.sensors.sampler import Sampler

ZONES = (FakeZone("intel-rapl:0", "package-0"), FakeZone("intel-rapl:0:0", "dram"))


def _until_dead(pid: int, seconds: float = 5.0) -> bool:
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_it_reads_at_ten_hertz_on_absolute_deadlines(tmp_path: Path) -> None:
    top = build(tmp_path, ZONES)
    with Sampler.start(tmp_path / "t", time.monotonic(), sensors=["rapl"], powercap_root=str(top)):
        time.sleep(2.0)
    (trace,) = trace_file.load(tmp_path / "t")
    paced = trace.t_s[1:-1]
    assert paced[-1] - paced[0] == pytest.approx(0.1 * (len(paced) - 1 + trace.missed_deadlines), abs=0.08)
    assert trace.cpu_s is not None
    assert trace.cpu_s < 0.2
    assert trace.read_cost_s is not None
    assert trace.read_cost_s < 0.01


def test_a_killed_sampler_leaves_a_trace_that_can_be_read(tmp_path: Path) -> None:
    top = build(tmp_path, ZONES)
    sampler = Sampler.start(tmp_path / "t", time.monotonic(), sensors=["rapl"], powercap_root=str(top))
    time.sleep(0.5)
    sampler.process.kill()
    sampler.stop()
    assert not sampler.alive
    (trace,) = trace_file.load(tmp_path / "t")
    assert len(trace.t_s) > 2


MEASURING = """
import os, sys, time
from pathlib import Path
from joulemark.suite.sensors.sampler import Sampler
sampler = Sampler.start(Path(sys.argv[1]), time.monotonic(), sensors=["rapl"], powercap_root=sys.argv[2])
print(sampler.process.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_it_dies_with_the_process_that_started_it(tmp_path: Path, how: signal.Signals) -> None:
    top = build(tmp_path, ZONES)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", MEASURING, str(tmp_path / "t"), str(top)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as measuring:
        assert measuring.stdout is not None
        pid = int(measuring.stdout.readline())
        time.sleep(0.3)
        measuring.send_signal(how)
        measuring.wait()
        assert _until_dead(pid)
    (trace,) = trace_file.load(tmp_path / "t")
    assert len(trace.t_s) > 2


STUCK = """
import sys, time
from pathlib import Path
from joulemark.suite.sensors.sampler import Sampler
Sampler.start(Path(sys.argv[1]), time.monotonic(), sensors=["nvml"])
"""


def test_it_dies_with_its_parent_even_while_a_driver_hangs_at_the_start(tmp_path: Path) -> None:
    library = nvml_library.build(tmp_path)
    boards = [Board("GPU-1", traits="hang:0")]
    environment = dict(nvml_library.environment(library, boards, PYTHONPATH=str(ROOT)))
    with subprocess.Popen([sys.executable, "-c", STUCK, str(tmp_path / "t")], env=environment) as measuring:
        sampler: list[psutil.Process] = []
        end_s = time.monotonic() + 10
        while not (sampler and (tmp_path / "t").exists()) and time.monotonic() < end_s:
            time.sleep(0.05)
            sampler = psutil.Process(measuring.pid).children()
        time.sleep(0.3)
        measuring.kill()
        measuring.wait()
        assert _until_dead(sampler[0].pid)


def test_ctrl_c_at_the_terminal_does_not_end_it(tmp_path: Path) -> None:
    top = build(tmp_path, ZONES)
    with Sampler.start(tmp_path / "t", time.monotonic(), sensors=["rapl"], powercap_root=str(top)) as sampler:
        assert os.getpgid(sampler.process.pid) != os.getpgid(0)
        sampler.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert sampler.alive


def test_a_sensor_that_blocks_blocks_only_itself(tmp_path: Path) -> None:
    library = nvml_library.build(tmp_path)
    top = build(tmp_path, ZONES)
    environment = dict(nvml_library.environment(library, [Board("GPU-1", traits="hang:1.4")]))
    begin_s = time.monotonic()
    with Sampler.start(
        tmp_path / "t", begin_s, sensors=["rapl", "nvml"], powercap_root=str(top), environment=environment
    ) as sampler:
        assert sampler.sensors == ("rapl", "nvml")
        time.sleep(2.0)
        stop_s = time.monotonic()
    assert time.monotonic() - stop_s < 4.0
    found = {trace.sensor: trace for trace in trace_file.load(tmp_path / "t")}
    assert found["rapl"].t_s[-1] >= stop_s - begin_s - 0.15
    assert found["nvml"].t_s[-1] < stop_s - begin_s - 0.5


def test_no_sensor_at_all_is_no_error_and_says_why(tmp_path: Path) -> None:
    with Sampler.start(
        tmp_path / "t", time.monotonic(), sensors=["rapl", "nvml"], powercap_root=str(tmp_path / "none")
    ) as sampler:
        assert sampler.latest_power_w() is None
    assert [(finding.name, finding.readable) for finding in sampler.findings] == [("rapl", False), ("nvml", False)]
    assert all(finding.reason for finding in sampler.findings)
    assert trace_file.load(tmp_path / "t") == ()


def test_the_estimate_stands_in_only_where_nothing_reads_the_processor(tmp_path: Path) -> None:
    top = build(tmp_path, ZONES)
    with Sampler.start(tmp_path / "a", time.monotonic(), powercap_root=str(top)) as measured:
        pass
    assert measured.sensors == ("rapl",)
    with Sampler.start(tmp_path / "b", time.monotonic(), powercap_root=str(tmp_path / "none")) as estimated:
        time.sleep(1.2)
        power_w = estimated.latest_power_w()
    assert estimated.sensors == ("codecarbon",)
    assert power_w is not None
    assert power_w > 0
    (trace,) = trace_file.load(tmp_path / "b")
    assert [(channel.component, channel.kind) for channel in trace.channels] == [("cpu", "model"), ("ram", "model")]
    assert all(channel.gain[0] < 1 < channel.gain[1] for channel in trace.channels)


def test_this_process_never_imports_codecarbon(tmp_path: Path) -> None:
    code = (
        "import sys,time;from pathlib import Path;from joulemark.suite.sensors.sampler import Sampler;"
        "s=Sampler.start(Path(sys.argv[1]),time.monotonic(),sensors=['codecarbon']);s.stop();"
        "print(s.sensors, [m for m in ('codecarbon','pandas','pynvml','numpy') if m in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "t")],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "('codecarbon',) []"
    assert answer.stderr == ""


def test_power_now_is_the_sum_of_the_parts(tmp_path: Path) -> None:
    library = nvml_library.build(tmp_path)
    environment = dict(nvml_library.environment(library, [Board("GPU-1", 250.0), Board("GPU-2", 100.0)]))
    with Sampler.start(tmp_path / "t", time.monotonic(), sensors=["nvml"], environment=environment) as sampler:
        time.sleep(0.5)
        assert sampler.latest_power_w() == pytest.approx(350.0, rel=0.02)


def test_power_now_leaves_out_a_module_that_contains_the_board(tmp_path: Path) -> None:
    library = nvml_library.build(tmp_path)
    boards = [Board("GPU-1", 250.0, "grace", name="NVIDIA GH200 480GB")]
    environment = dict(nvml_library.environment(library, boards))
    with Sampler.start(tmp_path / "t", time.monotonic(), sensors=["nvml"], environment=environment) as sampler:
        time.sleep(0.5)
        assert sampler.latest_power_w() == pytest.approx(250.0, rel=0.02)


@pytest.mark.parametrize(
    ("traits", "within"),
    [("tick", 0.001), ("tick no_instant no_average no_legacy", 0.11)],  # counter alone: a tick more or less in a second
)
def test_power_now_does_not_flicker_with_a_counter_s_tick(tmp_path: Path, traits: str, within: float) -> None:
    """The counter moves each 100 ms, as often as it is read: from one read to the next it shows 0, 1 or 2 updates."""
    library = nvml_library.build(tmp_path)
    environment = dict(nvml_library.environment(library, [Board("GPU-1", 250.0, traits)]))
    with Sampler.start(tmp_path / "t", time.monotonic(), sensors=["nvml"], environment=environment) as sampler:
        time.sleep(1.2)
        seen = []
        for _ in range(40):
            time.sleep(0.037)
            seen.append(sampler.latest_power_w())
    assert all(power_w == pytest.approx(250.0, rel=within) for power_w in seen), seen


def test_an_unknown_sensor_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean 'rapl'"):
        Sampler.start(tmp_path / "t", time.monotonic(), sensors=["rapel"])


def test_a_process_that_cannot_start_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match=r"the power sampler did not start: .*No such file"):
        Sampler.start(tmp_path / "no" / "such" / "t", time.monotonic(), sensors=["rapl"])


FULL = """
import os, resource, sys
from joulemark.suite.sensors.sampler_process import Log
log = Log(sys.argv[1])
assert log.write(i=0, t=1.0)
room = max(1, os.stat(sys.argv[1]).st_size + int(sys.argv[2]))
resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
assert not log.write(i=0, t=1.1)
assert not log.write(i=0, t=1.2)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert log.write(i=0, t=1.3)
assert log.write(i=0, t=1.4)
"""


@pytest.mark.parametrize("room", [-10, 0, 5, 14])
def test_a_disk_that_was_full_for_a_moment_loses_that_moment_only(tmp_path: Path, room: int) -> None:
    """A file that may not grow is cut within a line, as on a full disk, or refuses all of it."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", FULL, str(tmp_path / "t"), str(room)], env=environment, check=True)
    found = []
    for text in (tmp_path / "t").read_text().splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            found.append(json.loads(text)["t"])
    assert found == [1.0, 1.3, 1.4]


def test_a_sampler_goes_on_after_its_disk_was_full(tmp_path: Path) -> None:
    top = build(tmp_path, ZONES)
    begin_s = time.monotonic()
    with Sampler.start(tmp_path / "t", begin_s, sensors=["rapl"], powercap_root=str(top)) as sampler:
        time.sleep(0.3)
        room = (tmp_path / "t").stat().st_size + 20
        resource.prlimit(sampler.process.pid, resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        time.sleep(0.4)
        resource.prlimit(sampler.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        again_s = time.monotonic() - begin_s
        time.sleep(0.5)
        assert sampler.latest_power_w() is not None
    (trace,) = trace_file.load(tmp_path / "t")
    assert sum(t < again_s - 0.4 for t in trace.t_s) >= 2
    assert not any(again_s - 0.3 < t < again_s for t in trace.t_s)
    assert sum(t > again_s for t in trace.t_s) >= 3


def test_a_dear_read_is_done_less_often() -> None:
    assert sampler_process.paced(cpu_cost_s=20e-6, wanted_s=0.1) == 0.1
    assert sampler_process.paced(cpu_cost_s=2.4e-3, wanted_s=0.1) == pytest.approx(0.48)
    assert sampler_process.paced(cpu_cost_s=1.0, wanted_s=0.1) == 1.0
