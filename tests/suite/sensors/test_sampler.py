"""The sampler seen from the process that starts it: what it finds, records, and does when others die or hang."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nvml_library
import psutil
import pytest
from busy_machine import undisturbed, wait_for_reads, wait_until
from nvml_library import FakeGpu
from places import ROOT
from powercap import FakeZone, build

from joulemark.suite.energy.components import HOST_MODELLED
from joulemark.suite.errors import MeasurementError, UsageError
from joulemark.suite.sensors import trace_file
from joulemark.suite.sensors.base import MODELS, Sensor
from joulemark.suite.sensors.sampler import Sampler

ZONES = (FakeZone("intel-rapl:0", "package-0"), FakeZone("intel-rapl:0:0", "dram"))

pytestmark = pytest.mark.slow


def _has_ended(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_reads_are_at_absolute_deadlines(tmp_path: Path) -> None:
    def check(folder: Path) -> None:
        root = build(folder, ZONES)
        with Sampler.start(folder / "t", time.monotonic(), sensors=["rapl"], powercap_root=str(root)):
            time.sleep(2.0)
        (trace,) = trace_file.load(folder / "t")
        t_s = trace.t_s[1:-1]
        assert t_s[-1] - t_s[0] == pytest.approx(Sensor.period_s * (len(t_s) - 1 + trace.missed_deadlines), abs=0.08)
        assert trace.cpu_s is not None
        assert trace.read_cost_s is not None

    undisturbed(check, tmp_path)


def test_killed_sampler_leaves_a_readable_trace(tmp_path: Path) -> None:
    root = build(tmp_path, ZONES)
    sampler = Sampler.start(tmp_path / "t", time.monotonic(), sensors=["rapl"], powercap_root=str(root))
    wait_for_reads(tmp_path / "t")
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
def test_dies_with_its_parent(tmp_path: Path, how: signal.Signals) -> None:
    root = build(tmp_path, ZONES)
    with subprocess.Popen(
        [sys.executable, "-c", MEASURING, str(tmp_path / "t"), str(root)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as measuring:
        assert measuring.stdout is not None
        pid = int(measuring.stdout.readline())
        wait_for_reads(tmp_path / "t")
        measuring.send_signal(how)
        measuring.wait()
        wait_until(lambda: _has_ended(pid))
    (trace,) = trace_file.load(tmp_path / "t")
    assert len(trace.t_s) > 2


STUCK = """
import sys, time
from pathlib import Path
from joulemark.suite.sensors.sampler import Sampler
Sampler.start(Path(sys.argv[1]), time.monotonic(), sensors=["nvml"])
"""


def test_dies_with_its_parent_while_a_driver_hangs_at_the_start(tmp_path: Path) -> None:
    library = nvml_library.build(tmp_path)
    hang = {"NVML_HANG": str(library), "PYTHONPATH": str(ROOT)}
    environment = nvml_library.environment(library, [FakeGpu("GPU-1", traits="hangs")], **hang)
    with subprocess.Popen([sys.executable, "-c", STUCK, str(tmp_path / "t")], env=environment) as measuring:
        wait_until((tmp_path / "t").exists)
        (sampler,) = psutil.Process(measuring.pid).children()
        time.sleep(0.3)  # most likely it is in the driver by now
        measuring.kill()
        measuring.wait()
        wait_until(lambda: _has_ended(sampler.pid))


def test_ctrl_c_at_the_terminal_does_not_end_it(tmp_path: Path) -> None:
    root = build(tmp_path, ZONES)
    with Sampler.start(tmp_path / "t", time.monotonic(), sensors=["rapl"], powercap_root=str(root)) as sampler:
        assert os.getpgid(sampler.process.pid) != os.getpgid(0)
        reads = len(trace_file.load(tmp_path / "t")[0].t_s)
        sampler.process.send_signal(signal.SIGINT)
        wait_for_reads(tmp_path / "t", reads + 3)
        assert sampler.alive


def test_blocking_sensor_blocks_only_itself(tmp_path: Path) -> None:
    library = nvml_library.build(tmp_path)
    root, hang = build(tmp_path, ZONES), tmp_path / "hang"
    environment = nvml_library.environment(library, [FakeGpu("GPU-1", traits="hangs")], NVML_HANG=str(hang))

    def reads() -> dict[str, int]:
        return {trace.sensor: len(trace.t_s) for trace in trace_file.load(tmp_path / "t")}

    with Sampler.start(
        tmp_path / "t",
        time.monotonic(),
        sensors=["rapl", "nvml"],
        powercap_root=str(root),
        environment=environment,
    ) as sampler:
        assert sampler.sensors == ("rapl", "nvml")
        wait_for_reads(tmp_path / "t")
        hang.touch()
        before = reads()
        wait_until(lambda: reads()["rapl"] >= before["rapl"] + 10)
    assert sampler.process.returncode == 0  # it ended by itself
    assert reads()["nvml"] <= before["nvml"] + 1


def test_no_sensor_at_all_is_no_error_and_has_reasons(tmp_path: Path) -> None:
    with Sampler.start(
        tmp_path / "t", time.monotonic(), sensors=["rapl", "nvml"], powercap_root=str(tmp_path / "none")
    ) as sampler:
        assert sampler.latest_power_w() is None
    assert [(finding.name, finding.readable) for finding in sampler.findings] == [("rapl", False), ("nvml", False)]
    assert all(finding.reason for finding in sampler.findings)
    assert trace_file.load(tmp_path / "t") == ()


def test_power_model_is_a_fallback_for_the_cpu(tmp_path: Path) -> None:
    root = build(tmp_path, ZONES)
    with Sampler.start(tmp_path / "a", time.monotonic(), powercap_root=str(root)) as measured:
        pass
    assert measured.sensors == ("rapl",)
    with Sampler.start(tmp_path / "b", time.monotonic(), powercap_root=str(tmp_path / "none")) as estimated:
        wait_until(lambda: {"cpu", "ram"} <= {power.component for power in estimated.latest_powers()})
        power_w = estimated.latest_power_w()
        assert estimated.latest_power_w(measured=True) is None, "a run would wait until a model is flat"
    (model,) = estimated.sensors
    assert model in MODELS
    assert power_w is not None
    assert power_w > 0
    (trace,) = trace_file.load(tmp_path / "b")
    assert {channel.kind for channel in trace.channels} == {"model"}
    second = ["cpu_codecarbon", "ram_codecarbon"] if model == "power_model" else []
    assert [channel.component for channel in trace.channels] == ["cpu", "ram", *second]
    assert all(channel.gain[0] < 1 < channel.gain[1] for channel in trace.channels)
    charged = [channel.values for channel in trace.channels if channel.component in HOST_MODELLED]
    assert power_w <= sum(max(value for value in values if value is not None) for values in charged) * (1 + 1e-9)


def test_codecarbon_is_not_imported_by_the_measuring_process(tmp_path: Path) -> None:
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


def test_unknown_sensor_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'rapl'"):
        Sampler.start(tmp_path / "t", time.monotonic(), sensors=["rapel"])


def test_process_that_cannot_start_gives_its_last_line(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match="No such file") as error:
        Sampler.start(tmp_path / "no" / "such" / "t", time.monotonic(), sensors=["rapl"])
    assert "\n" not in str(error.value)
