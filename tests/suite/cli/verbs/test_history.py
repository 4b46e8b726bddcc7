"""`joulemark history` and `list --runs` as a person types them."""

from __future__ import annotations

import csv
import io
import json
import math
from datetime import datetime, timedelta

import numpy as np
import pytest
from command import joulemark
from report_files import summarised, trials
from run_files import case, failed_trial, machine, run_file

from joulemark.reports.history_page import render
from joulemark.suite.records import FrameworkInfo, RunFile, write
from joulemark.suite.results.history import parquet
from joulemark.suite.results.history.series import Point, Series

RUNS, AT = 24, 16


def one_run(number: int, speed: float, **more: object) -> RunFile:
    """A run of two cases, and one that failed, `speed` times as fast as the first."""
    day, hour = 1 + number // 24, number % 24
    found = [
        case(trials=trials(100.0 * speed, 50.0, 8.0)),
        case(framework="tensorflow", mode="graph", trials=trials(90.0, 50.0, 12.0)),
        case("matmul", trials=[failed_trial()]),
    ]
    file = summarised(run_file(found, id=f"202611{day:02d}T{hour:02d}0000Z-{number:04x}", **more))
    started_at = f"2026-11-{day:02d}T{hour:02d}:00:00Z"
    return file.model_copy(update={"run": file.run.model_copy(update={"started_at": started_at})})


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A machine that became 10 % faster with a new PyTorch; one run on another machine; one broken file."""
    home = tmp_path_factory.mktemp("home")
    noise = np.random.default_rng(1).normal(0, 0.01, RUNS)
    newer = FrameworkInfo(version="2.14.0", python="3.11.7", build="cpu")
    for number in range(RUNS):
        later = number >= AT
        more = {"machine": machine(frameworks={**machine().frameworks, "pytorch": newer})} if later else {}
        file = one_run(number, math.exp(noise[number]) * (1.1 if later else 1), **more)
        write(file, home / "runs" / f"{file.run.id}.json")
    other = one_run(RUNS, 5.0, machine=machine(fingerprint="001122334455", hostname="bench-2"))
    write(other, home / "runs" / f"{other.run.id}.json")
    (home / "runs" / "20261130T000000Z-ffff.json").write_text("{")
    return home


def document(done) -> dict:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_step_is_found_with_what_changed_at_it(home):
    found = document(joulemark(home, "history", "-k", "cnn and pytorch", "--json"))
    assert found["schema_version"] == 1
    assert set(found["unreadable"]) == {"20261130T000000Z-ffff"}
    by_name = {(one["metric"], one["hostname"]): one for one in found["series"]}
    assert set(by_name) == {(m, h) for m in ("throughput", "energy") for h in ("bench-1", "bench-2")}
    speed = by_name["throughput", "bench-1"]
    assert (len(speed["points"]), speed["unit"], speed["kind"]) == (RUNS, "images/s", None)
    (step,) = speed["steps"]
    assert (step["index"], step["run"]) == (AT, speed["points"][AT]["run"])
    assert step["low"] < 1.1 < step["high"]
    assert step["new"] == {"framework": ["2.13.0", "2.14.0"]}
    energy = by_name["energy", "bench-1"]
    assert energy["kind"] == "measured"
    assert energy["steps"][0]["ratio"] == pytest.approx(1 / step["ratio"])
    assert by_name["throughput", "bench-2"]["steps"] == []


def test_points_are_what_the_run_files_say(home):
    found = document(joulemark(home, "history", "-k", "tensorflow", "--metric", "power", "--json"))
    (one,) = [one for one in found["series"] if one["hostname"] == "bench-1"]
    expected = one_run(0, 1.0).cases[1].summary.power_w
    for point in one["points"]:
        assert (point["value"], point["low"], point["high"], point["n"]) == (
            pytest.approx(expected.value),
            pytest.approx(expected.low),
            pytest.approx(expected.high),
            3,
        )
    assert one["points"][0]["started_at"] == "2026-11-01T00:00:00Z"
    assert one["steps"] == []


def test_csv_has_a_line_a_point_and_counts_levels(home):
    done = joulemark(home, "history", "-k", "cnn and pytorch", "--metric", "throughput", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["level"] for row in rows if row["hostname"] == "bench-1"] == ["0"] * AT + ["1"] * (RUNS - AT)
    assert len(rows) == RUNS + 1


def test_in_a_terminal_there_is_a_chart_and_the_step_in_words(home):
    done = joulemark(home, "history", "-k", "cnn and pytorch", "--metric", "throughput")
    assert done.returncode == 0
    assert "throughput, bench-1 (aabbccddeeff), version 0123456789ab" in done.stdout
    assert "better; framework 2.13.0 -> 2.14.0" in done.stdout
    assert done.stdout.count("●") >= RUNS
    assert "Left out 20261130T000000Z-ffff" in done.stderr


def test_where_a_terminal_has_only_ascii_so_has_the_chart(home):
    variables = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = joulemark(home, "history", "-k", "cnn and pytorch", "--metric", "throughput", variables=variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert done.stdout.count("o") >= RUNS


def test_many_series_are_listed(home):
    every = [part for name in ("throughput", "step-time", "energy", "power") for part in ("--metric", name)]
    done = joulemark(home, "history", *every)
    lines = [line for line in done.stdout.splitlines() if ":small/" in line]
    assert len(lines) == 3 * 2 * 4
    assert any("+10." in line or "+9." in line for line in lines)
    assert sum("not measured" in line for line in lines) == 8


def test_the_page_has_every_series(home, tmp_path):
    done = joulemark(home, "history", "-k", "cnn and pytorch", "-o", str(tmp_path / "page.html"), "--plotlyjs", "cdn")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.html").read_text()
    assert page.count('class="plot"') == 4
    assert "framework 2.13.0 to 2.14.0" in page


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-k", "nosuchcase"], ["nosuchcase", "3 cases"]),
        (["--metric", "speed"], ["speed", "throughput"]),
        (["--from", "/nowhere"], ["/nowhere", "no such directory"]),
        (["--from", "nosuch://bucket"], ["nosuch"]),
        (["--json", "--csv"], ["one of them"]),
        (["--plotlyjs", "cdn"], ["--plotlyjs", "-o PAGE"]),
        (["-k", "cnn", "-o", "/proc/nowhere/page.html"], ["/proc/nowhere"]),
        (["-k", "cnn", "-o", "page.html", "--plotlyjs", "nonsense"], ["nonsense"]),
    ],
    ids=" ".join,
)
def test_bad_input_is_one_line_and_exit_2(home, arguments, words):
    done = joulemark(home, "history", *arguments)
    lines = [line for line in done.stderr.strip().splitlines() if not line.startswith("Left out")]
    assert (done.returncode, len(lines)) == (2, 1), done.stderr
    for word in words:
        assert word in done.stderr


def test_no_runs_at_all(tmp_path):
    (tmp_path / "runs").mkdir()
    done = joulemark(tmp_path, "history")
    assert done.returncode == 2
    assert "no results are kept" in done.stderr


def test_list_runs_says_what_the_files_say_and_names_the_broken_one(home):
    found = document(joulemark(home, "list", "--runs", "--json"))["runs"]
    assert len(found) == RUNS + 2
    assert [run["id"] for run in found] == sorted(run["id"] for run in found)
    assert found[0] == {
        "id": "20261101T000000Z-0000",
        "path": str(home / "runs" / "20261101T000000Z-0000.json"),
        "started_at": "2026-11-01T00:00:00Z",
        "profile": "quick",
        "complete": True,
        "hostname": "bench-1",
        "cases": {"ok": 2, "failed": 1, "skipped": 0},
        "trials_lost": 0,
    }
    assert "broken or truncated" in found[-1]["error"]
    assert len(list((home / "runs").glob(f"*{parquet.SUFFIX}"))) == RUNS + 1


def test_the_page_speaks_of_one_run_and_of_many(tmp_path):
    """A case that was never measured stands first: the reading aid is there all the same."""
    found = [case("a", trials=[failed_trial()]), case(trials=trials(100.0, 50.0, 8.0))]
    write(summarised(run_file(found)), tmp_path / "runs" / "a.json")
    done = joulemark(tmp_path, "history", "--metric", "throughput", "-o", "page.html", "--plotlyjs", "cdn")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.html").read_text()
    assert "1 run on bench-1: no change point found." in page
    assert "no value in 1 run<" in page
    assert "Each point is one run" in page


@pytest.mark.parametrize(("count", "hint"), [(200, False), (201, True)])
def test_a_long_table_says_where_the_rest_is(count, hint):
    start = datetime(2026, 11, 1)
    points = tuple(Point(f"r{i}", start + timedelta(hours=i), 1.0, None, None, 1, {}) for i in range(count))
    one = Series("cnn:small/training/pytorch/eager", "energy", "J", "lower", "f", "host", "0", None, points, 1, ())
    page = render([one], "cdn")
    assert "No value in 1 run." in page
    assert ("The latest 200 runs; <code>joulemark history --csv</code> writes all." in page) == hint


def test_a_run_that_is_kept_twice_counts_once(tmp_path):
    file = one_run(0, 1.0)
    for name in ("a", "b"):
        write(file, tmp_path / "runs" / f"{name}.json")
    (one,) = document(joulemark(tmp_path, "history", "-k", "tensorflow", "--metric", "power", "--json"))["series"]
    assert len(one["points"]) == 1
