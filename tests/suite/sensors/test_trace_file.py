"""Trace files: cut off, damaged, with wraps, with resets."""

import json
from pathlib import Path

import pytest

from joulemark.suite.records import Channel
from joulemark.suite.sensors import trace_file

CHANNEL = {"component": "package", "scope": "package-0", "unit": "J", "kind": "counter"}


def _write(path: Path, *lines: object, tail: str = "") -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + tail)
    return path


def _sensor(wrap_j: float | None = None) -> dict[str, object]:
    return {"sensor": 0, "name": "rapl", "simulated": False, "channels": [CHANNEL], "wrap_j": [wrap_j]}


def test_line_cut_off_by_a_kill_is_left_out(tmp_path: Path) -> None:
    lines = [{"i": 0, "t": t, "c": 1e-5, "v": [10.0 * t]} for t in (1.0, 1.1, 1.2)]
    path = _write(tmp_path / "t", {"origin_monotonic_s": 5.0}, _sensor(), *lines, tail='{"i":0,"t":1.3,"c":1e')
    (trace,) = trace_file.load(path)
    assert trace.t_s == (1.0, 1.1, 1.2)
    assert trace.channels[0].values == pytest.approx((0.0, 1.0, 2.0))
    assert trace.read_cost_s == 1e-5


@pytest.mark.parametrize("damage", ['{"i":0,"t":1.1,"c":1e\n', '{"i":0,"t":1.1{"i":0}\n', "\0\0\0\n", "7\n", "\n"])
def test_damaged_line_loses_only_itself(tmp_path: Path, damage: str) -> None:
    lines = [json.dumps({"i": 0, "t": t, "c": 1e-5, "v": [10.0 * t]}) + "\n" for t in (1.0, 1.2)]
    path = _write(tmp_path / "t", _sensor(), tail=lines[0] + damage + lines[1])
    (trace,) = trace_file.load(path)
    assert trace.t_s == (1.0, 1.2)


def test_reads_of_a_sensor_whose_own_line_is_damaged_are_left_out(tmp_path: Path) -> None:
    lines = [{"i": i, "t": 1.0, "c": 1e-5, "v": [3.0]} for i in (0, 1)]
    more = [{"i": 1, "missed": 0, "cpu_s": 0.1}, {"i": 1, "state": {"t_s": 1.0, "scope": "GPU-1"}}]
    (trace,) = trace_file.load(_write(tmp_path / "t", _sensor(), *lines, *more))
    assert (trace.sensor, trace.t_s) == ("rapl", (1.0,))


def test_two_samplers_in_one_file_give_two_traces(tmp_path: Path) -> None:
    """A resumed run appends to the trace file of its first start."""
    reads = [{"i": 0, "t": t, "c": 1e-5, "v": [10.0 * t]} for t in (1.0, 2.0, 11.0, 12.0)]
    traces = trace_file.load(_write(tmp_path / "t", _sensor(), *reads[:2], _sensor(), *reads[2:]))
    assert [(trace.sensor, trace.t_s) for trace in traces] == [("rapl", (1.0, 2.0)), ("rapl", (11.0, 12.0))]


def test_missing_file_has_no_traces(tmp_path: Path) -> None:
    assert trace_file.load(tmp_path / "none") == ()


def test_sampler_statistics_are_kept(tmp_path: Path) -> None:
    path = _write(tmp_path / "t", _sensor(), {"i": 0, "missed": 3, "cpu_s": 0.25})
    (trace,) = trace_file.load(path)
    assert (trace.missed_deadlines, trace.cpu_s) == (3, 0.25)


def _counter(times: list[float], raw: list[object], wrap_j: float | None = None) -> Channel:
    reads = [{"i": 0, "t": t, "c": 1e-5, "v": [value]} for t, value in zip(times, raw, strict=True)]
    return trace_file.collect([_sensor(wrap_j), *reads])[0].channels[0]


def test_wraps_are_undone() -> None:
    wrap_j, power_w, step_s = 262.14, 700.0, 0.1
    times = [i * step_s for i in range(40)]
    channel = _counter(times, [(100 + power_w * t) % wrap_j for t in times], wrap_j)
    assert channel.values == pytest.approx([power_w * t for t in times])
    assert channel.resets_s == ()


@pytest.mark.parametrize("wrap_j", [None, 262_143.0])
def test_decrease_without_a_wrap_that_hardware_can_draw_is_a_reset(wrap_j: float | None) -> None:
    """What was counted since the last read is lost: power before and after stands in for it."""
    times = [round(i * 0.1, 1) for i in range(20)]
    channel = _counter(times, [500 + 100 * t if t < 1 else 100 * (t - 1) + 4 for t in times], wrap_j)
    assert channel.values == pytest.approx([100 * t for t in times])
    assert channel.resets_s == (1.0,)


def test_missed_read_stays_missing() -> None:
    assert _counter([0.0, 0.1, 0.2], [1.0, None, 3.0]).values == (0.0, None, 2.0)


@pytest.mark.parametrize("value", ["N/A", True, float("nan"), float("inf"), 2**64, -(2**70)])
def test_value_that_is_no_number_is_left_out_and_listed(value: object) -> None:
    channel = _counter([0.0, 0.1, 0.2], [1.0, value, 3.0])
    assert channel.values == (0.0, None, 2.0)
    assert channel.implausible_s == (0.1,)


def test_slow_counter_shows_its_update_period() -> None:
    times = [i * 0.093 for i in range(100)]
    assert _counter(times, [80.0 * int(t) for t in times]).tick_s == pytest.approx(1.0, abs=0.1)
    assert _counter(times, [80.0 * t for t in times]).tick_s is None
    assert _counter(times, [80.0 if t > 3 else 0.0 for t in times]).tick_s is None
