"""`joulemark check` on kept runs: verdicts, exit codes and thresholds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import joulemark
from kept_runs import case_at, keep_run
from run_files import case, failed_trial, machine

pytestmark = pytest.mark.slow

WIDE = ("--threshold", "throughput:50%", "--threshold", "energy:50%")


def test_regression_exits_1_and_the_markdown_names_it(tmp_path: Path) -> None:
    base = keep_run(tmp_path, 1, case_at(), case_at(workload="vit"))
    slow = keep_run(tmp_path, 2, case_at(0.6), case_at(workload="vit"))
    assert joulemark(tmp_path, "baseline", "save", "main", base).returncode == 0
    done = joulemark(tmp_path, "check", "--baseline", "main", "--markdown")
    assert done.returncode == 1, done.stderr
    assert slow in done.stdout.splitlines()[0]
    regressions = [line for line in done.stdout.splitlines() if line.startswith("- Regressed: ")]
    assert [line.split(":")[1].strip() for line in regressions] == ["cnn", "cnn"]
    assert "40 %" in regressions[0]
    assert "67 %" in regressions[1]
    assert done.stderr.startswith("REGRESSION: 2 regressed, 2 in doubt.")


def test_advisory_exits_0_with_the_same_verdicts(tmp_path: Path) -> None:
    base = keep_run(tmp_path, 1, case_at())
    keep_run(tmp_path, 2, case_at(0.6))
    done = joulemark(tmp_path, "check", "--baseline", base, "--advisory", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["exit_code"], document["outcome"]) == (0, 0, "regression")
    assert document["advisory"] is True
    (energy,) = [each for each in document["comparisons"] if each["metric"] == "energy"]
    assert energy["gate"] == "regressed"
    assert energy["ratio"] == pytest.approx(1 / 0.6)
    assert "67 %" in energy["sentence"]
    assert document["drift"]["throughput"] == {
        "relative": pytest.approx(0.05),
        "assumed": True,
        "runs": None,
        "apart": None,
    }


def test_tie_of_two_kept_runs_is_in_doubt(tmp_path: Path) -> None:
    base = keep_run(tmp_path, 1, case_at())
    keep_run(tmp_path, 2, case_at())
    done = joulemark(tmp_path, "check", "--baseline", base)
    assert done.returncode == 4, done.stderr
    assert "NOT CONCLUSIVE: 2 in doubt." in done.stdout
    assert "5 % assumed" in done.stdout
    assert "joulemark calibrate" in done.stdout
    wide = ("--threshold", "throughput:50%", "--threshold", "energy:off")
    held = joulemark(tmp_path, "check", "--baseline", base, *wide, "--json")
    assert held.returncode == 0
    comparisons = json.loads(held.stdout)["comparisons"]
    assert [(each["metric"], each["gate"]) for each in comparisons] == [("throughput", "held")]


def test_history_is_a_baseline_and_shows_the_drift(tmp_path: Path) -> None:
    for day, factor in enumerate((1.0, 1.004, 0.997, 1.002, 0.998, 1.001), 1):
        keep_run(tmp_path, day, case_at(factor))
    keep_run(tmp_path, 7, case_at(1.0))
    done = joulemark(tmp_path, "check", "--baseline", "history", "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    document = json.loads(done.stdout)
    assert {each["gate"] for each in document["comparisons"]} == {"held"}
    assert {(each["n_a"], each["runs_a"]) for each in document["comparisons"]} == {(18, 6)}
    drift = document["drift"]["throughput"]
    assert (drift["assumed"], drift["runs"]) == (False, 6)
    assert 0.001 < drift["relative"] < 0.005
    keep_run(tmp_path, 8, case_at(0.953))
    assert joulemark(tmp_path, "check", "--baseline", "history").returncode == 1
    keep_run(tmp_path, 9, case_at(0.85))
    fallen = joulemark(tmp_path, "check", "--baseline", "20261107")
    assert fallen.returncode == 1
    assert "8 kept runs of this machine" in fallen.stdout


def test_lost_and_failed_cases_exit_4(tmp_path: Path) -> None:
    vit = "vit:small/training/pytorch/eager/cpu/fp32/b32"
    base = keep_run(tmp_path, 1, case_at(), case_at(workload="vit"))
    keep_run(tmp_path, 2, case_at())
    lost = joulemark(tmp_path, "check", "--baseline", base, *WIDE)
    assert lost.returncode == 4
    assert f"Lost: {vit}: " in lost.stdout
    reason = "raised OSError: [/no/such] | [bold]"
    keep_run(tmp_path, 3, case_at(), case("vit", trials=[failed_trial()], reason=reason))
    plain = joulemark(tmp_path, "check", "--baseline", base, *WIDE)
    assert plain.returncode == 4, plain.stderr
    assert f"Lost: {vit}: failed: {reason}." in plain.stdout
    markdown = joulemark(tmp_path, "check", "--baseline", base, *WIDE, "--markdown")
    assert markdown.returncode == 4
    assert "raised OSError: \\[/no/such\\] \\| \\[bold\\]" in markdown.stdout


@pytest.mark.parametrize(
    ("baseline", "texts"),
    [("main", ["'main'"]), ("history", []), ("20261101", ["bench-1", "bench-2"])],
)
def test_no_baseline_and_nothing_comparable_exit_3(tmp_path: Path, baseline: str, texts: list[str]) -> None:
    keep_run(tmp_path, 1, case_at())
    keep_run(tmp_path, 2, case_at(), machine=machine(fingerprint="112233445566", hostname="bench-2"))
    done = joulemark(tmp_path, "check", "--baseline", baseline)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (3, "", 1), done.stderr
    assert all(text in done.stderr for text in texts)


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        ("", ["--baseline"]),
        ("--baseline not.json", ["not.json"]),
        ("--baseline broken", ["broken", "is not JSON"]),
        ("--baseline latest", ["'latest'", "20261101T120000Z-0001"]),
        ("--baseline latest nothing", ["'nothing'"]),
        ("--baseline latest --json --markdown", ["--json and --markdown"]),
        ("--rounds 3", ["--rounds", "--baseline-python"]),
        ("--baseline-python python3 --baseline main", ["leave out --baseline"]),
    ],
)
def test_bad_input_is_one_line_and_exit_2(tmp_path: Path, arguments: str, texts: list[str]) -> None:
    keep_run(tmp_path, 1, case_at())
    (tmp_path / "not.json").write_text("{}")
    (tmp_path / "baselines").mkdir()
    (tmp_path / "baselines" / "broken.json").write_text("{")
    done = joulemark(tmp_path, "check", *arguments.split())
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), done.stderr
    assert all(text in done.stderr for text in texts)


def test_thresholds_of_the_settings_file(tmp_path: Path) -> None:
    base = keep_run(tmp_path, 1, case_at(), case_at(workload="vit"))
    keep_run(tmp_path, 2, case_at(0.5), case_at(workload="vit"))
    (tmp_path / "joulemark.toml").write_text(
        '[thresholds]\nthroughput = "50%"\nenergy = "off"\n'
        '"cnn*" = { throughput = "off" }\n"resent*" = { memory = "1%" }\n'
    )
    done = joulemark(tmp_path, "check", "--baseline", base)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "'resent*' of [thresholds] matches no case" in done.stderr
    # An option overrides all of the file.
    assert joulemark(tmp_path, "check", "--baseline", base, "--threshold", "throughput:5%").returncode == 1


@pytest.mark.parametrize(("content", "text"), [('[thresholds]\nspeed = "5%"\n', "'speed'"), ("thresholds = 5\n", "5")])
def test_wrong_thresholds_in_the_settings_file(tmp_path: Path, content: str, text: str) -> None:
    base = keep_run(tmp_path, 1, case_at())
    (tmp_path / "joulemark.toml").write_text(content)
    done = joulemark(tmp_path, "check", "--baseline", base)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert text in done.stderr
    assert "joulemark.toml" in done.stderr
