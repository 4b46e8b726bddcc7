"""`joulemark history`."""

from __future__ import annotations

import csv
import io
import json
import math

import numpy as np
import pytest
from command import joulemark
from report_files import summarised, trials
from run_files import case, failed_trial, machine, run_file, starting_at

from joulemark.suite.records import FrameworkInfo, RunFile, write

pytestmark = pytest.mark.slow

RUNS, CHANGE_AT = 24, 16

ONE_CASE = ("history", "-k", "cnn and pytorch")


def run_at(number: int, speed: float, **fields: object) -> RunFile:
    """Return a run with two cases at `speed` times a fixed rate, and a failed one, made `number` hours later."""
    day, hour = 1 + number // 24, number % 24
    cases = [
        case(trials=trials(100.0 * speed, 50.0, 8.0)),
        case(framework="tensorflow", mode="graph", trials=trials(90.0, 50.0, 12.0)),
        case("matmul", trials=[failed_trial()]),
    ]
    run = summarised(run_file(cases, id=f"202611{day:02d}T{hour:02d}0000Z-{number:04x}", **fields))
    return starting_at(run, f"2026-11-{day:02d}T{hour:02d}:00:00Z")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Keep runs of a machine that became 10 % faster with a new PyTorch, one of another machine, and a broken file."""
    home = tmp_path_factory.mktemp("home")
    noise = np.random.default_rng(1).normal(0, 0.01, RUNS)
    new_pytorch = FrameworkInfo(version="2.14.0", python="3.11.7", build="cpu")
    upgraded = machine(frameworks={**machine().frameworks, "pytorch": new_pytorch})
    runs = [
        run_at(number, math.exp(noise[number]) * (1.1 if number >= CHANGE_AT else 1), machine=here)
        for number in range(RUNS)
        for here in [upgraded if number >= CHANGE_AT else machine()]
    ]
    runs.append(run_at(RUNS, 5.0, machine=machine(fingerprint="001122334455", hostname="bench-2")))
    for run in runs:
        write(run, home / "runs" / f"{run.run.id}.json")
    (home / "runs" / "20261130T000000Z-ffff.json").write_text("{")
    return home


def document(done) -> dict:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_change_point_has_what_changed_with_it(home):
    history = document(joulemark(home, *ONE_CASE, "--json"))
    assert history["schema_version"] == 1
    assert set(history["unreadable"]) == {"20261130T000000Z-ffff"}
    series = {(each["metric"], each["hostname"]): each for each in history["series"]}
    assert set(series) == {(m, h) for m in ("throughput", "energy") for h in ("bench-1", "bench-2")}
    throughput = series["throughput", "bench-1"]
    assert (len(throughput["points"]), throughput["unit"], throughput["kind"]) == (RUNS, "images/s", None)
    assert throughput["runs_without_value"] == 0
    (step,) = throughput["steps"]
    assert set(step) == {"run", "started_at", "index", "ratio", "low", "high", "p", "new"}
    assert (step["index"], step["run"]) == (CHANGE_AT, throughput["points"][CHANGE_AT]["run"])
    assert step["low"] < 1.1 < step["high"]
    assert step["new"] == {"framework": ["2.13.0", "2.14.0"]}
    energy = series["energy", "bench-1"]
    assert energy["kind"] == "measured"
    assert energy["steps"][0]["ratio"] == pytest.approx(1 / step["ratio"])
    assert series["throughput", "bench-2"]["steps"] == []


def test_points_equal_the_summaries_of_the_run_files(home):
    history = document(joulemark(home, "history", "-k", "tensorflow", "--metric", "power", "--json"))
    (series,) = [each for each in history["series"] if each["hostname"] == "bench-1"]
    expected = run_at(0, 1.0).cases[1].summary.power_w
    for point in series["points"]:
        assert (point["value"], point["low"], point["high"], point["n"]) == (
            pytest.approx(expected.value),
            pytest.approx(expected.low),
            pytest.approx(expected.high),
            3,
        )
    assert series["points"][0]["started_at"] == "2026-11-01T00:00:00Z"
    assert series["steps"] == []


def test_csv_has_one_line_per_point_and_counts_levels(home):
    done = joulemark(home, *ONE_CASE, "--metric", "throughput", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    levels = [row["level"] for row in rows if row["hostname"] == "bench-1"]
    assert levels == ["0"] * CHANGE_AT + ["1"] * (RUNS - CHANGE_AT)
    assert len(rows) == RUNS + 1


def test_terminal_shows_a_chart_and_the_change_point(home):
    done = joulemark(home, *ONE_CASE, "--metric", "throughput")
    assert done.returncode == 0
    assert "throughput, bench-1 (aabbccddeeff), version 0123456789ab" in done.stdout
    assert "better; framework 2.13.0 -> 2.14.0" in done.stdout
    assert done.stdout.count("●") >= RUNS
    assert "20261130T000000Z-ffff" in done.stderr


def test_chart_in_an_ascii_terminal(home):
    variables = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = joulemark(home, *ONE_CASE, "--metric", "throughput", variables=variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert done.stdout.count("o") >= RUNS


def test_many_series_are_listed(home):
    metrics = [argument for name in ("throughput", "step-time", "energy", "power") for argument in ("--metric", name)]
    done = joulemark(home, "history", *metrics)
    lines = [line for line in done.stdout.splitlines() if ":small/" in line]
    assert len(lines) == 3 * 2 * 4
    assert any("+10." in line or "+9." in line for line in lines)
    assert sum("not measured" in line for line in lines) == 8


def test_page_has_every_series(home, tmp_path):
    done = joulemark(home, *ONE_CASE, "-o", str(tmp_path / "page.html"), "--plotlyjs", "cdn")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.html").read_text()
    assert page.count('class="plot"') == 4
    assert "framework 2.13.0 to 2.14.0" in page


def test_run_that_is_kept_twice_counts_once(tmp_path):
    for name in ("a", "b"):
        write(run_at(0, 1.0), tmp_path / "runs" / f"{name}.json")
    history = document(joulemark(tmp_path, "history", "-k", "tensorflow", "--metric", "power", "--json"))
    (series,) = history["series"]
    assert len(series["points"]) == 1


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        ("-k nosuchcase", ["nosuchcase", "3 cases"]),
        ("--metric speed", ["speed", "throughput"]),
        ("--from /nowhere", ["/nowhere", "no such directory"]),
        ("--from nosuch://bucket", ["nosuch"]),
        ("--json --csv", ["--json and --csv"]),
        ("--plotlyjs cdn", ["--plotlyjs", "-o PAGE"]),
        ("-o page.pdf", ["page.pdf", ".html"]),
        ("-k cnn -o /proc/nowhere/page.html", ["/proc/nowhere"]),
        ("-k cnn -o page.html --plotlyjs nonsense", ["nonsense"]),
    ],
)
def test_bad_input_is_one_line_and_exit_2(home, arguments, texts):
    done = joulemark(home, "history", *arguments.split())
    lines = [line for line in done.stderr.strip().splitlines() if not line.startswith("Left out")]
    assert (done.returncode, len(lines)) == (2, 1), done.stderr
    assert all(text in done.stderr for text in texts)


def test_no_runs_at_all(tmp_path):
    (tmp_path / "runs").mkdir()
    done = joulemark(tmp_path, "history")
    assert done.returncode == 2
    assert "joulemark run" in done.stderr
