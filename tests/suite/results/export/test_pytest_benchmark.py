"""pytest-benchmark's format, checked against pytest-benchmark itself."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_benchmark.stats import Stats
from run_files import case, failed_trial, run_file, trial

from joulemark.suite.records import Case, RunFile
from joulemark.suite.results.export.pytest_benchmark import render, round_statistics
from joulemark.suite.results.summary import recompute

# Multiples of a power of two, whose quartiles are exact: with others, a time can miss a fence by the last bit.
DURATIONS = st.lists(st.integers(1, 10**6).map(lambda ticks: ticks / 1024), min_size=1, max_size=40)


def summarised(*cases: Case, **more: object) -> RunFile:
    file = run_file(list(cases), **more)
    return recompute(file, file.emissions)


@given(DURATIONS)
@example([1.0])
@example([1.0, 1.0, 1.0, 50.0, 1.0])
@example([3.0, 1.0, 2.0, 9.0, 4.0, 7.0])
def test_statistics_are_those_of_pytest_benchmark(durations: list[float]) -> None:
    theirs = Stats()
    for duration in durations:
        theirs.update(duration)
    ours, expected = round_statistics(durations), theirs.as_dict()
    assert ours.pop("outliers") == expected.pop("outliers")
    assert ours == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("value", [0.1, 0.7, 1e-9])
@pytest.mark.parametrize("count", range(1, 10))
def test_equal_times_do_not_vary(value: float, count: int) -> None:
    statistics = round_statistics([value] * count)
    assert statistics["ld15iqr"] == statistics["hd15iqr"] == statistics["median"] == value
    assert statistics["stddev"] == 0


def test_a_round_is_a_trial_or_a_block_of_a_single_trial() -> None:
    three_trials, one_trial = case("cnn"), case("vit", trials=[trial(rate=100.0)])
    document = json.loads(render(summarised(three_trials, one_trial)))
    by_trial, by_block = (
        next(benchmark for benchmark in document["benchmarks"] if benchmark["name"] == measured.id)
        for measured in (three_trials, one_trial)
    )
    assert by_trial["stats"]["data"] == pytest.approx([1 / 95, 1 / 100, 1 / 105])
    assert by_trial["extra_info"]["rounds_are"] == "trials"
    (only,) = one_trial.trials
    assert by_block["stats"]["data"] == [block / only.steps_per_block for block in only.block_s]
    assert by_block["extra_info"]["rounds_are"] == "blocks of one trial"
    assert by_block["extra_info"]["throughput"]["low"] is None
    assert by_block["extra_info"]["throughput"]["n"] == 1


def test_lost_cases_are_listed_apart() -> None:
    document = json.loads(render(summarised(case(), case("vit", trials=[failed_trial()]))))
    assert [b["name"].split(":")[0] for b in document["benchmarks"]] == ["cnn"]
    (lost,) = document["joulemark"]["lost"]
    assert (lost["status"], lost["reason"]) == ("failed", "every trial failed")


def test_pytest_benchmark_compare_reads_two_runs_and_finds_the_change(tmp_path: Path) -> None:
    """The second run takes twice as long, in pytest-benchmark's own table and CSV."""
    halved = [trial(i, rate) for i, rate in enumerate((47.5, 50.0, 52.5), 1)]
    files = {"before": [case(), case("vit")], "after": [case(trials=halved), case("vit", trials=halved)]}
    for name, cases in files.items():
        (tmp_path / f"{name}.json").write_text(render(summarised(*cases)))
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "pytest_benchmark", "compare", "before.json", "after.json"),
            *("--csv=table.csv", "--columns=min,mean,stddev,median,iqr,outliers,ops,rounds,iterations"),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": "", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.count("-- benchmark 'cnn:small/training/cpu/fp32/b32': 2 tests --") == 1
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text().splitlines()))
    assert len(rows) == 4
    values = sorted(float(row["mean"]) for row in rows)
    assert values[2:] == pytest.approx([2 * value for value in values[:2]], rel=1e-6)
