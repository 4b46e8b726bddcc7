"""The sampler's own process: the trace file on a full disk, and the period of expensive reads."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from busy_machine import wait_for_reads
from places import ROOT
from powercap import FakeZone, build

from joulemark.suite.sensors import trace_file
from joulemark.suite.sensors.sampler import Sampler
from joulemark.suite.sensors.sampler_process import affordable_period_s

FULL_DISK = """
import os, resource, sys
from joulemark.suite.sensors.sampler_process import Log
log = Log(sys.argv[1])
assert log.write(i=0, t=1.0)
limit = max(1, os.stat(sys.argv[1]).st_size + int(sys.argv[2]))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
assert not log.write(i=0, t=1.1)
assert not log.write(i=0, t=1.2)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert log.write(i=0, t=1.3)
assert log.write(i=0, t=1.4)
"""


@pytest.mark.parametrize("free_bytes", [-10, 0, 5, 14])
def test_log_loses_only_the_lines_written_to_a_full_disk(tmp_path: Path, free_bytes: int) -> None:
    """A file that may not grow is cut within a line, as on a full disk, or refuses all of it."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path / "t"), str(free_bytes)], env=environment, check=True)
    times = []
    for text in (tmp_path / "t").read_text().splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            times.append(json.loads(text)["t"])
    assert times == [1.0, 1.3, 1.4]


@pytest.mark.slow
def test_sampling_continues_after_the_disk_was_full(tmp_path: Path) -> None:
    root = build(tmp_path, (FakeZone("intel-rapl:0", "package-0"), FakeZone("intel-rapl:0:0", "dram")))
    begin_s = time.monotonic()
    with Sampler.start(tmp_path / "t", begin_s, sensors=["rapl"], powercap_root=str(root)) as sampler:
        wait_for_reads(tmp_path / "t")
        limit = (tmp_path / "t").stat().st_size + 20
        resource.prlimit(sampler.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        full_s = time.monotonic() - begin_s
        time.sleep(0.4)
        resource.prlimit(sampler.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        free_again_s = time.monotonic() - begin_s
        wait_for_reads(tmp_path / "t", after_s=free_again_s)
        assert sampler.latest_power_w() is not None
    (trace,) = trace_file.load(tmp_path / "t")
    assert sum(t < full_s for t in trace.t_s) >= 3
    assert not any(full_s < t < free_again_s - 0.1 for t in trace.t_s)
    assert sum(t > free_again_s for t in trace.t_s) >= 3


def test_expensive_read_is_made_less_often() -> None:
    assert affordable_period_s(cpu_cost_s=20e-6, wanted_s=0.1) == 0.1
    assert affordable_period_s(cpu_cost_s=2.4e-3, wanted_s=0.1) == pytest.approx(0.48)
    assert affordable_period_s(cpu_cost_s=1.0, wanted_s=0.1) == 1.0
