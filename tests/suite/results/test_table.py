"""The table: its numbers are those of the run file, rounded and marked."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_files import case, energy, failed_trial, run_file, trial

from joulemark.suite.records import Case, RunFile
from joulemark.suite.results.summary import recompute
from joulemark.suite.results.table import NOT_MEASURED, matching_digits, table


def summarised(*cases: Case) -> RunFile:
    file = run_file(list(cases))
    return recompute(file, file.emissions)


def test_cells_are_the_run_files_numbers() -> None:
    file = summarised(case(), case(framework="tensorflow", mode="graph"))
    by_id = {case.id: case for case in file.cases}
    for row in table(file).rows:
        summary = by_id[row.case.id].summary
        for name in type(summary).model_fields:
            quantity, cell = getattr(summary, name), row.cells[name]
            assert (cell.value, cell.low, cell.high, cell.n) == (
                quantity.value,
                quantity.low,
                quantity.high,
                quantity.n,
            )


def test_text_times_factor_is_the_raw_value() -> None:
    run_table = table(summarised(case()))
    (row,) = run_table.rows
    for column in run_table.columns:
        cell = row.cells[column.key]
        assert cell.value is not None
        assert float(cell.text.replace(",", "")) * column.factor == pytest.approx(cell.value, rel=0.01)


def test_a_column_has_one_prefix() -> None:
    slow = case("vit", trials=[trial(rate=10.0)])
    fast = case("cnn", trials=[trial(rate=100_000.0)])
    run_table = table(summarised(slow, fast))
    throughput = next(column for column in run_table.columns if column.key == "throughput")
    assert (throughput.unit, throughput.factor) == ("k items/s", 1000.0)
    assert [row.cells["throughput"].text for row in run_table.rows] == ["100", "0.0100"]


def test_a_missing_value_has_its_reason() -> None:
    cell = table(summarised(case(trials=[trial(readings=[energy(None)])]))).rows[0].cells["energy_per_item_j"]
    assert (cell.text, cell.value, cell.interval) == (NOT_MEASURED, None, "")
    assert cell.reason == "package: absent"


@pytest.mark.parametrize(
    ("readings", "mark"),
    [
        ([energy(100.0)], ""),
        ([energy(100.0, kind="model")], "~"),
        ([energy(100.0), energy(None, "dram")], "≥"),
        ([energy(100.0, kind="model"), energy(None, "dram")], "≥~"),
    ],
)
def test_estimates_and_lower_bounds_are_marked(readings: list, mark: str) -> None:
    cells = table(summarised(case(trials=[trial(readings=readings)]))).rows[0].cells
    assert cells["energy_per_item_j"].mark == mark
    assert cells["emissions_g_per_1000_items"].mark == mark
    assert cells["throughput"].mark == ""


def test_failed_and_skipped_cases_are_listed_with_their_reasons() -> None:
    skipped = case("vit", trials=[], status="skipped", reason_code="not_installed", reason="TensorFlow is absent")
    rows = table(summarised(case(trials=[failed_trial()]), skipped)).rows
    assert [row.status for row in rows] == ["failed", "skipped"]
    assert [row.reason for row in rows] == ["every trial failed", "TensorFlow is absent"]
    assert all(cell.text == NOT_MEASURED or cell.value == 0 for cell in rows[1].cells.values())


def test_frameworks_are_side_by_side_in_any_order_of_measurement() -> None:
    cases = [
        case(name, framework, mode, phase)
        for name in ("vit", "cnn")
        for phase in ("training", "inference")
        for framework, mode in (("tensorflow", "graph"), ("pytorch", "compile"), ("pytorch", "eager"))
    ]
    ids = [row.case.id for row in table(summarised(*cases)).rows]
    assert ids == [row.case.id for row in table(summarised(*reversed(cases))).rows]
    assert [id.split("/", 1)[1] for id in ids[:3]] == [
        "inference/pytorch/eager/cpu/fp32/b32",
        "inference/pytorch/compile/cpu/fp32/b32",
        "inference/tensorflow/graph/cpu/fp32/b32",
    ]


def test_execution_settings_are_taken_from_the_id() -> None:
    measured = case(id="cnn:small/training/pytorch/eager/cpu/fp32/b32+allocator=default+threads=1")
    assert table(summarised(measured)).rows[0].settings == "+allocator=default+threads=1"


def test_cold_and_warm_compilation_are_never_averaged() -> None:
    calls = [("cold", 9.0), ("warm", 1.0), ("warm", 1.1)]
    trials = [
        trial(i, start_s=10.0 * i).model_copy(update={"compile_cache": cache, "first_call_s": seconds})
        for i, (cache, seconds) in enumerate(calls, 1)
    ]
    cell = table(summarised(case(trials=trials))).rows[0].cells["first_call_s"]
    assert (cell.value, cell.n) == (pytest.approx(9.0), 1)
    warm = table(summarised(case(trials=trials[1:]))).rows[0].cells["first_call_s"]
    assert warm.reason == "with a warm compile cache"


def test_peak_memory_on_a_gpu_is_that_of_the_device() -> None:
    on_cpu, on_gpu = case(), case(device="cuda:0")
    cells = {row.case.device: row.cells["peak_memory_bytes"] for row in table(summarised(on_cpu, on_gpu)).rows}
    assert cells["cpu"].value == 300_000_000
    assert cells["cuda:0"].value is None
    assert "device" in (cells["cuda:0"].reason or "")


def test_every_column_has_a_key_of_its_own_and_a_tooltip() -> None:
    columns = table(summarised(case())).columns
    assert len({column.key for column in columns}) == len(columns)
    assert all(len(column.tooltip) > 30 for column in columns)


def test_no_case_at_all() -> None:
    assert table(summarised()).rows == ()


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [
        ((1234.567, 1199.9, 1270.2), ("1,235", "1,200", "1,270")),
        ((0.0123456, 0.0120, 0.0127), ("0.01235", "0.01200", "0.01270")),
        ((100.0, None, None), ("100", "", "")),
        ((123456.0, 100000.0, 150000.0), ("123,000", "100,000", "150,000")),
        # n = 2: the upper end is a thousand times the value, which must keep its digits
        ((10.0, 0.01, 10000.0), ("10.0", "0.0", "10,000.0")),
        ((163.0, 0.0001, 297_842_680.0), ("160", "0", "over 160,000")),
        ((0.0, 0.0, 0.0), ("0", "0", "0")),
    ],
)
def test_digits_follow_the_interval(numbers: tuple, texts: tuple) -> None:
    assert matching_digits(*numbers) == texts


def test_an_estimate_shows_its_error_range_and_no_more_digits() -> None:
    """Agreement of trials to 0.1 % does not make a model of load and TDP accurate to 0.1 %."""
    readings = (energy(50.0, kind="model", gain=0.4),)
    trials = [trial(i, 100.0 + 0.01 * i, start_s=10.0 * i, readings=readings) for i in (1, 2, 3)]
    run = run_file([case(trials=trials)])
    (row,) = table(recompute(run, run.emissions)).rows
    cell = row.cells["power_w"]
    assert cell.value == pytest.approx(25.0, rel=1e-2)
    assert (cell.text, cell.interval, cell.mark) == ("25", "(15 to 35)", "~")
    assert cell.low is not None  # the interval between trials stays in the data
    assert cell.high is not None
    assert cell.high / cell.low < 1.01
    assert row.cells["throughput"].interval.startswith("[")


@given(st.floats(1e-6, 1e9), st.floats(1e-6, 3.0))
def test_rounding_never_hides_the_value_or_the_interval(value: float, width: float) -> None:
    low, high = value * math.exp(-width), value * math.exp(width)
    texts = [float(text.replace(",", "")) for text in matching_digits(value, low, high)]
    assert texts[0] == pytest.approx(value, rel=0.06)
    assert texts[0] - texts[1] == pytest.approx(value - low, abs=max(0.11 * (value - low), 2.1e-5 * value))
