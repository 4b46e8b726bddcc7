"""pytest-benchmark's format, held against pytest-benchmark itself."""

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
from joulemark.suite.results.export.pytest_benchmark import _stats, render
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
def test_the_figures_are_those_that_pytest_benchmark_computes(durations: list[float]) -> None:
    theirs = Stats()
    for duration in durations:
        theirs.update(duration)
    ours, expected = _stats(durations), theirs.as_dict()
    assert ours.pop("outliers") == expected.pop("outliers")
    assert ours == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("value", [0.1, 0.7, 1e-9])
@pytest.mark.parametrize("count", range(1, 10))
def test_equal_times_have_no_spread(value: float, count: int) -> None:
    found = _stats([value] * count)
    assert found["ld15iqr"] == found["hd15iqr"] == found["median"] == value
    assert found["stddev"] == 0


def test_a_round_is_a_trial_and_one_trial_gives_its_blocks() -> None:
    several, one = case("cnn"), case("vit", trials=[trial(rate=100.0)])
    found = {b["name"]: b for b in json.loads(render(summarised(several, one)))["benchmarks"]}
    assert found[several.id]["stats"]["data"] == pytest.approx([1 / 95, 1 / 100, 1 / 105])
    assert found[several.id]["extra_info"]["rounds_are"] == "trials"
    (only,) = one.trials
    assert found[one.id]["stats"]["data"] == [block / only.steps_per_block for block in only.block_s]
    assert found[one.id]["extra_info"]["rounds_are"] == "blocks of one trial"
    assert found[one.id]["extra_info"]["throughput"]["reason"] == "n=1, no interval"


def test_lost_cases_are_listed_apart() -> None:
    document = json.loads(render(summarised(case(), case("vit", trials=[failed_trial()]))))
    assert [b["name"].split(":")[0] for b in document["benchmarks"]] == ["cnn"]
    (lost,) = document["joulemark"]["lost"]
    assert (lost["status"], lost["reason"]) == ("failed", "every trial failed")


def test_pytest_benchmark_compare_reads_two_runs_and_finds_the_change(tmp_path: Path) -> None:
    """The second run takes twice as long: pytest-benchmark's own table and CSV must say so."""
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
        timeout=120,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.count("-- benchmark 'cnn:small/training/cpu/fp32/b32': 2 tests --") == 1
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text().splitlines()))
    assert len(rows) == 4
    values = sorted(float(row["mean"]) for row in rows)
    assert values[2:] == pytest.approx([2 * value for value in values[:2]], rel=1e-6)
