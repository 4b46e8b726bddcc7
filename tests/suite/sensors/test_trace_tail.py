"""A window read from a trace file that is still being written, against the whole file."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import pytest

from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.sensors import trace_file
from joulemark.suite.sensors.trace_tail import BLOCK_BYTES, TraceTail

SENSORS = (
    {
        "component": "package",
        "scope": "package-0",
        "unit": "J",
        "kind": "counter",
        "tick_s": 0.001,
        "gain": (0.95, 1.05),
    },
    {"component": "gpu", "scope": "GPU-1", "unit": "W", "kind": "integrated", "tick_s": 0.1, "average_s": 1.0},
)
PERIODS_S = (0.1, 0.5)
LENGTH_S = 2000.0


def _file(path: Path) -> Path:
    """Write the reads of two sensors, jittered and in the order of their times; the counter wraps now and then."""
    rng = random.Random(4)
    entries: list[tuple[float, dict[str, object]]] = []
    for number, period_s in enumerate(PERIODS_S):
        for k in range(round(LENGTH_S / period_s)):
            t = round(1.0 + k * period_s + rng.uniform(0, 0.02), 6)
            power_w = 100 + 40 * math.sin(t / 7)
            value = (120 * t + 15 * math.sin(t / 3)) % 5000.0 if number == 0 else power_w
            entries.append((t, {"i": number, "t": t, "c": 1e-5, "v": [value]}))
    lines: list[dict[str, object]] = [{"origin_monotonic_s": 5.0, "pid": 1}]
    for number, channel in enumerate(SENSORS):
        wrap_j = [5000.0 if number == 0 else None]
        lines.append(
            {"sensor": number, "name": f"s{number}", "simulated": False, "channels": [channel], "wrap_j": wrap_j}
        )
    lines.append({"ready": True})
    lines += [entry for _, entry in sorted(entries, key=lambda timed: timed[0])]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _file(tmp_path_factory.mktemp("tail") / "trace")


@pytest.mark.parametrize("window", [(1.2, 1.9), (3.0, 80.0), (777.7, 777.9), (1000.0, 1600.5), (1995.0, 1999.3)])
def test_window_reads_the_same_from_a_part_of_the_file(path: Path, window: tuple[float, float]) -> None:
    whole = compute_readings(trace_file.load(path), window, "cuda")
    tail = TraceTail(path)
    part = tail.around(window)
    tail.close()
    # A counter begins at 0 in each, so that sums differ in their last digits.
    numbers = ("energy_j", "low_j", "high_j")
    for one, other in zip(compute_readings(part, window, "cuda"), whole, strict=True):
        for number in numbers:
            value = getattr(other, number)
            assert getattr(one, number) == (None if value is None else pytest.approx(value, rel=1e-9))
        assert one.model_dump(exclude={*numbers}) == other.model_dump(exclude={*numbers})
    assert sum(energy.energy_j is not None for energy in whole) == 2


def test_only_the_lines_around_the_window_are_read(path: Path) -> None:
    tail = TraceTail(path)
    (counter, power) = tail.around((1000.0, 1001.0))
    tail.close()
    assert path.stat().st_size > 10 * BLOCK_BYTES
    assert 0 < len(counter.t_s) < 1500
    assert 0 < len(power.t_s) < 300


def test_line_is_left_out_until_it_is_complete(tmp_path: Path) -> None:
    path = _file(tmp_path / "trace")
    tail = TraceTail(path)
    with path.open("a") as file:
        file.write('{"i":0,"t":2005.0,"c":1e-5,"v"')
        file.flush()
        before = tail.around((2000.0, 2001.0))
        file.write(":[0.0]}\n")
        file.flush()
        after = tail.around((2000.0, 2001.0))
    tail.close()
    assert before[0].t_s[-1] < 2001.1
    assert after[0].t_s[-1] == 2005.0


def test_covered_time_is_that_of_the_slowest_sensor(tmp_path: Path) -> None:
    path = _file(tmp_path / "trace")
    tail = TraceTail(path)
    last = max(json.loads(line)["t"] for line in path.read_text().splitlines() if '"i": 1, "t"' in line)
    # An average over 1 s, updated each 0.1 s, is of 0.55 s before its read, give or take half an update period.
    assert tail.covered_s() == pytest.approx(last - 0.6)
    tail.close()


def test_without_sensors_all_time_is_covered(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_text('{"origin_monotonic_s": 5.0, "pid": 1}\n{"ready": true}\n')
    tail = TraceTail(path)
    assert tail.around((0.0, 1.0)) == ()
    assert tail.covered_s() == float("inf")
    tail.close()
