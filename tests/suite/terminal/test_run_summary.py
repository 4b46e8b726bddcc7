"""The summary of a run, as `joulemark show` prints it."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import in_terminal, joulemark
from report_files import cases, full, on_gpu, summarised
from run_files import case, energy, failed_trial, run_file, trial

from joulemark.suite.records import ResidentIdle, RunFile, write


def with_resident_idle() -> RunFile:
    """Return a run on a GPU whose first trial measured idle power with its program resident."""
    run = on_gpu()
    gpu_case = next(case for case in run.cases if case.device == "cuda:0")
    idle = ResidentIdle(window_s=(1.0, 3.0), energy=(energy(70.0, "gpu"), energy(None, "module")))
    trials = (gpu_case.trials[0].model_copy(update={"resident_idle": idle}), *gpu_case.trials[1:])
    changed = gpu_case.model_copy(update={"trials": trials})
    return run.model_copy(update={"cases": tuple(changed if case is gpu_case else case for case in run.cases)})


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
    assert "resident " in line
    assert "35.0 W" in line


@pytest.mark.slow
def test_column_titles_say_what_brackets_hold(tmp_path: Path) -> None:
    titles = show(tmp_path, summarised(run_file(cases(kind="model")))).partition(":small/")[0]
    assert titles.count("[95 %]") == 2  # throughput and step time
    assert titles.count("~ (may be off by)") == 3  # energy, power, emissions
    assert "may be off" not in show(tmp_path, full())


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
