"""What watching costs: the sampler's share of a core, and an eager-dispatch loop with the sampler on over off.

Beside it, on the same loop in the same interleaved run, codecarbon's tracker at its own default rate and zeus' window
calls (both in the measuring process, as their users have them). Goals: below 1 % of one core; on over off at least
0.995 in the median. The sampler reads three counters of a tree on disk at 10 Hz: sysfs costs about the same.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from benchmarks.ratios import interleaved, report

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from powercap import FakeZone, build

from joulemark.suite.sensors import trace_file
from joulemark.suite.sensors.sampler import Sampler

WATCH_S = 20.0
ROUNDS = 40
LOOP_S = 0.5
ZONES = (
    FakeZone("intel-rapl:0", "package-0"),
    FakeZone("intel-rapl:0:0", "dram"),
    FakeZone("intel-rapl:1", "package-1", start_uj=9_000_000_000),
)

Watch = Callable[[], contextlib.AbstractContextManager[None]]


def share_of_a_core(scratch: Path, sensors: tuple[str, ...], root: Path) -> bool:
    """CPU time of the sampler's process over the time it ran, after it was ready."""
    path = scratch / f"cost-{sensors[0]}"
    with Sampler.start(path, time.monotonic(), sensors=sensors, powercap_root=str(root)) as sampler:
        process = psutil.Process(sampler.process.pid)
        begin = process.cpu_times()
        time.sleep(WATCH_S)
        end = process.cpu_times()
    share = (end.user + end.system - begin.user - begin.system) / WATCH_S
    (trace,) = trace_file.load(path)
    rate = len(trace.t_s) / (trace.t_s[-1] - trace.t_s[0])
    good = share < 0.01
    print(
        f"{'met ' if good else 'MISS'}  sampler reading {sensors[0]} at {rate:.1f} Hz: {share:.2%} of one core, "
        f"a read takes {1e6 * (trace.read_cost_s or 0):.0f} us, {trace.missed_deadlines} deadlines missed, goal: < 1 %",
        flush=True,
    )
    return good


@contextlib.contextmanager
def ours(scratch: Path, root: Path) -> Iterator[None]:
    """The sampler beside the loop."""
    (scratch / "loop").unlink(missing_ok=True)
    with Sampler.start(scratch / "loop", time.monotonic(), sensors=["rapl"], powercap_root=str(root)):
        yield


@contextlib.contextmanager
def codecarbon() -> Iterator[None]:
    """codecarbon's tracker in this process, offline, else as it comes."""
    from codecarbon import OfflineEmissionsTracker

    logging.getLogger("codecarbon").setLevel(logging.CRITICAL)
    tracker = OfflineEmissionsTracker(
        country_iso_code="CHE", save_to_file=False, log_level="critical", allow_multiple_runs=True
    )
    tracker.start()
    try:
        yield
    finally:
        tracker.stop()


def zeus() -> Watch:
    """zeus' window calls around the loop. ImportError without it; RuntimeError where it finds nothing to measure."""
    from zeus.monitor import ZeusMonitor

    monitor = ZeusMonitor()
    if not (monitor.gpu_indices or monitor.cpu_indices):
        raise RuntimeError("it finds no board and no RAPL here")

    @contextlib.contextmanager
    def window() -> Iterator[None]:
        monitor.begin_window("loop")
        try:
            yield
        finally:
            monitor.end_window("loop")

    return window


def dispatches_per_s() -> float:
    """Rate of small eager additions: the framework's dispatch, which a watcher on the same cores would disturb."""
    import torch

    a = torch.ones(16)
    count = 0
    begin_s = time.monotonic()
    while time.monotonic() - begin_s < LOOP_S:
        for _ in range(1000):
            a.add(1.0)
        count += 1000
    return count / (time.monotonic() - begin_s)


def watched(watch: Watch) -> Callable[[], float]:
    """The loop under `watch`, which has time to start before it."""

    def run() -> float:
        with watch():
            return dispatches_per_s()

    return run


def main() -> bool:
    """Print the shares and ratios; whether the goals are met."""
    import torch

    torch.set_num_threads(1)
    dispatches_per_s()
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        root = build(scratch / "tree", ZONES)
        met = [share_of_a_core(scratch, (name,), root) for name in ("rapl", "codecarbon")]
        ratio = interleaved(watched(lambda: ours(scratch, root)), dispatches_per_s, ROUNDS)
        met.append(report("eager dispatch, our sampler on / off", ratio, ">= 0.995", ratio.median >= 0.995))
    ratio = interleaved(watched(codecarbon), dispatches_per_s, ROUNDS)
    print(f"      eager dispatch, codecarbon's tracker on / off              {ratio}")
    try:
        ratio = interleaved(watched(zeus()), dispatches_per_s, ROUNDS)
        print(f"      eager dispatch, zeus' windows on / off                     {ratio}")
    except Exception as error:  # noqa: BLE001 - it may be absent, or have nothing to measure on this machine
        print(f"      eager dispatch, zeus' windows: not measured ({type(error).__name__}: {error})")
    return all(met)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
