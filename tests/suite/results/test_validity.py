"""Each notice: present beyond its threshold, absent within it."""

from __future__ import annotations

from typing import Literal

import pytest
from run_files import case, energy, failed_trial, machine, run_file, trace, trial

from joulemark.suite.notices import Code
from joulemark.suite.records import (
    Case,
    Cpu,
    Ends,
    EnergyReading,
    Floor,
    GpuBusy,
    Idle,
    Notice,
    Result,
    TrainingState,
    Trial,
)
from joulemark.suite.results.summary import case_summary
from joulemark.suite.results.validity import case_notices, differences_from_eager, machine_notices, run_notices


def notices_of(case: Case) -> dict[Code, Notice]:
    notices = case_notices(case, case_summary(case, {}, run_file().emissions))
    assert len({notice.code for notice in notices}) == len(notices)
    return {notice.code: notice for notice in notices}


def notices(*trials: Trial) -> dict[Code, Notice]:
    return notices_of(case(trials=trials))


def at_rates(*rates: float) -> list[Trial]:
    return [trial(i, rate, start_s=10.0 * i) for i, rate in enumerate(rates, 1)]


def test_a_good_case_has_no_notice() -> None:
    assert notices(*at_rates(95, 100, 105)) == {}


def test_one_trial_is_too_few() -> None:
    by_code = notices(trial())
    assert set(by_code) == {Code.TOO_FEW_TRIALS}
    assert (by_code[Code.TOO_FEW_TRIALS].value, by_code[Code.TOO_FEW_TRIALS].threshold) == (1, 2)


def test_lost_trials_are_counted() -> None:
    by_code = notices(*at_rates(99, 101), failed_trial(3), failed_trial(4))
    assert set(by_code) == {Code.TRIALS_LOST}
    assert by_code[Code.TRIALS_LOST].value == 2


@pytest.mark.parametrize(("spread", "expected"), [(9.0, False), (11.0, True)])
def test_variation(spread: float, expected: bool) -> None:
    by_code = notices(*at_rates(100 - spread, 100, 100 + spread))
    assert (Code.HIGH_VARIANCE in by_code) is expected
    if expected:
        assert by_code[Code.HIGH_VARIANCE].value == pytest.approx(0.11)
        assert "11.0%" in by_code[Code.HIGH_VARIANCE].message


def test_drifting_trials_are_counted() -> None:
    trials = [t.model_copy(update={"steady": "drifting"}) for t in at_rates(99, 100)] + [trial(3)]
    assert notices(*trials)[Code.NOT_STEADY].value == 2


def with_outputs(*losses: float) -> list[Trial]:
    return [
        t.model_copy(update={"result": Result(first={"loss": loss}, last={"loss": 1.0})})
        for t, loss in zip(at_rates(*[100.0] * len(losses)), losses, strict=True)
    ]


@pytest.mark.parametrize(
    ("losses", "precision", "expected"),
    [
        ((2.3, 2.3, 2.3), "fp32", False),
        ((2.3, 2.3 * 1.00005, 2.3), "fp32", False),
        ((2.3, 2.3 * 1.001, 2.3), "fp32", True),
        ((2.3, 2.3 * 1.001, 2.3), "bf16", False),
        ((2.3, 2.3 * 1.02, 2.3), "bf16", True),
        ((1e-30, -1e-30), "fp32", True),
        ((0.0, 0.0), "fp32", False),
    ],
)
def test_outputs_of_one_seed_must_agree(losses: tuple[float, ...], precision: str, expected: bool) -> None:
    by_code = notices_of(case(trials=with_outputs(*losses), precision=precision))
    assert (Code.OUTPUTS_DIFFER in by_code) is expected


def test_the_largest_and_the_smallest_output_are_compared() -> None:
    assert Code.OUTPUTS_DIFFER in notices(*with_outputs(1.0, 1.00007, 1.00014))


