"""Idle power as a table."""

from __future__ import annotations

import pytest
from report_files import on_gpu
from run_files import case, energy, run_file, trial

from joulemark.suite.energy.idle_table import idle_table
from joulemark.suite.records import EnergyReading, Idle, ResidentIdle, RunFile


def before(*readings: EnergyReading) -> Idle:
    return Idle(when="before", window_s=(0.0, 2.0), energy=readings)


def test_a_row_per_window_and_a_column_per_measured_component() -> None:
    resident = ResidentIdle(window_s=(1.0, 3.0), energy=(energy(70.0, "gpu"),))
    resident_case = case(device="cuda:0", trials=[trial().model_copy(update={"resident_idle": resident})])
    table = idle_table(run_file([resident_case], idle=(before(energy(40.0), energy(None, "dram")),)))
    assert table.components == ("package-0", "gpu-0")
    assert [(row.when, row.case and row.case.id, row.length_s) for row in table.rows] == [
        ("before", None, 2.0),
        ("resident", resident_case.id, 2.0),
    ]
    powers = [{label: value.power_w for label, value in row.values.items()} for row in table.rows]
    assert powers == [{"package-0": 20.0}, {"gpu-0": 35.0}]
    assert table.missing == {"dram-0": "absent"}
    assert table.no_resident is None


def test_what_is_estimated_instead_is_not_missing() -> None:
    cpu = energy(13.0, "cpu", "model").model_copy(update={"scope": "host"})
    table = idle_table(run_file(idle=(before(energy(None), cpu),)))
    assert (table.components, table.missing) == (("cpu",), {})


def test_a_gpu_has_the_name_of_its_device() -> None:
    run = on_gpu()
    gpu = energy(156.4, "gpu").model_copy(update={"scope": run.machine.gpus[0].uuid})
    assert idle_table(run.model_copy(update={"idle": (before(gpu),)})).components == ("cuda:0",)


def _cpu_only(run: RunFile) -> RunFile:
    return run.model_copy(update={"cases": tuple(case for case in run.cases if case.device == "cpu")})


@pytest.mark.parametrize(("run", "word"), [(_cpu_only(on_gpu()), "CPU"), (on_gpu(), "no trial on a GPU")])
def test_why_no_program_was_resident(run: RunFile, word: str) -> None:
    assert word in (idle_table(run).no_resident or "")


def test_without_a_gpu_no_program_can_be_resident() -> None:
    assert idle_table(run_file([case()])).no_resident is None
