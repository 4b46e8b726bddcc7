"""Notices about sensors and GPUs in a case's energy."""

from __future__ import annotations

import pytest
from run_files import trial

from joulemark.suite.energy.plausibility import plausible
from joulemark.suite.energy.sensor_checks import RESIDUAL, sensor_notices
from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.notices import INVALIDATING, Code
from joulemark.suite.records import Channel, Gpu, GpuState, Notice, Trace, Trial

UUID = "GPU-1"
TIMES = tuple(i / 10 for i in range(300))
WINDOW_S = (10.0, 20.0)


def _gpu(**more: object) -> Gpu:
    fields = {"index": 0, "vendor": "NVIDIA", "name": "A100", "uuid": UUID, "pci_bus_id": "", "device": "cuda:0"}
    return Gpu.model_validate(fields | more)


def _gpu_trace(counter_w: float, samples_w: float, coverage: float = 1.0, *states: GpuState) -> Trace:
    common = {"component": "gpu", "scope": UUID, "tick_s": 0.1, "coverage": coverage}
    counter = Channel.model_validate(
        common | {"unit": "J", "kind": "counter", "values": tuple(counter_w * t for t in TIMES)}
    )
    samples = Channel.model_validate(common | {"unit": "W", "kind": "integrated", "values": (samples_w,) * len(TIMES)})
    return Trace(sensor="nvml", t_s=TIMES, channels=(counter, samples), states=states)


def _notices(trace: Trace, gpu: Gpu | None = None, step_s: float | None = None) -> dict[Code, Notice]:
    gpus = (gpu or _gpu(),)
    readings = compute_readings([trace], WINDOW_S, "cuda:0", gpus, step_s)
    measured = trial(start_s=WINDOW_S[0], length_s=WINDOW_S[1] - WINDOW_S[0], readings=readings)
    if step_s:
        measured = measured.model_copy(update={"steps": round(10.0 / step_s)})
    return {notice.code: notice for notice in sensor_notices([measured], [trace], "cuda:0", gpus)}


@pytest.mark.parametrize(("samples_w", "flagged"), [(300.0, False), (328.0, False), (335.0, True), (260.0, True)])
def test_disagreement_of_counter_and_samples(samples_w: float, flagged: bool) -> None:
    notices = _notices(_gpu_trace(300.0, samples_w))
    assert (Code.SENSORS_DISAGREE in notices) == flagged
    if flagged:
        assert notices[Code.SENSORS_DISAGREE].value == pytest.approx(samples_w / 300.0 - 1)
        assert notices[Code.SENSORS_DISAGREE].threshold == RESIDUAL


def test_residual_is_in_the_reading() -> None:
    (reading,) = [
        e for e in compute_readings([_gpu_trace(300.0, 306.0)], WINDOW_S, "cuda:0", [_gpu()]) if e.component == "gpu"
    ]
    assert reading.residual == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("coverage", "step_s", "flagged"),
    [
        (0.25, 0.1, True),
        (0.25, 0.05, True),
        (0.25, 0.0905, True),
        (0.25, 0.07, False),
        (0.25, 0.2, True),
        (0.25, 0.4, True),
        (0.25, 0.1 * 2 / 3, True),
        (0.25, 0.43, False),
        (0.25, 0.011, False),
        (1.0, 0.1, False),
    ],
)
def test_steps_that_alias_with_a_part_time_sensor(coverage: float, step_s: float, flagged: bool) -> None:
    notices = _notices(_gpu_trace(300.0, 300.0, coverage), step_s=step_s)
    assert (Code.NEAR_SENSOR_PERIOD in notices) == flagged
    if flagged:
        assert notices[Code.NEAR_SENSOR_PERIOD].value == pytest.approx(step_s, rel=0.01)


def test_case_on_several_gpus_has_notices_of_each() -> None:
    """Each GPU's clock is compared with its own."""
    gpus = [_gpu(), _gpu(index=1, uuid="GPU-2", device="cuda:1"), _gpu(index=2, uuid="GPU-3", device="cuda:2")]
    clocks = {UUID: (1410.0, 1410.0), "GPU-2": (1980.0, 1500.0), "GPU-3": (900.0, 300.0)}
    states = [
        GpuState(t_s=t_s, scope=scope, sm_clock_mhz=clock, throttled=("thermal",) if scope != UUID else ())
        for scope, pair in clocks.items()
        for t_s, clock in zip((11.0, 19.0), pair, strict=True)
    ]
    trace = _gpu_trace(300.0, 300.0, 1.0, *states)
    readings = compute_readings([trace], WINDOW_S, "cuda:0+cuda:1", gpus)
    measured = trial(start_s=WINDOW_S[0], length_s=WINDOW_S[1] - WINDOW_S[0], readings=readings)
    values = {notice.code: notice.value for notice in sensor_notices([measured], [trace], "cuda:0+cuda:1", gpus)}
    assert values[Code.BOARD_CLOCK_MOVED] == "from 1980 to 1500 MHz in one window"
    assert values[Code.BOARD_THROTTLED] == "thermal in 2 of 4 samples"
    assert Code.BOARD_SHARED not in values
    split = [gpus[0], gpus[1].model_copy(update={"mig": True})]
    values = {notice.code: notice.value for notice in sensor_notices([measured], [trace], "cuda:0+cuda:1", split)}
    assert "split" in str(values[Code.BOARD_SHARED])


