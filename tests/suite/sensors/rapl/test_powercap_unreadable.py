"""Powercap counters that are absent, vanish, or may not be read: a reason and a fix, and never a value."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from busy_machine import wait_for_reads
from places import ROOT
from powercap import Driver, FakeZone, build, device

from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.sensors import trace_file
from joulemark.suite.sensors.base import SensorOptions
from joulemark.suite.sensors.rapl import powercap
from joulemark.suite.sensors.sampler import Sampler


def test_absent_tree_has_a_reason_and_a_fix(tmp_path: Path) -> None:
    result = powercap.find(SensorOptions(powercap_root=str(tmp_path / "nowhere")))
    assert result.sensor is None
    (finding,) = result.findings
    assert (finding.found, finding.readable) == (False, False)
    assert finding.reason
    assert finding.fix


def test_vanished_counter_is_a_missed_read(tmp_path: Path) -> None:
    top = build(tmp_path, (FakeZone("intel-rapl:0", "package-0"),))
    sensor = powercap.find(SensorOptions(powercap_root=str(top))).sensor
    assert sensor is not None
    assert sensor.read() == [1.0]
    (device(tmp_path, "intel-rapl:0") / "energy_uj").write_text("")  # what an unloaded driver leaves to read
    assert sensor.read() == [None]
    sensor.close()


AS_ANOTHER_USER = """
import os, sys
from joulemark.suite.sensors.base import SensorOptions
from joulemark.suite.sensors.rapl import powercap
os.setgid(65534); os.setuid(65534)  # nobody; after the imports: the interpreter may be readable by root only
result = powercap.find(SensorOptions(powercap_root=sys.argv[1]))
print(result.sensor); print(result.findings[0].found, result.findings[0].readable)
print(result.findings[0].reason); print(result.findings[0].fix)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_unpermitted_counter_has_a_fix(tmp_path: Path) -> None:
    top = build(tmp_path, (FakeZone("intel-rapl:0", "package-0"), FakeZone("intel-rapl:0:0", "dram")))
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_uid == 0 and str(path).startswith("/tmp/"):
            path.chmod(0o755)
    for path in tmp_path.rglob("energy_uj"):
        path.chmod(0o400)
    answer = subprocess.run(
        [sys.executable, "-c", AS_ANOTHER_USER, str(top)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    sensor, state, reason, fix = answer.stdout.splitlines()
    assert (sensor, state) == ("None", "True False")
    assert "not permitted" in reason
    assert "chmod a+r" in fix
    assert "/etc/udev/rules.d/" in fix


@pytest.mark.slow
def test_zone_that_cannot_be_opened_is_listed_without_a_value(tmp_path: Path) -> None:
    zones = (FakeZone("intel-rapl:0", "package-0", power_w=80.0), FakeZone("intel-rapl:0:0", "dram"))
    top = build(tmp_path, zones)
    (device(tmp_path, "intel-rapl:0:0") / "energy_uj").unlink()
    origin_s = time.monotonic()
    with (
        Driver(tmp_path, zones[:1], run_s=1.0) as driver,
        Sampler.start(tmp_path / "trace", origin_s, sensors=["rapl"], powercap_root=str(top)) as sampler,
    ):
        begin_s = time.monotonic() - origin_s
        wait_for_reads(tmp_path / "trace", 2, begin_s)
        driver.run()
        # The window ends between two reads of the last value: joules are interpolated between reads.
        wait_for_reads(tmp_path / "trace", 2, time.monotonic() - origin_s)
        ended_s = time.monotonic() - origin_s
        wait_for_reads(tmp_path / "trace", 2, ended_s)
    assert [finding.readable for finding in sampler.findings] == [True, False]
    traces = trace_file.load(tmp_path / "trace")
    package, dram = compute_readings(traces, (begin_s, ended_s), "cpu")
    assert package.energy_j == pytest.approx(80.0)
    assert (dram.energy_j, dram.attributed) == (None, True)
    assert "energy_uj: No such file" in (dram.reason or "")