def test_outputs_of_other_names_differ() -> None:
    other = trial(2).model_copy(update={"result": Result(first={"logits": 1.0}, last={"logits": 1.0})})
    assert notices(trial(), other)[Code.OUTPUTS_DIFFER].value == 1.0


@pytest.mark.parametrize(
    ("loss", "norm", "value"),
    [
        ((2.0, 1.9), (5.0, 5.4), None),
        ((2.0, 1.5), (5.0, 5.0), 0.25),
        ((2.0, 2.0), (4.0, 5.0), 0.2),
        (None, (4.0, 5.0), 0.2),
        ((0.0, 0.0), None, None),
        (None, None, None),
    ],
)
def test_a_training_that_drifts_is_named(
    loss: tuple[float, float] | None, norm: tuple[float, float] | None, value: float | None
) -> None:
    ends = [None if pair is None else Ends(first=pair[0], last=pair[1]) for pair in (loss, norm)]
    state = TrainingState(learning_rate_factor=1e-9, loss=ends[0], gradient_norm=ends[1])
    notice = notices(trial(1), trial(2).model_copy(update={"training": state})).get(Code.TRAINING_DRIFT)
    assert (None if notice is None else notice.value) == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    ("readings", "codes"),
    [
        ([energy(100.0)], set()),
        ([energy(100.0, kind="model")], {Code.ENERGY_ESTIMATED}),
        ([energy(100.0), energy(None, "dram")], {Code.ENERGY_LOWER_BOUND}),
        ([energy(None)], {Code.ENERGY_UNAVAILABLE}),
        ([], {Code.ENERGY_UNAVAILABLE}),
        ([energy(100.0).model_copy(update={"tick_s": 0.5})], {Code.TOO_SHORT_FOR_SENSOR}),
        ([energy(100.0, kind="model").model_copy(update={"tick_s": 0.5})], {Code.ENERGY_ESTIMATED}),
    ],
)
def test_energy(readings: list[EnergyReading], codes: set[Code]) -> None:
    assert set(notices(*(trial(i, readings=readings, start_s=10.0 * i) for i in (1, 2)))) == codes


def test_each_sensor_and_each_reason_is_named_once() -> None:
    estimates = [energy(90.0, "cpu", "model"), energy(10.0, "ram", "model")]
    estimated = notices(trial(1, readings=[each.model_copy(update={"sensor": "tdp"}) for each in estimates]))
    assert estimated[Code.ENERGY_ESTIMATED].value == "cpu, ram by tdp"
    incomplete = notices(trial(1, readings=[energy(90.0), energy(None, "dram")]))
    assert incomplete[Code.ENERGY_LOWER_BOUND].message == "Part of the energy was not measured: dram: absent."


@pytest.mark.parametrize(
    ("busy", "code"),
    [
        (None, None),  # the CPU, and rounds after the first
        (GpuBusy(share=0.8), None),
        (GpuBusy(share=1.0), None),
        (GpuBusy(share=0.79, doubled_batch_ratio=1.5), Code.LAUNCH_BOUND),
        (GpuBusy(share=0.05, doubled_batch_ratio=2.1), Code.LAUNCH_BOUND),
        (GpuBusy(share=0.79, doubled_batch_ratio=1.49), Code.GPU_IDLE),
        (GpuBusy(share=0.3, reason="out of memory"), Code.GPU_IDLE),
        (GpuBusy(reason="the framework's profiler recorded nothing on the GPU"), None),
    ],
)
def test_a_waiting_gpu(busy: GpuBusy | None, code: Code | None) -> None:
    first, *others = at_rates(99, 100, 101)
    by_code = notices(first.model_copy(update={"gpu_busy": busy}), *others)
    assert set(by_code) == ({code} if code else set())
    if code is not None and busy is not None:
        assert (by_code[code].value, by_code[code].threshold) == (busy.share, 0.8)
        assert f"{busy.share:.0%}" in by_code[code].message
        assert "--batch-size" in by_code[code].remedy


def test_a_failed_case_has_no_notice() -> None:
    assert case_notices(case(trials=[failed_trial()]), None) == ()


