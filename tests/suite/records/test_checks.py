"""What cannot be true in a run file is refused with its place, whoever wrote it."""

from __future__ import annotations

from typing import Any

import pytest
from edited_run_files import edited, refusal
from run_files import case, failed_trial, run_file

from joulemark.suite.records import RunFile
from joulemark.suite.results.run_files import parse

CASE, TRIAL = "cases.0", "cases.0.trials.0"

IMPOSSIBLE: list[tuple[str, Any, str]] = [
    ("run.started_at", "yesterday", "run.started_at: 'yesterday'"),
    ("run.started_at", "2026-11-25T06:00:00", "run.started_at: '2026-11-25T06:00:00'"),
    ("run.started_at", "0001-01-01T00:00:00+23:00", "run.started_at:"),
    ("run.finished_at", "2026-13-01", "run.finished_at: '2026-13-01'"),
    ("run.finished_at", "2026-11-01T11:59:59Z", "run.finished_at: the run ends before it starts"),
    ("run.id", "", "run.id: ''"),
    ("run.id", "../../../tmp/evil", "run.id: '../../../tmp/evil'"),
    ("run.id", "a\x1b[2J", r"run.id: 'a\x1b[2J'"),
    ("run.rounds", 2, "cases.0.trials: 3 trials in 2 rounds"),
    ("run.max_rounds", 2, "run.max_rounds: it is 2, but run.rounds is 3"),
    ("run.max_rounds", 2**31 - 1, "run.max_rounds: it is 2147483647, more than 100 times run.rounds, 3"),
    ("machine.cpu.logical_cores", -4, "machine.cpu.logical_cores: it should be at least 1, found -4"),
    ("machine.memory_bytes", 10**30, "machine.memory_bytes: it should be at most 9007199254740992"),
    ("emissions.psf", -2.0, "emissions.psf: it should be more than 0, found -2.0"),
    ("emissions.pue.value", 0.5, "emissions.pue.value: it should be at least 1"),
    ("emissions.intensity.g_per_kwh", 90_000.0, "emissions.intensity.g_per_kwh: it should be at most 3000"),
    ("emissions.intensity.low", 50.0, "emissions.intensity.low: 50 is above the value, 39.22"),
    ("idle.0.window_s", [3.0, 1.0], "idle.0.window_s: the second is less than the first"),
    ("idle.0.energy.0.energy_j", -1e6, "idle.0.energy.0.energy_j: it should be at least 0"),
    ("floor.0.copy_s", 0.0, "floor.0.copy_s: it should be at least 1e-12"),
    ("traces.0.t_s.1", 0.0, "traces.0.t_s: the times do not increase, or by"),
    ("traces.0.channels.0.values.3", 1e300, "traces.0.channels.0.values.3: it should be at most 1e+12"),
    ("cases.1.id", run_file().cases[0].id, "cases.1.id: another case has the same id"),
    (f"{CASE}.framework", "jax", "cases.0.id: 'cnn:small/training/pytorch/eager/cpu/fp32/b32' does not begin with"),
    (f"{CASE}.status", "failed", "cases.0.status: it is failed, but a trial is ok"),
    (f"{CASE}.trials", [], "cases.0.status: it is ok, but no trial is ok"),
    (f"{CASE}.summary", None, "cases.0.summary: none, but a trial is ok"),
    (f"{CASE}.parameters.total", 1000, "cases.0.parameters.trainable: 990000 of 1000 parameters"),
    (f"{CASE}.parameters.trainable", -1, "cases.0.parameters.trainable: it should be at least 0"),
    (
        f"{CASE}.unfused_bytes_per_item",
        9e5,
        "cases.0.unfused_bytes_per_item: 900000 bytes, less than the compulsory 1e+06",
    ),
    (f"{CASE}.trials.1.round", 1, "cases.0.trials.1.round: another trial is of round 1"),
    (f"{CASE}.trials.1.window_s", [20.0, 20.0], "cases.0.trials.1.window_s: 200 items and 200 steps in 0 s"),
    (f"{CASE}.trials.1.window_s", [20.0, 19.0], "cases.0.trials.1.window_s: the second is less than the first"),
    (f"{TRIAL}.turns_s", [0.01, 0.0], "cases.0.trials.0.turns_s.1: it should be at least 1e-12"),
    (f"{TRIAL}.items", 0, "cases.0.trials.0.window_s: 0 items"),
    (
        f"{TRIAL}.work",
        {"counts": {"operators": {"value": 1.5}}},
        "cases.0.trials.0.work.counts.operators.value: 1.5 is no whole number",
    ),
    (
        f"{TRIAL}.work",
        {"counts": {"flops": {"value": 1, "unit": "B"}}},
        "cases.0.trials.0.work.counts.flops.unit: it is 'B', not 'FLOP'",
    ),
    (
        f"{TRIAL}.work",
        {"counts": {"operators": {"value": None}}},
        "cases.0.trials.0.work.counts.operators: it has neither a value nor",
    ),
    (
        f"{TRIAL}.work",
        {"counts": {"traces": {"value": 1, "reason": "x"}}},
        "cases.0.trials.0.work.counts.traces: it has a value and a",
    ),
    (
        f"{TRIAL}.work",
        {"counts": {"kernels": {"value": -1}}},
        "cases.0.trials.0.work.counts.kernels.value: it should be at least 0",
    ),
    (
        f"{TRIAL}.work",
        {"counts": {"peak_bytes": {"value": 9, "unit": "B"}, "allocated_bytes": {"value": 8, "unit": "B"}}},
        "cases.0.trials.0.work.counts.peak_bytes.value: 9 bytes, but the step allocates 8 in all",
    ),
    (f"{TRIAL}.steps", 10**60, "cases.0.trials.0.steps: it should be at most 9007199254740992"),
    (f"{TRIAL}.load_s", -5.0, "cases.0.trials.0.load_s: it should be at least 0"),
    (f"{TRIAL}.first_call_s", -5.0, "cases.0.trials.0.first_call_s: it should be at least 1e-12"),
    (f"{TRIAL}.started_s", 11.0, "cases.0.trials.0.window_s: 10 s"),
    (f"{TRIAL}.ended_s", 8.0, "cases.0.trials.0.ended_s: 8 s"),
    (f"{TRIAL}.ended_s", 11.0, "cases.0.trials.0.ended_s: 11 s"),
    (f"{TRIAL}.block_s", [10.0, 20.0], "cases.0.trials.0.block_s: blocks of 30 s in a window of 2 s"),
    (f"{TRIAL}.block_s.0", -1.0, "cases.0.trials.0.block_s.0: it should be at least 0"),
    (f"{TRIAL}.peak_memory_bytes.host", 10**15, "cases.0.trials.0.peak_memory_bytes.host:"),
    (f"{TRIAL}.energy.0.energy_j", -5.0, "cases.0.trials.0.energy.0.energy_j: it should be at least 0"),
    (f"{TRIAL}.energy.0.energy_j", 1e-30, "cases.0.trials.0.energy.0.energy_j: 1e-30 J"),
    (f"{TRIAL}.energy.0.energy_j", 5e5, "cases.0.trials.0.energy.0.high_j: 102 is below the value, 500000"),
    (f"{TRIAL}.energy.0.low_j", 101.0, "cases.0.trials.0.energy.0.low_j: 101 is above the value, 100"),
    (f"{TRIAL}.energy.0.gain", [0.0, 1.0], "cases.0.trials.0.energy.0.gain.0: it should be at least 1e-06"),
    (f"{TRIAL}.energy.0.gain", [1.1, 0.9], "cases.0.trials.0.energy.0.gain: the second is less than the first"),
    (f"{CASE}.summary.power_w.ranges.sensor", [5.0, 0.1], "cases.0.summary.power_w.ranges.sensor: the second is less"),
    ("machine.hostname", "x" * 200_000, "machine.hostname: String should have at most 131072 characters"),
    ("machine.packages", {"x" * 200_000: "1"}, "machine.packages.xxx"),
]


