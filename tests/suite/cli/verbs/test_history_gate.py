"""`joulemark history --gate` on what `joulemark check` left."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from command import joulemark
from kept_runs import case_at, keep_run

from joulemark.suite.cli.support.compare.documents import compare_runs
from joulemark.suite.results.history.checks import check_of, keep
from joulemark.suite.results.store import load
from joulemark.suite.stats.gate import evaluate
from joulemark.suite.stats.thresholds import Thresholds

pytestmark = pytest.mark.slow


def check(home: Path, baseline: str, run: str) -> int:
    done = joulemark(home, "check", "--baseline", baseline, run, "--threshold", "energy:off", "--json")
    assert done.returncode in (0, 1, 4), done.stderr
    return done.returncode


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep 26 runs, half as fast from the 15th on, each from then on checked against the run before it."""
    home, noise = tmp_path_factory.mktemp("home"), np.random.default_rng(1).normal(0, 0.01, 27)
    ids: list[str] = []
    for day in range(1, 27):
        ids.append(keep_run(home, day, case_at(math.exp(noise[day]) * (1 if day < 15 else 0.5))))
        if day == 15:
            assert check(home, ids[-2], ids[-1]) == 1
        elif day > 15:
            judge(home / "runs", ids[-2], ids[-1])
    return home


def judge(runs: Path, baseline: str, run: str) -> None:
    """Do what `joulemark check` does, without a process, and with drift assumed."""
    thresholds, (a, b) = Thresholds({"throughput": 0.05}), (load(name, runs) for name in (baseline, run))
    result = compare_runs(a, b, None, thresholds, None, allow_estimates=False).result
    keep(runs / f"{run}.json", check_of(a, b, result, evaluate(result, a, b, thresholds)))


def test_rates_alarms_and_what_followed(home: Path) -> None:
    done = joulemark(home, "history", "--gate", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["schema_version"], document["checks"], document["damaged"]) == (1, 12, 0)
    regression = document["outcomes"]["regression"]
    assert (regression["count"], regression["of"]) == (1, 12)
    assert regression["low"] == pytest.approx(1 - 0.975 ** (1 / 12))  # Clopper and Pearson: 1 - 0.975^(1/n)
    (rates,) = document["cases"]
    assert (rates["metric"], rates["how"], rates["follow_up"]) == (
        "throughput",
        "stored",
        {"confirmed": 1, "returned": 0, "open": 0},
    )
    assert rates["smallest_alarm"] > 0.05
    (alarm,) = document["alarms"]
    assert (alarm["run"][:8], alarm["follow_up"]) == ("20261115", "confirmed")
    (change,) = document["changes"]
    assert (change["run"], change["alarmed"]) == (alarm["run"], True)


def test_terminal_and_page(home: Path, tmp_path: Path) -> None:
    page = tmp_path / "gate.html"
    done = joulemark(home, "history", "--gate", "-k", "cnn", "-o", str(page), "--plotlyjs", "cdn")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("12 checks: ")
    assert "8 % [0, 38] alarmed" in done.stdout
    assert "1 confirmed" in done.stdout
    assert "the gate alarmed at 1." in done.stdout
    text = page.read_text()
    assert text.count('class="plot"') == 2
    assert "8 % [0, 38] alarmed" in text


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        ("--csv", ["--csv", "--json"]),
        ("--metric power", ["power", "throughput"]),
        ("-k nosuchcase", ["no verdict of these cases"]),
        ("--from s3://bucket/runs", ["s3://bucket/runs", "directory"]),
    ],
)
def test_bad_usage_is_one_line(home: Path, arguments: str, texts: list[str]) -> None:
    done = joulemark(home, "history", "--gate", *arguments.split())
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), done.stderr
    assert all(text in done.stderr for text in texts)


def test_too_few_checks_are_one_line(tmp_path: Path) -> None:
    first, second = (keep_run(tmp_path, day, case_at()) for day in (1, 2))
    none = joulemark(tmp_path, "history", "--gate")
    assert (none.returncode, len(none.stderr.splitlines())) == (2, 1)
    assert "joulemark check" in none.stderr
    # A file outside of the kept runs stays alone.
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_bytes((tmp_path / "runs" / f"{second}.json").read_bytes())
    check(tmp_path, first, str(elsewhere))
    assert [path.name for path in tmp_path.glob("*.checks.jsonl")] == []
    check(tmp_path, first, second)
    few = joulemark(tmp_path, "history", "--gate")
    assert (few.returncode, len(few.stdout.splitlines())) == (0, 1)
    assert few.stdout.startswith("1 check kept: rates need at least 10.")
