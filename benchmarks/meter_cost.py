"""The cost of a window to the program it is in: Joulemark's Meter, codecarbon's tasks and zeus' windows.

The windows are empty, which makes all of their time the tool's. The tools are measured turn by turn, in an order
shuffled in each round; the value of a round is the mean over its windows. Goal: at most 50 us per window for Joulemark,
and no more than any other tool that reads a sensor.

`python -m benchmarks.meter_cost [FILE]` also writes the figures to FILE.
"""

from __future__ import annotations

import json
import platform
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

import joulemark
from benchmarks.other_tools import codecarbon_tracker, installed_version, zeus_monitor
from benchmarks.ratios import report

ROUNDS = 30
GOAL_S = 50e-6
Window = Callable[[], None]
NOTES: dict[str, str] = {}
"""Remarks on a tool's figure, which then does not count for the goal."""


def joulemark_window() -> tuple[Window, int]:
    """Return a function that opens and closes a window of a meter, and the number of windows in a round."""
    meter = joulemark.Meter("cost", offline=True).start()
    meter.stop()

    def window() -> None:
        with meter:
            pass

    return window, 500


def codecarbon_window() -> tuple[Window, int]:
    """Return a function that runs an empty task of codecarbon's tracker, and the number of tasks in a round."""
    tracker = codecarbon_tracker()

    def window() -> None:
        tracker.start_task("window")
        tracker.stop_task("window")

    window()
    return window, 2


def zeus_window() -> tuple[Window, int]:
    """Return a function that opens and closes a window of zeus' monitor, and the number of windows in a round."""
    monitor, reads_sensors = zeus_monitor()
    if not reads_sensors:
        NOTES["zeus"] = "no GPU and no RAPL for it here: its windows read nothing and cost only their bookkeeping"

    def window() -> None:
        monitor.begin_window("window")
        monitor.end_window("window")

    return window, 100


TOOLS = {"joulemark": joulemark_window, "codecarbon": codecarbon_window, "zeus": zeus_window}


def mean_s(window: Window, count: int) -> float:
    """Return the mean duration of `count` windows, seconds."""
    start = time.perf_counter()
    for _ in range(count):
        window()
    return (time.perf_counter() - start) / count


def measure(tools: Mapping[str, tuple[Window, int]]) -> dict[str, list[float]]:
    """Return the seconds per window of each round, by tool."""
    values: dict[str, list[float]] = {name: [] for name in tools}
    order = random.Random(1)
    for _ in range(ROUNDS):
        for name in order.sample(sorted(tools), len(tools)):
            values[name].append(mean_s(*tools[name]))
    return values


def describe(name: str, values: Sequence[float]) -> dict[str, object]:
    """Print the cost of a tool's windows, and return it as plain data."""
    low, median, high = (float(value) for value in np.percentile(values, (2.5, 50, 97.5)))
    note = NOTES.get(name)
    cost = f"{1e6 * median:,.1f} us per window [{1e6 * low:,.1f}, {1e6 * high:,.1f}]"
    report(f"{name} {installed_version(name)}", f"{cost} ({note})" if note else cost)
    figures = {"median_s": median, "low_s": low, "high_s": high, "n": len(values)}
    return {"version": installed_version(name), **figures, "note": note}


def main(arguments: Sequence[str]) -> bool:
    """Print the costs; return whether the goal is met."""
    tools: dict[str, tuple[Window, int]] = {}
    document: dict[str, object] = {"machine": platform.processor() or platform.machine(), "rounds": ROUNDS}
    for name, make_window in TOOLS.items():
        try:
            tools[name] = make_window()
        except Exception as error:  # noqa: BLE001 - it may be absent, or have nothing to measure on this machine
            document[name] = {"version": installed_version(name), "reason": f"{type(error).__name__}: {error}"}
            report(name, f"not measured: {error}")
    values = measure(tools)
    document |= {name: describe(name, values[name]) for name in values}
    median_s = float(np.median(values["joulemark"]))
    lowest_s = min(float(np.median(values[name])) for name in values if name not in NOTES)
    met = report(
        "joulemark's window",
        f"{1e6 * median_s:.1f} us",
        f"<= {1e6 * GOAL_S:.0f} us, and the cheapest of those that read a sensor",
        median_s <= GOAL_S and median_s <= lowest_s,
    )
    if arguments:
        Path(arguments[0]).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return met


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:]) else 1)
