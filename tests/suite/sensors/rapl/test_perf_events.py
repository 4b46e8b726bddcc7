"""The sensor `perf`: the real system call, on a counter of the kernel that every machine has.

The tree names the software event `cpu-clock`, which counts nanoseconds, in place of energy: at 5e-8 J a count each
processor "draws" exactly 50 W.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from places import ROOT

from joulemark.suite.sensors.base import Sensor, SensorOptions
from joulemark.suite.sensors.rapl import perf_events

POWER_W = 50.0
PERF_TYPE_SOFTWARE = 1


def _tree(root: Path, events: tuple[str, ...] = ("energy-pkg", "energy-ram"), processors: str = "0") -> SensorOptions:
    (root / "events").mkdir(parents=True)
    (root / "type").write_text(f"{PERF_TYPE_SOFTWARE}\n")
    (root / "cpumask").write_text(f"{processors}\n")
    for event in events:
        (root / "events" / event).write_text("event=0x00\n")
        (root / "events" / f"{event}.scale").write_text(f"{POWER_W * 1e-9}\n")
        (root / "events" / f"{event}.unit").write_text("Joules\n")
    return SensorOptions(perf_root=str(root))


def _open(options: SensorOptions) -> Sensor:
    """Return the open sensor; skip the test if the kernel refuses."""
    result = perf_events.find(options)
    if result.sensor is None:
        pytest.skip(f"this kernel refuses perf events: {result.findings[0].reason}")
    assert result.findings[0].read_cost_s
    return result.sensor


def test_energy_is_counted_by_the_kernel(tmp_path: Path) -> None:
    sensor = _open(_tree(tmp_path))
    assert [(c.component, c.scope, c.unit, c.kind) for c in sensor.channels] == [
        ("package", "package-0", "J", "counter"),
        ("dram", "package-0", "J", "counter"),
    ]
    begin_s, before = time.monotonic(), sensor.read()
    time.sleep(0.3)
    end_s, after = time.monotonic(), sensor.read()
    sensor.close()
    for first, last in zip(before, after, strict=True):
        assert first is not None
        assert last is not None
        assert last - first == pytest.approx(POWER_W * (end_s - begin_s), rel=0.05)


def _with_dies(root: Path, options: SensorOptions, processors: int = 2) -> SensorOptions:
    """Return `options` for a machine with each processor on its own die of one package."""
    for processor in range(processors):
        topology = root / f"cpu{processor}" / "topology"
        topology.mkdir(parents=True)
        (topology / "physical_package_id").write_text("0\n")
        (topology / "die_id").write_text(f"{processor}\n")
    return replace(options, cpu_root=str(root))


@contextlib.contextmanager
def _page_faults_on(processor: int) -> Iterator[None]:
    """Run a program that touches new memory on `processor` only."""
    code = "import mmap, os, sys\nos.sched_setaffinity(0, {int(sys.argv[1])})\nprint(flush=True)\nwhile True:\n"
    code += " memory = mmap.mmap(-1, 2**24)\n for at in range(0, 2**24, 4096): memory[at] = 1\n"
    with subprocess.Popen([sys.executable, "-c", code, str(processor)], stdout=subprocess.PIPE) as busy:
        assert busy.stdout is not None
        busy.stdout.readline()
        yield
        busy.kill()


needs_two_processors = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2 or (os.cpu_count() or 1) < 2, reason="one processor"
)


@needs_two_processors
def test_each_die_of_a_package_is_counted(tmp_path: Path) -> None:
    """Their counters are the page faults of two processors here, only one of which is busy."""
    options = _tree(tmp_path / "power", events=("energy-pkg",), processors="0-1")
    (tmp_path / "power" / "events" / "energy-pkg").write_text("event=0x02\n")
    with _page_faults_on(0):
        sensor = _open(_with_dies(tmp_path / "cpu", options))
        sensor.close()
    assert [c.scope for c in sensor.channels] == ["package-0-die-0", "package-0-die-1"]


@needs_two_processors
def test_dies_that_show_one_counter_are_counted_once(tmp_path: Path) -> None:
    """Their counter is elapsed time, the same on all processors."""
    sensor = _open(_with_dies(tmp_path / "cpu", _tree(tmp_path / "power", processors="0-1")))
    sensor.close()
    assert [(c.component, c.scope) for c in sensor.channels] == [
        ("package", "package-0-die-0"),
        ("dram", "package-0-die-0"),
    ]


def test_machine_without_the_events(tmp_path: Path) -> None:
    result = perf_events.find(SensorOptions(perf_root=str(tmp_path / "none")))
    assert result.sensor is None
    assert not result.findings[0].found


def test_dram_alone_is_not_enough(tmp_path: Path) -> None:
    result = perf_events.find(_tree(tmp_path, events=("energy-ram",)))
    assert result.sensor is None
    assert result.findings[0].reason


@pytest.mark.parametrize(("text", "processors"), [("0", [0]), ("0,18\n", [0, 18]), ("0-2,7", [0, 1, 2, 7])])
def test_cpu_list_is_parsed_as_the_kernel_writes_it(text: str, processors: list[int]) -> None:
    assert perf_events.parse_cpu_list(text) == processors


AS_ANOTHER_USER = """
import os, sys
from joulemark.suite.sensors.base import SensorOptions
from joulemark.suite.sensors.rapl import perf_events
os.setgid(65534); os.setuid(65534)  # nobody; after the imports: the interpreter may be readable by root only
result = perf_events.find(SensorOptions(perf_root=sys.argv[1]))
print(result.sensor is None, result.findings[0].found, result.findings[0].reason, result.findings[0].fix, sep="|")
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_unpermitted_event_has_a_fix(tmp_path: Path) -> None:
    paranoid = Path("/proc/sys/kernel/perf_event_paranoid")
    if not paranoid.exists() or int(paranoid.read_text()) <= 0:
        pytest.skip("this kernel lets everybody read perf events")
    _tree(tmp_path / "power")
    for path in (tmp_path, *tmp_path.parents):
        if str(path).startswith("/tmp/"):
            path.chmod(0o755)
    answer = subprocess.run(
        [sys.executable, "-c", AS_ANOTHER_USER, str(tmp_path / "power")],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    refused, found, reason, fix = answer.stdout.strip().split("|")
    assert (refused, found) == ("True", "True")
    assert "not permitted" in reason
    assert "perf_event_paranoid=0" in fix
