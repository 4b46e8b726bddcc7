"""Windows over traces: exact where they can be, honest where they cannot."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joulemark.suite.energy.window_energy import UPDATES_NEEDED, compute_reading, compute_readings
from joulemark.suite.plan.profiles import PROFILES
from joulemark.suite.records import Channel, EnergyReading, Gpu, Trace

UUID = "GPU-1"


def _trace(times: Sequence[float], values: Sequence[float | None], unit: str = "J", **more: object) -> Trace:
    fields = {
        "component": "package",
        "scope": "package-0",
        "unit": unit,
        "kind": "counter" if unit == "J" else "integrated",
        "values": tuple(values),
    }
    channel = Channel.model_validate(fields | more)
    return Trace(sensor="test", t_s=tuple(times), channels=(channel,))


def _read(trace: Trace, begin_s: float, end_s: float, **more: float) -> EnergyReading:
    return compute_reading(trace, trace.channels[0], (begin_s, end_s), **more)


TIMES = st.lists(st.floats(0.01, 0.3), min_size=40, max_size=60).map(
    lambda steps: [sum(steps[:i]) for i in range(len(steps))]
)


@given(TIMES, st.floats(0.5, 1000.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.sampled_from("JW"))
@settings(deadline=None)
def test_constant_power_gives_exactly_power_times_time(
    times: list[float], power_w: float, a: float, b: float, unit: str
) -> None:
    begin_s, end_s = sorted((times[0] + a * (times[-1] - times[0]), times[0] + b * (times[-1] - times[0])))
    values = [power_w * t for t in times] if unit == "J" else [power_w] * len(times)
    energy = compute_reading(trace := _trace(times, values, unit), trace.channels[0], (begin_s, end_s))
    if energy.energy_j is None:  # irregular reads may leave a hole, which is said
        assert "gave no value" in (energy.reason or "")
    else:
        assert energy.energy_j == pytest.approx(power_w * (end_s - begin_s), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("average_s", [0.0, 0.15, 1.0])
def test_a_border_between_samples_is_exact_for_a_ramp(average_s: float) -> None:
    times = [i / 10 for i in range(100)]
    values = [100 + 20 * (t - average_s / 2) for t in times]
    energy = _read(_trace(times, values, "W", average_s=average_s), 2.03, 7.57)
    assert energy.energy_j == pytest.approx(100 * 5.54 + 10 * (7.57**2 - 2.03**2), rel=1e-9)


def test_equal_samples_are_kept() -> None:
    times = [i / 10 for i in range(60)]
    energy = _read(_trace(times, [200.0] * 30 + [100.0] * 30, "W"), 1.0, 5.0)
    assert energy.energy_j == pytest.approx(200 * 1.9 + 15 + 100 * 2.0)
    assert energy.samples == 41


def test_power_is_held_only_outside_the_first_and_the_last_sample() -> None:
    times = [i / 10 for i in range(11)]
    energy = _read(_trace(times, [100.0] * 11, "W"), -0.2, 1.2)
    assert energy.energy_j == pytest.approx(140.0)


@pytest.mark.parametrize("unit", ["J", "W"])
def test_a_window_that_was_not_sampled_is_unknown(unit: str) -> None:
    times = [i / 10 for i in range(30)]
    energy = _read(_trace(times, [10 * t + 1 for t in times], unit), 1.0, 5.0)
    assert energy.energy_j is None
    assert energy.kind == "unavailable"
    assert "does not cover" in (energy.reason or "")


def test_a_hole_matters_for_power_but_not_inside_a_counter() -> None:
    times = [i / 10 for i in range(100)]
    holed = [None if 30 <= i < 60 else 50.0 for i in range(100)]
    assert "gave no value for 3.1" in (_read(_trace(times, holed, "W"), 1.0, 9.0).reason or "")
    counted = [None if v is None else v * t for v, t in zip(holed, times, strict=True)]
    assert _read(_trace(times, counted), 1.0, 9.0).energy_j == pytest.approx(400.0)
    assert _read(_trace(times, counted), 4.0, 9.0).energy_j is None


def test_a_frozen_counter_is_unknown_not_zero() -> None:
    times = [i / 10 for i in range(50)]
    energy = _read(_trace(times, [7.0] * 50), 1.0, 4.0)
    assert energy.energy_j is None
    assert "stood still" in (energy.reason or "")


def test_a_window_of_few_updates_is_below_resolution() -> None:
    times = [i / 10 for i in range(100)]
    trace = _trace(times, [300 * t for t in times], tick_s=0.1)
    assert "below resolution" in (_read(trace, 1.0, 5.7).reason or "")
    assert _read(trace, 1.0, 5.9).reason is None


def test_profiles_windows_are_long_enough_for_boards_whose_tick_is_a_little_longer() -> None:
    """100 ms on paper are 98 to 104 on a board; its window must not be too short for good for that."""
    for profile in PROFILES.values():
        assert profile.window_s["cuda"] / 0.104 >= UPDATES_NEEDED


def test_the_interval_holds_gain_and_quantisation() -> None:
    times = [i / 10 for i in range(100)]
    energy = _read(_trace(times, [300 * t for t in times], tick_s=0.1, gain=(0.95, 1.05)), 2.0, 8.0)
    assert energy.energy_j == pytest.approx(1800.0)
    assert energy.low_j == pytest.approx((1800 - 30) * 0.95)
    assert energy.high_j == pytest.approx((1800 + 30) * 1.05)


def test_an_unknown_tick_is_taken_from_the_trace() -> None:
    times = [i / 100 for i in range(1000)]
    energy = _read(_trace(times, [300 * (i // 10) / 10 for i in range(1000)]), 1.0, 9.0)
    assert energy.tick_s == pytest.approx(0.1)


def _channel(component: str, scope: str, power_w: float | None, unit: str = "J", kind: str = "counter") -> Channel:
    times = [i / 10 for i in range(100)]
    values = [None if power_w is None else power_w * t if unit == "J" else power_w for t in times]
    fields = {"component": component, "scope": scope, "unit": unit, "kind": kind, "values": tuple(values)}
    return Channel.model_validate(fields | {"source": "not permitted" if power_w is None else ""})


def _traces(*channels: Channel, sensor: str = "test") -> list[Trace]:
    return [Trace(sensor=sensor, t_s=tuple(i / 10 for i in range(100)), channels=channels)]


GPUS = (
    Gpu(index=0, vendor="NVIDIA", name="A", uuid=UUID, pci_bus_id="", device="cuda:0"),
    Gpu(index=1, vendor="NVIDIA", name="A", uuid="GPU-2", pci_bus_id="", device="cuda:1"),
)
PACKAGE = _channel("package", "package-0", 80.0)
DRAM = _channel("dram", "package-0", 10.0)
BOARD = _channel("gpu", UUID, 300.0)
OTHER = _channel("gpu", "GPU-2", 50.0)
MODEL = (_channel("cpu", "host", 40.0, "W", "model"), _channel("ram", "host", 10.0, "W", "model"))


def _charged(channels: Sequence[Channel], device: str) -> dict[tuple[str, str], float | None]:
    found = compute_readings(_traces(*channels), (2.0, 8.0), device, GPUS)
    return {(e.component, e.scope): None if e.energy_j is None else round(e.energy_j, 6) for e in found if e.attributed}


def test_a_case_is_charged_with_package_dram_and_its_own_board() -> None:
    everything = (PACKAGE, DRAM, BOARD, OTHER, _channel("psys", "host", 500.0), _channel("machine", "wall", 700.0))
    host = {("package", "package-0"): 480.0, ("dram", "package-0"): 60.0}
    assert _charged(everything, "cpu") == host
    assert _charged(everything, "cuda:0") == host | {("gpu", UUID): 1800.0}
    assert _charged(everything, "cuda:1") == host | {("gpu", "GPU-2"): 300.0}
    listed = compute_readings(_traces(*everything), (2.0, 8.0), "cuda:0", GPUS)
    assert {e.component for e in listed if not e.attributed} == {"gpu", "psys", "machine"}


def test_the_estimate_counts_only_where_nothing_of_it_is_measured() -> None:
    assert _charged(MODEL, "cpu") == {("cpu", "host"): 240.0, ("ram", "host"): 60.0}
    assert _charged((*MODEL, OTHER), "cpu") == {("cpu", "host"): 240.0, ("ram", "host"): 60.0}
    absent = {("package", "host"): None, ("dram", "host"): None}
    assert _charged((*MODEL, BOARD), "cuda:0") == absent | {("gpu", UUID): 1800.0}
    assert _charged((*MODEL, PACKAGE), "cpu") == {("package", "package-0"): 480.0, ("dram", "host"): None}


def test_a_board_without_a_sensor_is_there_without_a_value() -> None:
    assert _charged((PACKAGE, DRAM), "cuda:0")[("gpu", UUID)] is None
    assert _charged((PACKAGE, DRAM), "cuda:7")[("gpu", "cuda:7")] is None


def test_power_stands_in_where_the_counter_of_a_board_fails() -> None:
    channels = (_channel("gpu", UUID, None), _channel("gpu", UUID, 300.0, "W", "integrated"))
    found = compute_readings(_traces(*channels), (2.0, 8.0), "cuda:0", GPUS)
    (board,) = [energy for energy in found if energy.component == "gpu"]
    assert (board.kind, board.energy_j) == ("integrated", pytest.approx(1800.0))


def test_no_trace_at_all_is_unavailable_with_reasons() -> None:
    found = compute_readings([], (2.0, 8.0), "cuda:0", ())
    assert {energy.component for energy in found} == {"package", "dram", "gpu"}
    assert all(energy.energy_j is None and energy.reason and energy.attributed for energy in found)


PARTS = st.lists(st.sampled_from([PACKAGE, DRAM, BOARD, OTHER, *MODEL]), unique_by=lambda c: (c.component, c.scope))


@st.composite
def _damaged(draw: st.DrawFn) -> list[Trace]:
    """Traces with any parts missing, from the start, for a while, or for good."""
    traces = []
    for channel in draw(PARTS):
        first, last = sorted((draw(st.integers(0, 100)), draw(st.integers(0, 100))))
        keep = draw(st.sampled_from(["all", "hole", "part", "none"]))
        values = [
            None
            if keep == "none" or (keep == "hole" and first <= i < last) or (keep == "part" and not first <= i < last)
            else v
            for i, v in enumerate(channel.values)
        ]
        traces += _traces(channel.model_copy(update={"values": tuple(values)}), sensor=f"sensor {len(traces)}")
    return traces


@given(_damaged(), st.sampled_from(["cpu", "cuda:0", "cuda:1", "cuda:5"]), st.floats(0.0, 9.0), st.floats(0.05, 5.0))
@settings(deadline=None, max_examples=300)
def test_nothing_unknown_is_ever_zero(traces: list[Trace], device: str, begin_s: float, length_s: float) -> None:
    """Whatever is missing: a value is right, or it is null with a reason; every part that a case must be charged with
    is there, so that a sum over them knows when it is a lower bound."""
    true_w = {("package", "package-0"): 80.0, ("dram", "package-0"): 10.0, ("gpu", UUID): 300.0, ("gpu", "GPU-2"): 50.0}
    true_w |= {("cpu", "host"): 40.0, ("ram", "host"): 10.0}
    found = compute_readings(traces, (begin_s, begin_s + length_s), device, GPUS)
    for energy in found:
        if energy.energy_j is None:
            assert energy.reason
            assert energy.low_j is None
            assert energy.high_j is None
        else:
            assert energy.energy_j == pytest.approx(true_w[energy.component, energy.scope] * length_s, rel=1e-6)
            assert energy.low_j is not None
            assert energy.high_j is not None
            assert energy.low_j <= energy.energy_j <= energy.high_j
    charged = {energy.component for energy in found if energy.attributed}
    assert {"package", "dram"} <= charged or charged & {"cpu", "ram"}
    assert (device == "cpu") == ("gpu" not in charged)
    kinds = {energy.kind for energy in found if energy.attributed}
    assert not ("model" in kinds and "counter" in kinds)


def test_a_resumed_run_is_read_from_the_trace_that_saw_the_window() -> None:
    first = _traces(PACKAGE, DRAM)[0]
    second = first.model_copy(update={"t_s": tuple(t + 100 for t in first.t_s)})
    for begin_s in (2.0, 102.0):
        package, dram = compute_readings([first, second], (begin_s, begin_s + 6.0), "cpu")
        assert (package.energy_j, dram.energy_j) == (pytest.approx(480.0), pytest.approx(60.0))


@pytest.mark.parametrize("length_s", [0.2, 5.0])
def test_a_counter_that_stands_still_is_unknown_however_short_the_window(length_s: float) -> None:
    found = _read(_trace([i / 10 for i in range(100)], [7.0] * 100, tick_s=0.001), 1.0, 1.0 + length_s)
    assert (found.energy_j, found.low_j, found.kind) == (None, None, "unavailable")
    assert "counter" in (found.reason or "")


def test_two_sensors_of_one_name_are_both_read() -> None:
    times = [i / 10 for i in range(100)]
    walls = [
        _trace(times, [power] * 100, "W", component="machine", scope="wall", source=source)
        for power, source in ((100.0, "a.csv"), (30.0, "b.csv"))
    ]
    found = [one.energy_j for one in compute_readings(walls, (1.0, 6.0), "cpu") if one.component == "machine"]
    assert found == [pytest.approx(500.0), pytest.approx(150.0)]
