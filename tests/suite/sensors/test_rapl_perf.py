"""perf's energy events: the real system call, on a counter of the kernel that every machine has.

The tree names the software event `cpu-clock`, which counts nanoseconds, in the place of energy: at 5e-8 J a count each
processor "draws" exactly 50 W.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from places import ROOT

from joulemark.suite.sensors import cpu_topology, rapl_perf
from joulemark.suite.sensors.base import Options

POWER_W = 50.0
PERF_TYPE_SOFTWARE = 1


def _tree(root: Path, events: tuple[str, ...] = ("energy-pkg", "energy-ram"), processors: str = "0") -> Options:
    (root / "events").mkdir(parents=True)
    (root / "type").write_text(f"{PERF_TYPE_SOFTWARE}\n")
    (root / "cpumask").write_text(f"{processors}\n")
    for event in events:
        (root / "events" / event).write_text("event=0x00\n")
        (root / "events" / f"{event}.scale").write_text(f"{POWER_W * 1e-9}\n")
        (root / "events" / f"{event}.unit").write_text("Joules\n")
    return Options(perf_root=str(root))


def test_energy_is_counted_by_the_kernel(tmp_path: Path) -> None:
    opened = rapl_perf.find(_tree(tmp_path))
    if opened.sensor is None:
        pytest.skip(f"this kernel refuses perf events: {opened.findings[0].reason}")
    sensor = opened.sensor
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
    assert opened.findings[0].read_cost_s


def _dies(root: Path, tree: Options, processors: int = 2) -> Options:
    """`tree` on a machine whose processors lie each on a die of its own in one package."""
    for processor in range(processors):
        topology = root / f"cpu{processor}" / "topology"
        topology.mkdir(parents=True)
        (topology / "physical_package_id").write_text("0\n")
        (topology / "die_id").write_text(f"{processor}\n")
    return replace(tree, cpu_root=str(root))


@contextlib.contextmanager
def _at_work(processor: int) -> Iterator[None]:
    """A program that touches new memory on `processor` alone."""
    code = "import mmap, os, sys\nos.sched_setaffinity(0, {int(sys.argv[1])})\nprint(flush=True)\nwhile True:\n"
    code += " memory = mmap.mmap(-1, 2**24)\n for at in range(0, 2**24, 4096): memory[at] = 1\n"
    with subprocess.Popen([sys.executable, "-c", code, str(processor)], stdout=subprocess.PIPE) as busy:
        assert busy.stdout is not None
        busy.stdout.readline()
        yield
        busy.kill()


needs_two = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2 or (os.cpu_count() or 1) < 2, reason="one processor")


@needs_two
def test_each_die_of_a_package_is_counted(tmp_path: Path) -> None:
    """Their counters are page faults of two processors here, of which one is at work."""
    tree = _tree(tmp_path / "power", events=("energy-pkg",), processors="0-1")
    (tmp_path / "power" / "events" / "energy-pkg").write_text("event=0x02\n")
    with _at_work(0):
        opened = rapl_perf.find(_dies(tmp_path / "cpu", tree))
        if opened.sensor is None:
            pytest.skip(f"this kernel refuses perf events: {opened.findings[0].reason}")
        opened.sensor.close()
    assert [c.scope for c in opened.sensor.channels] == ["package-0-die-0", "package-0-die-1"]


@needs_two
def test_dies_that_show_one_counter_are_counted_once(tmp_path: Path) -> None:
    """Their counter is the time that has gone by, which all processors share."""
    opened = rapl_perf.find(_dies(tmp_path / "cpu", _tree(tmp_path / "power", processors="0-1")))
    if opened.sensor is None:
        pytest.skip(f"this kernel refuses perf events: {opened.findings[0].reason}")
    opened.sensor.close()
    assert [(c.component, c.scope) for c in opened.sensor.channels] == [
        ("package", "package-0-die-0"),
        ("dram", "package-0-die-0"),
    ]


@pytest.mark.parametrize(("ratio", "mirrors"), [(1.0, True), (1.001, False)])
def test_one_register_is_told_from_two_that_are_nearly_alike(ratio: float, is_same_counter: bool) -> None:
    """Both are updated each millisecond, as RAPL's are, and began at unlike counts."""

    def counts_at(power_w: float, from_counts: int) -> Callable[[], int]:
        return lambda: int(power_w * int(time.monotonic() * 1000) * 1e-3 / 61e-6) + from_counts

    assert cpu_topology.is_same_counter(counts_at(50.0, 0), counts_at(50.0 * ratio, 12345)) is is_same_counter


def test_a_machine_without_the_events_is_told(tmp_path: Path) -> None:
    opened = rapl_perf.find(Options(perf_root=str(tmp_path / "none")))
    assert opened.sensor is None
    assert not opened.findings[0].found


def test_memory_alone_is_not_enough(tmp_path: Path) -> None:
    opened = rapl_perf.find(_tree(tmp_path, events=("energy-ram",)))
    assert opened.sensor is None
    assert opened.findings[0].reason


@pytest.mark.parametrize(("text", "processors"), [("0", [0]), ("0,18\n", [0, 18]), ("0-2,7", [0, 1, 2, 7])])
def test_processors_are_listed_as_the_kernel_writes_them(text: str, processors: list[int]) -> None:
    assert rapl_perf._list(text) == processors


AS_ANOTHER_USER = """
import os, sys
from joulemark.suite.sensors import rapl_perf as perf
from joulemark.suite.sensors.base import Options
os.setgid(65534); os.setuid(65534)  # nobody; after the imports, for the interpreter may lie where only root can read
opened = perf.find(Options(perf_root=sys.argv[1]))
print(opened.sensor is None, opened.findings[0].found, opened.findings[0].reason, opened.findings[0].fix, sep="|")
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_user_is_told_what_is_not_permitted_and_the_fix(tmp_path: Path) -> None:
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
