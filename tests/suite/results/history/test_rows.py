"""The rows of a run: what they contain."""

from __future__ import annotations

from datetime import datetime

import pytest
from report_files import cases, full, on_gpu, summarised
from run_files import case, energy, failed_trial, run_file, trial

from joulemark.suite.results.history.rows import COLUMNS, QUANTITIES, rows, utc


def test_a_row_has_the_values_of_the_summary():
    file = on_gpu()
    run_rows = rows(file)
    assert [set(row) for row in run_rows] == [set(COLUMNS)] * len(file.cases)
    for row, measured in zip(run_rows, file.cases, strict=True):
        assert (row["case_id"], row["framework"], row["batch_size"]) == (
            measured.id,
            measured.framework,
            measured.batch_size,
        )
        for name in ("throughput", "energy_per_item_j", "emissions_g_per_1000_items", "power_w"):
            quantity = getattr(measured.summary, name)
            stored = tuple(row[name + suffix] for suffix in ("", "_low", "_high", "_n"))
            assert stored == (quantity.value, quantity.low, quantity.high, quantity.n)
        assert row["energy_kind"] == measured.summary.energy_per_item_j.kind
        assert row["board"] == ("Test GPU" if measured.device == "cuda:0" else None)
    assert run_rows[-1]["peak_memory_bytes"] == 2e9
    assert run_rows[0]["started_at"] == datetime(2026, 11, 2, 12)


@pytest.mark.parametrize(("sensor", "kind"), [("rapl", "counter"), ("simulated", "simulated"), ("replay", "simulated")])
def test_energy_of_no_hardware_is_a_kind_of_its_own(sensor: str, kind: str) -> None:
    trials = [trial(readings=[energy().model_copy(update={"sensor": sensor})])]
    (row,) = rows(summarised(run_file([case(trials=trials)])))
    assert row["energy_kind"] == kind


def test_a_case_on_several_gpus_has_the_names_of_all():
    file = on_gpu()
    (gpu,) = file.machine.gpus
    gpus = (gpu, gpu.model_copy(update={"device": "cuda:1"}), gpu.model_copy(update={"device": "cuda:2", "name": "B"}))
    machine = file.machine.model_copy(update={"gpus": gpus})
    names = {}
    for device in ("cuda:0+cuda:1", "cuda:0+cuda:2", "cuda:2", "cpu"):
        measured = (file.cases[0].model_copy(update={"device": device}),)
        (row,) = rows(file.model_copy(update={"machine": machine, "cases": measured}))
        names[device] = row["board"], row["driver"]
    assert names == {
        "cuda:0+cuda:1": ("Test GPU", gpu.driver),
        "cuda:0+cuda:2": ("Test GPU, B", gpu.driver),
        "cuda:2": ("B", gpu.driver),
        "cpu": (None, None),
    }


def test_what_was_not_measured_is_null_and_never_zero():
    failed = next(row for row in rows(full()) if row["status"] == "failed")
    assert [failed[spec.key] for spec in QUANTITIES] == [None] * len(QUANTITIES)
    assert (failed["reason_code"], failed["trials_ok"], failed["trials_lost"]) == (None, 0, 1)
    without_energy = rows(summarised(run_file(cases(kind="unavailable"), traces=(), idle=())))[0]
    assert without_energy["energy_per_item_j"] is None
    assert without_energy["throughput"] > 0


def test_a_failed_case_keeps_its_reason():
    file = summarised(run_file([case(trials=[failed_trial()], reason_code="out_of_memory")]))
    assert rows(file)[0]["reason_code"] == "out_of_memory"


def test_a_run_without_cases_has_a_row():
    file = run_file([])
    (row,) = rows(file)
    assert (row["run_id"], row["case_id"]) == (file.run.id, None)


@pytest.mark.parametrize(
    "text",
    ["2026-11-01T12:00:00Z", "2026-11-01T12:00:00.000+00:00", "2026-11-01T13:00:00+01:00", "2026-11-01T12:00:00"],
)
def test_times_are_utc(text):
    assert utc(text) == datetime(2026, 11, 1, 12)
