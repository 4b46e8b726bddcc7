"""`joulemark compare`, as a person types it, on run files that are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import joulemark
from run_files import case, energy, machine, run_file, trial

from joulemark.suite.cli.support import comparison_text
from joulemark.suite.cli.support.comparison import Compared
from joulemark.suite.records import Case, write
from joulemark.suite.stats.compare import compare


def at(factor: float = 1.0, **more: object) -> Case:
    rates = (1e5, 1.001e5, 0.999e5)
    trials = [trial(i, rate * factor, start_s=10.0 * i, readings=[energy(100.0)]) for i, rate in enumerate(rates, 1)]
    return case(trials=trials, **more)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    b64 = at(batch_size=64, id="vit:small/training/pytorch/eager/cpu/fp32/b64", workload="vit")
    runs = {
        "20261101T120000Z-a1b2": [at(), at(framework="tensorflow", mode="graph"), at(workload="vit")],
        "20261102T120000Z-a1b3": [at(2.0), at(workload="cnn", framework="tensorflow", mode="graph"), b64],
    }
    for (id, cases), packages in zip(runs.items(), ("2.4.6", "2.5.0"), strict=True):
        made = run_file(cases, id=id, machine=machine(packages={"numpy": packages}))
        write(made, tmp_path / "runs" / f"{id}.json")
    return tmp_path


def test_two_runs_in_a_terminal(kept: Path) -> None:
    done = joulemark(kept, "compare", "20261101", "latest")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split() for line in done.stdout.splitlines() if "Throughput" in line]
    assert [(row[0].split("/")[2], row[-1]) for row in rows] == [("pytorch", "faster"), ("tensorflow", "inconclusive")]
    assert "2.00 [" in done.stdout
    assert "only in A  vit:small/training/pytorch/eager/cpu/fp32/b32: B has it with batch size 64 instead of 32" in (
        done.stdout
    )
    assert "package numpy: 2.4.6 -> 2.5.0" in done.stdout
    assert "5 % assumed" in done.stdout
    assert "39.22 g/kWh (CH), PUE 1; shown, never judged" in done.stdout


def test_an_estimate_has_its_mark_on_its_own_side(tmp_path: Path) -> None:
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


def test_runs_of_unlike_sizes_are_told_so(kept: Path) -> None:
    tiny = [at(size="tiny", id="cnn:tiny/training/pytorch/eager/cpu/fp32/b32")]
    tiny += [at(workload=name, size="tiny", id=f"{name}:tiny") for name in ("mlp", "gpt2")]
    write(run_file(tiny, id="20261103T120000Z-a1b4"), kept / "runs" / "20261103T120000Z-a1b4.json")
    done = joulemark(kept, "compare", "20261101", "latest")
    assert (done.returncode, done.stdout) == (3, "")
    assert "A does not have it; " in done.stderr
    assert "size tiny instead of small" in done.stderr


def test_a_pattern_that_matches_no_case_is_told(kept: Path) -> None:
    (kept / "joulemark.toml").write_text('[thresholds]\n"resnet50*" = {energy = "3%"}\n"cnn*" = {energy = "3%"}\n')
    done = joulemark(kept, "compare", "20261101", "latest")
    assert done.returncode == 0
    assert done.stderr == "The pattern 'resnet50*' of [thresholds] matches no case of 20261102T120000Z-a1b3.\n"


def test_json_and_markdown_say_the_same(kept: Path) -> None:
    document = json.loads(joulemark(kept, "compare", "20261101", "latest", "--json").stdout)
    assert (document["schema_version"], document["a"]["id"]) == (1, "20261101T120000Z-a1b2")
    one = next(c for c in document["comparisons"] if c["metric"] == "energy")
    assert one["ratio"] == pytest.approx(0.5)
    assert one["low"] < one["ratio"] < one["high"]
    grams = document["emissions"]["cases"][0]
    # 100 J over 2 s at 1e5 items/s, 39.22 g/kWh
    assert grams["a_g_per_1000_items"] == pytest.approx(1000 * 100 / 2e5 / 3.6e6 * 39.22, rel=1e-3)
    markdown = joulemark(kept, "compare", "20261101", "latest", "--markdown").stdout
    lines = [line for line in markdown.splitlines() if line.startswith("| cnn") and "Energy per item" in line]
    assert f"0.50 \\[{one['low']:.2f}, {one['high']:.2f}\\]" in lines[0]
    assert "<details>" in markdown


def test_one_run_by_a_factor(kept: Path) -> None:
    done = joulemark(kept, "compare", "20261101", "--by", "framework", "--threshold", "memory:off", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["drift"] == {}
    assert {one["metric"] for one in document["comparisons"]} == {"throughput", "energy", "first-call"}
    assert {(one["a"].split("/")[2], one["b"].split("/")[2]) for one in document["comparisons"]} == {
        ("pytorch", "tensorflow")
    }
    assert "pytorch eager (eager)" in document["comparisons"][0]["reason"]


def test_what_cannot_be_done_is_one_line(kept: Path) -> None:
    write(run_file([at()], id="C", machine=machine(fingerprint="112233445566", hostname="bench-2")), kept / "c.json")
    for arguments, code, words in (
        (["latest"], 2, "B is missing"),
        (["latest", "20261102"], 2, "A and B are one run"),
        (["latest", "--by", "mode"], 3, "no two cases"),
        (["20261101", "c.json"], 3, "two machines"),
        (["20261101", "latest", *(f"--threshold={m}:off" for m in ("throughput", "energy", "memory", "first-call"))], 2,
         "every threshold is off"),
    ):  # fmt: skip
        done = joulemark(kept, "compare", *arguments)
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (code, "", 1), done.stderr
        assert words in done.stderr
    assert joulemark(kept, "compare", "20261101", "c.json", "--by", "machine").returncode == 0


def test_markdown_fits_a_comment_and_says_what_it_leaves_out() -> None:
    cases = [at(workload=f"w{i}") for i in range(150)]
    a, b = run_file(cases, id="A"), run_file(cases, id="B")
    whole = Compared(a, b, None, compare(a, b))
    text = comparison_text.markdown(whole, "title | *", ["a <b>"])
    assert len(text.encode()) <= comparison_text.MAX_BYTES
    shown = sum(line.startswith("| w") for line in text.splitlines())
    assert f"{150 * 5 - shown} more rows are left out" in text
    assert text.startswith("### title \\| \\*\n\n- a &lt;b&gt;\n")
