"""The cost of the sampler: its share of a CPU core, and eager dispatch with the sampler on over off.

For comparison, the same loop in the same interleaved run with codecarbon's tracker at its default rate and with zeus'
window calls, both in the measuring process, as their users have them. Goals: below 1 % of one core; on over off at
least 0.995 in the median. The sampler reads three counters of a tree on disk at 10 Hz; sysfs costs about the same.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
from powercap import FakeZone, build

from benchmarks.other_tools import codecarbon_tracker, zeus_monitor
from benchmarks.ratios import interleaved, report
from joulemark.suite.sensors import trace_file
from joulemark.suite.sensors.sampler import Sampler

SAMPLING_S = 20.0
ROUNDS = 40
LOOP_S = 0.5
ZONES = (
    FakeZone("intel-rapl:0", "package-0"),
    FakeZone("intel-rapl:0:0", "dram"),
    FakeZone("intel-rapl:1", "package-1", start_uj=9_000_000_000),
)

Monitor = Callable[[], contextlib.AbstractContextManager[None]]


def core_share_is_low(scratch: Path, sensor: str, root: Path) -> bool:
    """Print the sampler's CPU time over its running time, both once it is ready; return whether it meets the goal."""
    path = scratch / f"cost-{sensor}"
    with Sampler.start(path, time.monotonic(), sensors=(sensor,), powercap_root=str(root)) as sampler:
        process = psutil.Process(sampler.process.pid)
        begin = process.cpu_times()
        time.sleep(SAMPLING_S)
        end = process.cpu_times()
    share = (end.user + end.system - begin.user - begin.system) / SAMPLING_S
    (trace,) = trace_file.load(path)
    rate = len(trace.t_s) / (trace.t_s[-1] - trace.t_s[0])
    cost = (
        f"{share:.2%} of one core, {1e6 * (trace.read_cost_s or 0):.0f} us per read, "
        f"{trace.missed_deadlines} deadlines missed"
    )
    return report(f"sampler, {sensor} at {rate:.1f} Hz", cost, "< 1 %", share < 0.01)


@contextlib.contextmanager
def sampling(scratch: Path, root: Path) -> Iterator[None]:
    """Run the sampler during the block."""
    (scratch / "loop").unlink(missing_ok=True)
    with Sampler.start(scratch / "loop", time.monotonic(), sensors=["rapl"], powercap_root=str(root)):
        yield


@contextlib.contextmanager
def codecarbon() -> Iterator[None]:
    """Run codecarbon's tracker in this process during the block."""
    tracker = codecarbon_tracker()
    tracker.start()
    try:
        yield
    finally:
        tracker.stop()


def zeus() -> Monitor:
    """Return a context manager of zeus' window calls. Raises ImportError without zeus, RuntimeError without sensors."""
    monitor, reads_sensors = zeus_monitor()
    if not reads_sensors:
        raise RuntimeError("no GPU and no RAPL for it here")

    @contextlib.contextmanager
    def window() -> Iterator[None]:
        monitor.begin_window("loop")
        try:
            yield
        finally:
            monitor.end_window("loop")

    return window


def dispatches_per_s() -> float:
    """Return the rate of small eager additions: the framework's dispatch, which other work on the cores slows down."""
    import torch

    a = torch.ones(16)
    count = 0
    start = time.monotonic()
    while time.monotonic() - start < LOOP_S:
        for _ in range(1000):
            a.add(1.0)
        count += 1000
    return count / (time.monotonic() - start)


def monitored(monitor: Monitor) -> Callable[[], float]:
    """Return a function that measures the dispatch rate once `monitor` has started."""

    def measure() -> float:
        with monitor():
            return dispatches_per_s()

    return measure


def main() -> bool:
    """Print the shares and ratios; return whether all meet their goals."""
    import torch

    torch.set_num_threads(1)
    dispatches_per_s()
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        root = build(scratch / "tree", ZONES)
        met = [core_share_is_low(scratch, name, root) for name in ("rapl", "codecarbon")]
        ratio = interleaved(monitored(lambda: sampling(scratch, root)), dispatches_per_s, ROUNDS)
        met.append(report("eager dispatch, sampler on / off", ratio, ">= 0.995", ratio.median >= 0.995))
    ratio = interleaved(monitored(codecarbon), dispatches_per_s, ROUNDS)
    report("eager dispatch, codecarbon's tracker on / off", ratio)
    try:
        ratio = interleaved(monitored(zeus()), dispatches_per_s, ROUNDS)
        report("eager dispatch, zeus' windows on / off", ratio)
    except Exception as error:  # noqa: BLE001 - it may be absent, or have nothing to measure on this machine
        report("eager dispatch, zeus' windows", f"not measured ({type(error).__name__}: {error})")
    return all(met)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
