"""`joulemark compare` on kept runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import joulemark
from comparisons import case_with_work
from kept_runs import case_at
from run_files import case, energy, machine, run_file, trial, work

from joulemark.suite.records import write

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Keep two runs: one case twice as fast, one with other settings, one that only the first has."""
    b64 = case_at(batch_size=64, id="vit:small/training/pytorch/eager/cpu/fp32/b64", workload="vit")
    graph = case_at(framework="tensorflow", mode="graph")
    runs = {
        "20261101T120000Z-a1b2": ([case_at(), graph, case_at(workload="vit")], "2.4.6"),
        "20261102T120000Z-a1b3": ([case_at(2.0), graph, b64], "2.5.0"),
    }
    for id, (cases, numpy) in runs.items():
        run = run_file(cases, id=id, machine=machine(packages={"numpy": numpy}))
        write(run, tmp_path / "runs" / f"{id}.json")
    return tmp_path


def test_two_runs_in_a_terminal(home: Path) -> None:
    done = joulemark(home, "compare", "20261101", "latest")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split() for line in done.stdout.splitlines() if "Throughput" in line]
    assert [(row[0].split("/")[2], row[-1]) for row in rows] == [("pytorch", "faster"), ("tensorflow", "inconclusive")]
    assert "2.00 [" in done.stdout
    (lost,) = [line for line in done.stdout.splitlines() if line.startswith("only in A")]
    assert "vit:small/training/pytorch/eager/cpu/fp32/b32" in lost
    assert "batch size 64 instead of 32" in lost
    assert "package numpy: 2.4.6 -> 2.5.0" in done.stdout
    assert "5 % assumed" in done.stdout
    assert "39.22 g/kWh (CH), PUE 1" in done.stdout


def test_json_and_markdown_have_the_same_numbers(home: Path) -> None:
    document = json.loads(joulemark(home, "compare", "20261101", "latest", "--json").stdout)
    assert (document["schema_version"], document["a"]["id"]) == (1, "20261101T120000Z-a1b2")
    comparison = next(each for each in document["comparisons"] if each["metric"] == "energy")
    assert comparison["ratio"] == pytest.approx(0.5)
    assert comparison["low"] < comparison["ratio"] < comparison["high"]
    emissions = document["emissions"]["cases"][0]
    # 100 J over 2 s at 1e5 items/s, 39.22 g/kWh
    assert emissions["a_g_per_1000_items"] == pytest.approx(1000 * 100 / 2e5 / 3.6e6 * 39.22, rel=1e-3)
    markdown = joulemark(home, "compare", "20261101", "latest", "--markdown").stdout
    row = next(line for line in markdown.splitlines() if line.startswith("| cnn") and "Energy per item" in line)
    assert f"0.50 \\[{comparison['low']:.2f}, {comparison['high']:.2f}\\]" in row
    assert "<details>" in markdown


def test_estimate_is_marked_on_its_own_side(tmp_path: Path) -> None:
    for day, kind in ((1, "counter"), (2, "model")):
        trials = [trial(i, 1e5 + i, readings=[energy(100.0 * day, kind=kind)]) for i in (1, 2, 3)]
        id = f"2026110{day}T120000Z-a1b2"
        write(run_file([case(trials=trials)], id=id), tmp_path / "runs" / f"{id}.json")
    done = joulemark(tmp_path, "compare", "20261101", "20261102", "--allow-estimates", "--markdown")
    assert done.returncode == 0, done.stderr
    rows = [[cell.strip() for cell in line.split("|")] for line in done.stdout.splitlines() if line.startswith("| cnn")]
    speed, joules, grams = (next(row for row in rows if name in row[2]) for name in ("Throughput", "Energy", "CO2e"))
    assert "~" not in "".join(speed)
    for row in (joules, grams):
        assert [cell.startswith("\\~") for cell in row[3:5]] == [False, True]


