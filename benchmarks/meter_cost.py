"""What a window costs the program that it is in: our Meter, codecarbon's tasks and zeus' windows, turn by turn.

A window here is empty, so that all of its time is the tool's. The tools take turns in an order shuffled anew each
round; a round's value is the mean over its windows. Goal: ours at most 50 us a window, and below codecarbon's.

`python -m benchmarks.meter_cost [FILE]` also writes the figures to FILE.
"""

from __future__ import annotations

import json
import logging
import platform
import random
import sys
import time
from collections.abc import Callable
from importlib.metadata import version

import numpy as np

import joulemark

ROUNDS = 30
GOAL_S = 50e-6
Window = Callable[[], None]
NOTES: dict[str, str] = {}
"""What must be known of a tool's figure."""


def ours() -> tuple[Window, int]:
    """A window of our meter, and how many make a round."""
    meter = joulemark.Meter("cost", offline=True).start()
    meter.stop()

    def window() -> None:
        with meter:
            pass

    return window, 500


def codecarbon() -> tuple[Window, int]:
    """A task of codecarbon's tracker, offline, else as it comes."""
    from codecarbon import OfflineEmissionsTracker

    logging.getLogger("codecarbon").setLevel(logging.CRITICAL)
    tracker = OfflineEmissionsTracker(
        country_iso_code="CHE", save_to_file=False, log_level="critical", allow_multiple_runs=True
    )

    def window() -> None:
        tracker.start_task("window")
        tracker.stop_task("window")

    window()
    return window, 2


def zeus() -> tuple[Window, int]:
    """A window of zeus' monitor."""
    from zeus.monitor import ZeusMonitor

    monitor = ZeusMonitor()
    if not (monitor.gpu_indices or monitor.cpu_indices):
        NOTES["zeus"] = "it finds no board and no RAPL here: its windows read nothing, and this is their bookkeeping"

    def window() -> None:
        monitor.begin_window("window")
        monitor.end_window("window")

    return window, 100


def mean_s(window: Window, count: int) -> float:
    """Seconds a window."""
    begin_s = time.perf_counter()
    for _ in range(count):
        window()
    return (time.perf_counter() - begin_s) / count


def main() -> bool:
    """Print the costs; whether the goal is met."""
    tools: dict[str, tuple[Window, int]] = {}
    document: dict[str, object] = {"machine": platform.processor() or platform.machine(), "rounds": ROUNDS}
    for name, made in (("joulemark", ours), ("codecarbon", codecarbon), ("zeus", zeus)):
        try:
            tools[name] = made()
        except Exception as error:  # noqa: BLE001 - it may be absent, or have nothing to measure on this machine
            document[name] = {"version": version(name), "reason": f"{type(error).__name__}: {error}"}
            print(f"      {name} {version(name)}: not measured ({error})")
    found: dict[str, list[float]] = {name: [] for name in tools}
    rng = random.Random(1)
    for _ in range(ROUNDS):
        for name in rng.sample(sorted(tools), len(tools)):
            found[name].append(mean_s(*tools[name]))
    for name, values in found.items():
        low, median, high = np.percentile(values, (2.5, 50, 97.5))
        figures = {"median_s": median, "low_s": low, "high_s": high, "n": len(values)}
        document[name] = {"version": version(name), **figures, "note": NOTES.get(name)}
        text = f"{1e6 * median:,.1f} us a window [{1e6 * low:,.1f}, {1e6 * high:,.1f}]"
        print(f"      {name} {version(name)}: {text}{f' ({NOTES[name]})' if name in NOTES else ''}")
    our_s = float(np.median(found["joulemark"]))
    reading = [values for name, values in found.items() if name not in NOTES]
    met = our_s <= GOAL_S and all(our_s <= float(np.median(values)) for values in reading)
    print(
        f"{'met ' if met else 'MISS'}  our window {1e6 * our_s:.1f} us   goal: <= 50 us, and least of those that read",
        flush=True,
    )
    if len(sys.argv) > 1:
        with open(sys.argv[1], "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.write("\n")
    return met


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