def idle(when: Literal["before", "after"], power_w: float, *others: EnergyReading) -> Idle:
    return Idle(when=when, window_s=(0.0, 5.0), energy=(energy(power_w * 5), *others))


@pytest.mark.parametrize(("after_w", "expected"), [(20.0, False), (21.9, False), (22.1, True), (17.9, True)])
def test_idle_drift(after_w: float, expected: bool) -> None:
    notices = run_notices(run_file(idle=(idle("before", 20.0), idle("after", after_w))))
    assert [notice.code for notice in notices] == [Code.IDLE_DRIFT] * expected


def test_idle_drift_is_that_of_what_cases_are_charged_with() -> None:
    """A wall meter contains what drifted, and a GPU that no case uses would dilute it."""

    def uncharged(component: str, sensor: str, power_w: float) -> EnergyReading:
        return energy(power_w * 5, component).model_copy(update={"attributed": False, "sensor": sensor})

    before = idle("before", 10.0, uncharged("machine", "wall", 120.0), uncharged("gpu", "nvml", 60.0))
    after = idle("after", 15.0, uncharged("machine", "wall", 125.0), uncharged("gpu", "nvml", 60.0))
    (notice,) = run_notices(run_file(idle=(before, after)))
    assert notice.code == Code.IDLE_DRIFT
    assert notice.value == pytest.approx(0.5)


def test_idle_drift_is_that_of_each_case_alone() -> None:
    """A case on the CPU is not charged with the GPU of another."""
    on_gpu = [trial(i, readings=[energy(), energy(component="gpu")], start_s=10.0 * i) for i in (1, 2)]
    windows = (idle("before", 10.0, energy(500.0, "gpu")), idle("after", 12.0, energy(500.0, "gpu")))
    (notice,) = run_notices(run_file([case(), case(device="cuda:0", trials=on_gpu)], idle=windows))
    assert notice.value == pytest.approx(0.2)


def test_idle_power_that_was_not_read_twice_does_not_drift() -> None:
    assert run_notices(run_file(idle=(idle("before", 20.0),))) == ()
    assert run_notices(run_file(idle=())) == ()


def test_simulated_power_has_a_notice() -> None:
    simulated = trace().model_copy(update={"simulated": True, "sensor": "sine"})
    (notice,) = run_notices(run_file(traces=(simulated,)))
    assert (notice.code, notice.value) == (Code.SIMULATED, "sine")
    channel = simulated.channels[0].model_copy(update={"scope": "simulated rapl"})
    unnamed = simulated.model_copy(update={"sensor": "simulated", "channels": (channel,)})
    assert run_notices(run_file(traces=(unnamed,)))[0].value == "rapl"


def test_machine_notices() -> None:
    floor = [Floor(at_s=float(i), arithmetic_s=0.05 * (1 + 0.2 * (i % 2)), copy_s=0.02) for i in range(6)]
    assert {notice.code for notice in machine_notices(machine(), floor)} == {Code.NOISY_FLOOR}
    cpu = Cpu(model="c", physical_cores=2, logical_cores=2, usable_cores=2.0, governor="powersave")
    assert {notice.code for notice in machine_notices(machine(cpu=cpu), floor[:1])} == {Code.FREQUENCY_SCALING}


def test_a_compiled_step_with_other_outputs_than_eager_has_a_notice() -> None:
    def in_mode(mode: str, loss: float) -> Case:
        outputs = Result(first={"loss": loss}, last={"loss": 1.0})
        return case(mode=mode, trials=[trial().model_copy(update={"result": outputs})])

    assert differences_from_eager([in_mode("eager", 2.3), in_mode("compile", 2.3 * (1 + 1e-5))]) == {}
    (notice,) = differences_from_eager([in_mode("eager", 2.3), in_mode("compile", 2.31)]).values()
    assert notice.code == Code.MODE_DIFFERS
    assert notice.value == pytest.approx(0.01 / 2.31)