@pytest.mark.parametrize(
    ("path", "value", "problem"), IMPOSSIBLE, ids=[f"{path}={value!s:.20}" for path, value, _ in IMPOSSIBLE]
)
def test_what_cannot_be_is_refused_in_one_line_with_its_place(path: str, value: Any, problem: str) -> None:
    original = run_file()
    assert parse(original.model_dump_json(), "x.json") == original
    assert f"at {problem}" in refusal(edited(path, value))


def test_a_case_without_ok_trials_has_no_summary() -> None:
    both = run_file([case(), case("matmul", trials=[failed_trial()])])
    assert both.cases[1].summary is None
    text = edited("cases.1.summary", both.model_dump(mode="json")["cases"][0]["summary"], both)
    assert "at cases.1.summary: there is one, but no trial is ok" in refusal(text)


def test_grid_interval_needs_times_with_an_offset_in_order() -> None:
    interval = {"start": "2026-11-25T06:00:00Z", "end": "soon", "g_per_kwh": 40.0}
    assert "emissions.intervals.0.end: 'soon'" in refusal(edited("emissions.intervals", [interval]))
    interval["end"] = interval["start"]
    assert "emissions.intervals.0.end: the interval does not end" in refusal(edited("emissions.intervals", [interval]))


@pytest.mark.parametrize("suffix", ["+threads=1", "+arm=a+threads=1"])
def test_an_id_may_end_in_settings(suffix: str) -> None:
    of_case = case()
    original = run_file([case(id=f"{of_case.id}{suffix}")])
    assert parse(original.model_dump_json(), "x.json") == original


def test_sums_of_rounded_numbers_are_no_contradiction() -> None:
    text = edited(f"{TRIAL}.block_s", [0.2000000001] * 10)
    assert isinstance(parse(text, "x.json"), RunFile)