def test_one_run_by_a_factor(home: Path) -> None:
    done = joulemark(home, "compare", "20261101", "--by", "framework", "--threshold", "memory:off", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["drift"] == {}
    assert {each["metric"] for each in document["comparisons"]} == {"throughput", "energy", "first-call"}
    assert {(each["a"].split("/")[2], each["b"].split("/")[2]) for each in document["comparisons"]} == {
        ("pytorch", "tensorflow")
    }
    assert "pytorch eager (eager)" in document["comparisons"][0]["reason"]


def test_runs_of_different_sizes_are_not_comparable(home: Path) -> None:
    name_end = "tiny/training/pytorch/eager/cpu/fp32/b32"
    tiny = [case_at(workload=name, size="tiny", id=f"{name}:{name_end}") for name in ("cnn", "mlp", "gpt2")]
    write(run_file(tiny, id="20261103T120000Z-a1b4"), home / "runs" / "20261103T120000Z-a1b4.json")
    done = joulemark(home, "compare", "20261101", "latest")
    assert (done.returncode, done.stdout) == (3, "")
    assert "size tiny instead of small" in done.stderr


def test_pattern_that_matches_no_case_is_reported(home: Path) -> None:
    (home / "joulemark.toml").write_text('[thresholds]\n"resnet50*" = {energy = "3%"}\n"cnn*" = {energy = "3%"}\n')
    done = joulemark(home, "compare", "20261101", "latest")
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert "'resnet50*'" in line
    assert "20261102T120000Z-a1b3" in line


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ("latest", 2, "B is missing"),
        ("latest 20261102", 2, "20261102T120000Z-a1b3"),
        ("latest --by mode", 3, "mode"),
        ("20261101 c.json", 3, "bench-2"),
        (
            "20261101 latest --threshold throughput:off --threshold energy:off "
            "--threshold memory:off --threshold first-call:off --threshold ttft:off --threshold tpot:off",
            2,
            "every threshold is off",
        ),
    ],
)
def test_bad_input_and_nothing_comparable_are_one_line(home: Path, arguments: str, code: int, text: str) -> None:
    other = run_file([case_at()], id="C", machine=machine(fingerprint="112233445566", hostname="bench-2"))
    write(other, home / "c.json")
    done = joulemark(home, "compare", *arguments.split())
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (code, "", 1), done.stderr
    assert text in done.stderr
    assert joulemark(home, "compare", "20261101", "c.json", "--by", "machine").returncode == 0


def test_counts_of_work_are_rows_where_they_changed_and_say_what_a_doubtful_speed_means(tmp_path: Path) -> None:
    """Rates of the first case are noise, at more operators; the second does the same work."""
    noisy, more = [1e5, 1.3e5, 0.8e5], ({"operators": 412, "peak_bytes": 2e8}, {"operators": 440, "peak_bytes": 2e8})
    for day, counts in enumerate(more, 1):
        works = [
            case_with_work(*[work(**counts)] * 3, rates=noisy),
            case_with_work(*[work(operators=7)] * 3, workload="vit"),
        ]
        id = f"2026110{day}T120000Z-a1b2"
        write(run_file(works, id=id), tmp_path / "runs" / f"{id}.json")
    done = joulemark(tmp_path, "compare", "20261101", "20261102", "--markdown")
    assert done.returncode == 0, done.stderr
    rows = [[cell.strip() for cell in line.split("|")] for line in done.stdout.splitlines() if line.startswith("| cnn")]
    (count,) = [row for row in rows if row[2] == "Operators a step"]
    assert count[3:7] == ["412", "440", "1.068", "3"]
    assert "a step does the same work" in done.stdout
    document = json.loads(joulemark(tmp_path, "compare", "20261101", "20261102", "--json").stdout)
    (speed,) = [each for each in document["comparisons"] if each["metric"] == "throughput" and "cnn" in each["a"]]
    assert (speed["verdict"], speed["work"]) == ("inconclusive", "operators 412 -> 440 a step")
    verdicts = {(each["count"], each["verdict"]): each["sentence"] for each in document["counts"]}
    assert verdicts["operators", "more"] == "operators grew from 412 to 440 a step"
    assert ("peak-bytes", "same") in verdicts
    checked = joulemark(tmp_path, "check", "20261102", "--baseline", "20261101")
    assert checked.returncode == 1
    assert "more work a step: operators 412 -> 440." in checked.stdout
