"""The summary of a run, as `joulemark show` prints it."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import in_terminal, joulemark
from report_files import cases, full, on_gpu, summarised
from run_files import case, energy, failed_trial, run_file, trial

from joulemark.suite.records import ResidentIdle, RunFile, write


def with_resident_idle() -> RunFile:
    """Return a run on a GPU whose cases there measured idle power with their programs resident: 35, 36, 37... W."""
    run = on_gpu()
    gpu = run.machine.gpus[0].uuid
    on_gpu_cases = [each for each in run.cases if each.device == "cuda:0"]
    changed = [each for each in run.cases if each.device == "cpu"]
    for i, each in enumerate(on_gpu_cases):
        readings = (energy(None, "dram"), energy(2 * (35.0 + i), "gpu").model_copy(update={"scope": gpu}))
        idle = ResidentIdle(window_s=(1.0, 3.0), energy=readings)
        first = each.trials[0].model_copy(update={"resident_idle": idle})
        changed.append(each.model_copy(update={"trials": (first, *each.trials[1:])}))
    return run.model_copy(update={"cases": tuple(changed)})


def show(home: Path, run: RunFile) -> str:
    write(run, home / "run.json")
    done = joulemark(home, "show", "run.json")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_idle_power_before_and_after(tmp_path: Path) -> None:
    run = full()
    estimated = energy(101.234, kind="model")
    idle = tuple(window.model_copy(update={"energy": (estimated,)}) for window in run.idle)
    text = show(tmp_path, run.model_copy(update={"idle": idle}))
    assert "Idle power: before: package-0 ~20 W; after: package-0 ~20 W." in text
    assert "resident" not in text  # there is no GPU
    assert "Idle power" not in show(tmp_path, run.model_copy(update={"idle": ()}))


def test_idle_power_with_a_resident_program(tmp_path: Path) -> None:
    text = show(tmp_path, with_resident_idle())
    (line,) = [line for line in text.splitlines() if line.startswith("Idle power")]
    assert "; program resident: cuda:0 35.0 W to 46.0 W (12 cases); not measured: dram-0 (absent)." in line


def test_where_the_energy_comes_from_is_one_line(tmp_path: Path) -> None:
    text = show(tmp_path, full())
    assert [line for line in text.splitlines() if line.startswith("Energy:")] == ["Energy: measured (rapl)."]
    assert "Sensors:" not in text
    assert "\nRoofline: memory limits 0 of 6 cases, arithmetic 0; 6 undetermined.\n" in text
    unmeasured = show(tmp_path, summarised(run_file(cases(kind="unavailable"), traces=(), idle=())))
    assert "\n\nEnergy: not measured.\n" in unmeasured


@pytest.mark.slow
def test_column_titles_say_what_brackets_hold(tmp_path: Path) -> None:
    titles = show(tmp_path, summarised(run_file(cases(kind="model")))).partition(":small/")[0]
    assert titles.count("[95 %]") == 2  # throughput and step time
    assert titles.count("~ (may be off by)") == 3  # energy, power, emissions
    assert "may be off" not in show(tmp_path, full())
    # One trial has no interval.
    assert "95 %" not in show(tmp_path, summarised(run_file(cases(rounds=1))))


def test_piped_charts_are_ascii(tmp_path: Path) -> None:
    text = show(tmp_path, full())
    assert "Throughput, items/s (longer is faster" in text
    assert "=[" in text
    assert "█" not in text


@pytest.mark.parametrize(("no_color", "blocks"), [("", True), ("1", False)])
def test_charts_fit_the_terminal(tmp_path: Path, no_color: str, blocks: bool) -> None:
    write(full(), tmp_path / "run.json")
    text = in_terminal(tmp_path, 72, "show", "run.json", variables={"NO_COLOR": no_color} if no_color else {})
    charts = text[text.index("Throughput, items/s") :].partition("Whole run")[0].splitlines()
    assert max(map(len, charts)) <= 72
    assert ("█" in text) == blocks
    assert ("==" in text) != blocks


def test_external_tracker_with_its_components(tmp_path: Path) -> None:
    (line,) = [line for line in show(tmp_path, full()).splitlines() if line.startswith("External tracker")]
    assert "codecarbon 3.3.2" in line
    assert "cpu 2.40 kJ" in line


def test_lost_trial_has_its_reason(tmp_path: Path) -> None:
    partly = case("vit", trials=[trial(1), failed_trial(2, reason="not finished within 60 s"), trial(3, 99.0)])
    failed = case("mlp", trials=[failed_trial(1), failed_trial(2)])
    text = show(tmp_path, summarised(run_file([partly, failed])))
    assert "complete, 1 trial lost" in text
    assert f"lost  {partly.id}, round 2: not finished within 60 s" in text
    assert f"failed  {failed.id}: " in text