def test_throttling_counts_only_within_the_window() -> None:
    hot = GpuState(t_s=15.0, scope=UUID, throttled=("thermal",), processes=1)
    cool = GpuState(t_s=16.0, scope=UUID, processes=1)
    assert _notices(_gpu_trace(300.0, 300.0, 1.0, hot, cool))[Code.BOARD_THROTTLED].value == "thermal in 1 of 2 samples"
    outside = hot.model_copy(update={"t_s": 25.0})
    other = hot.model_copy(update={"scope": "GPU-2"})
    assert Code.BOARD_THROTTLED not in _notices(_gpu_trace(300.0, 300.0, 1.0, outside, other, cool))


def test_power_cap_is_reported_and_valid() -> None:
    """Dense work runs at the limit on most GPUs: the result is that of the limit."""
    states = [
        GpuState(t_s=t_s, scope=UUID, throttled=reasons, power_limit_w=300.0)
        for t_s, reasons in ((12.0, ("power_cap",)), (15.0, ("power_cap", "thermal")), (18.0, ()))
    ]
    notices = _notices(_gpu_trace(300.0, 300.0, 1.0, *states))
    assert notices[Code.BOARD_POWER_CAPPED].value == "300 W, in 2 of 3 samples"
    assert notices[Code.BOARD_THROTTLED].value == "thermal in 1 of 3 samples"
    assert Code.BOARD_POWER_CAPPED not in INVALIDATING
    assert Code.BOARD_THROTTLED not in _notices(_gpu_trace(300.0, 300.0, 1.0, states[0], states[2]))


def test_unknown_throttling_has_no_notice() -> None:
    assert _notices(_gpu_trace(300.0, 300.0, 1.0, GpuState(t_s=15.0, scope=UUID))) == {}


@pytest.mark.parametrize(
    ("first_mhz", "last_mhz", "flagged"), [(1410.0, 1395.0, False), (1410.0, 1320.0, True), (705.0, 1410.0, True)]
)
def test_clock_that_moves_within_a_window(first_mhz: float, last_mhz: float, flagged: bool) -> None:
    # the states at its ends may lie a second outside
    states = [
        GpuState(t_s=t_s, scope=UUID, sm_clock_mhz=mhz)
        for t_s, mhz in ((5.0, 300.0), (9.2, first_mhz), (15.0, first_mhz), (20.9, last_mhz), (25.0, 300.0))
    ]
    notices = _notices(_gpu_trace(300.0, 300.0, 1.0, *states))
    assert (Code.BOARD_CLOCK_MOVED in notices) == flagged
    if flagged:
        assert notices[Code.BOARD_CLOCK_MOVED].value == f"from {first_mhz:.0f} to {last_mhz:.0f} MHz in one window"


def test_clock_that_differs_only_between_windows_has_no_notice() -> None:
    states = [GpuState(t_s=t_s, scope=UUID, sm_clock_mhz=mhz) for t_s, mhz in ((11.0, 1410.0), (16.0, 705.0))]
    trace = _gpu_trace(300.0, 300.0, 1.0, *states)
    trials = [trial(start_s=start_s, length_s=3.0) for start_s in (10.0, 15.0)]
    assert sensor_notices(trials, [trace], "cuda:0", [_gpu()]) == ()


def test_shared_gpu() -> None:
    crowded = GpuState(t_s=15.0, scope=UUID, processes=3)
    assert "3 processes" in str(_notices(_gpu_trace(300.0, 300.0, 1.0, crowded))[Code.BOARD_SHARED].value)
    assert "MIG" in str(_notices(_gpu_trace(300.0, 300.0), _gpu(mig=True))[Code.BOARD_SHARED].value)
    assert Code.BOARD_SHARED not in _notices(_gpu_trace(300.0, 300.0))


def test_estimate_for_an_unknown_processor() -> None:
    def model(source: str) -> tuple[Trial, Trace]:
        channel = Channel(
            component="cpu", scope="host", unit="W", kind="model", source=source, values=(40.0,) * len(TIMES)
        )
        trace = Trace(sensor="codecarbon", t_s=TIMES, channels=(channel,))
        return trial(start_s=10.0, length_s=10.0, readings=compute_readings([trace], WINDOW_S, "cpu")), trace

    unknown, trace = model("codecarbon's table does not know this CPU")
    assert [notice.code for notice in sensor_notices([unknown], [trace], "cpu", ())] == [Code.CPU_NOT_KNOWN]
    known, trace = model("of codecarbon's table")
    assert sensor_notices([known], [trace], "cpu", ()) == ()


def test_samples_that_the_hardware_cannot_have_shown_are_named() -> None:
    trace = _gpu_trace(300.0, 300.0)
    counter = trace.channels[0]
    shown = [value if t != 15.0 else 0.0 for t, value in zip(TIMES, counter.values, strict=True)]
    made = trace.model_copy(update={"channels": (plausible(counter, TIMES, shown), *trace.channels[1:])})
    notice = _notices(made)[Code.IMPLAUSIBLE_SAMPLES]
    assert notice.value == f"nvml, gpu {UUID}, in 1 of 101 samples"
    assert Code.IMPLAUSIBLE_SAMPLES not in _notices(trace)
