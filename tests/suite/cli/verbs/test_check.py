"""`joulemark check` and `baseline` as a CI job runs them, on run files that are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import joulemark
from run_files import case, energy, failed_trial, machine, run_file, trial

from joulemark.suite.records import Case, RunFile, write

RATES = (1e5, 1.001e5, 0.999e5)


def at(factor: float = 1.0, joules: float = 100.0, rates: tuple[float, ...] = RATES, **more: object) -> Case:
    """A case whose trials each use `joules` for 2 s at the given rates times `factor`."""
    trials = [trial(i, rate * factor, start_s=10.0 * i, readings=[energy(joules)]) for i, rate in enumerate(rates, 1)]
    return case(trials=trials, **more)


def keep(home: Path, day: int, *cases: Case, **more: object) -> str:
    """Keep a run of some day in the home; its id."""
    made: RunFile = run_file(cases, id=f"202611{day:02d}T120000Z-00{day:02d}", **more)
    started = made.run.model_copy(update={"started_at": f"2026-11-{day:02d}T12:00:00Z"})
    write(made.model_copy(update={"run": started}), home / "runs" / f"{made.run.id}.json")
    return made.run.id


def test_a_regression_is_1_and_the_markdown_names_it(tmp_path: Path) -> None:
    base, slow = keep(tmp_path, 1, at(), at(workload="vit")), keep(tmp_path, 2, at(0.6), at(workload="vit"))
    assert joulemark(tmp_path, "baseline", "save", "main", base).returncode == 0
    done = joulemark(tmp_path, "check", "--baseline", "main", "--markdown")
    assert done.returncode == 1, done.stderr
    assert slow in done.stdout.splitlines()[0]
    named = [line for line in done.stdout.splitlines() if line.startswith("- Regressed: ")]
    assert [line.split(":")[1].strip() for line in named] == ["cnn", "cnn"]
    assert "throughput fell 40 % " in named[0]
    assert "joules per image grew 67 % " in named[1]
    assert done.stderr.startswith("REGRESSION: 2 regressed, 2 in doubt.")
    advisory = joulemark(tmp_path, "check", "--baseline", "main", "--advisory", "--json")
    document = json.loads(advisory.stdout)
    assert (advisory.returncode, document["exit_code"], document["outcome"]) == (0, 0, "regression")
    assert "instead of 1" in advisory.stderr
    found = {(one["b"].split(":")[0], one["metric"]): one for one in document["comparisons"]}
    assert found["cnn", "energy"]["gate"] == "regressed"
    assert found["cnn", "energy"]["ratio"] == pytest.approx(1 / 0.6)
    assert found["cnn", "energy"]["sentence"].startswith("joules per image grew 67 % [")
    assert document["drift"]["throughput"] == {"relative": pytest.approx(0.05), "assumed": True, "runs": None}


def test_a_tie_between_two_stored_runs_is_4_and_advice(tmp_path: Path) -> None:
    base = keep(tmp_path, 1, at())
    keep(tmp_path, 2, at())
    done = joulemark(tmp_path, "check", "--baseline", base)
    assert done.returncode == 4, done.stderr
    assert "NOT CONCLUSIVE: 2 in doubt." in done.stdout
    assert "5 % assumed" in done.stdout
    assert "joulemark calibrate" in done.stdout
    wide = ("--threshold", "throughput:50%", "--threshold", "energy:off")
    held = joulemark(tmp_path, "check", "--baseline", base, *wide, "--json")
    assert held.returncode == 0
    assert [(one["metric"], one["gate"]) for one in json.loads(held.stdout)["comparisons"]] == [("throughput", "held")]


def test_history_is_a_baseline_and_tells_the_drift(tmp_path: Path) -> None:
    for day, factor in enumerate((1.0, 1.004, 0.997, 1.002, 0.998, 1.001), 1):
        keep(tmp_path, day, at(factor, 100.0))
    keep(tmp_path, 7, at(1.0))
    done = joulemark(tmp_path, "check", "--baseline", "history", "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    document = json.loads(done.stdout)
    assert {one["gate"] for one in document["comparisons"]} == {"held"}
    assert {(one["n_a"], one["runs_a"]) for one in document["comparisons"]} == {(18, 6)}
    drift = document["drift"]["throughput"]
    assert (drift["assumed"], drift["runs"]) == (False, 6)
    assert 0.001 < drift["relative"] < 0.005
    keep(tmp_path, 8, at(0.953))
    assert joulemark(tmp_path, "check", "--baseline", "history").returncode == 4
    keep(tmp_path, 9, at(0.85))
    fallen = joulemark(tmp_path, "check", "--baseline", "20261107")
    assert fallen.returncode == 1
    assert "8 kept runs of this machine" in fallen.stdout


def test_lost_and_failed_cases_are_4(tmp_path: Path) -> None:
    wide = ("--threshold", "throughput:50%", "--threshold", "energy:50%")
    base = keep(tmp_path, 1, at(), at(workload="vit"))
    keep(tmp_path, 2, at())
    lost = joulemark(tmp_path, "check", "--baseline", base, *wide)
    assert lost.returncode == 4
    assert "Lost: vit:small/training/pytorch/eager/cpu/fp32/b32: B does not have it." in lost.stdout
    broken = case("vit", trials=[failed_trial()], reason="raised OSError: [/no/such] | [bold]")
    keep(tmp_path, 3, at(), broken)
    plain = joulemark(tmp_path, "check", "--baseline", base, *wide)
    assert plain.returncode == 4, plain.stderr
    assert "Lost: vit:small/training/pytorch/eager/cpu/fp32/b32: failed: raised OSError: [/no/such] | [bold]." in (
        plain.stdout
    )
    failed = joulemark(tmp_path, "check", "--baseline", base, *wide, "--markdown")
    assert failed.returncode == 4
    assert "failed: raised OSError: \\[/no/such\\] \\| \\[bold\\]" in failed.stdout


def test_no_baseline_and_nothing_comparable_are_3(tmp_path: Path) -> None:
    keep(tmp_path, 1, at())
    keep(tmp_path, 2, at(), machine=machine(fingerprint="112233445566", hostname="bench-2"))
    for baseline, words in (
        ("main", "no baseline 'main'"),
        ("history", "none was made before"),
        ("20261101", "two machines (bench-1 and bench-2)"),
    ):
        done = joulemark(tmp_path, "check", "--baseline", baseline)
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (3, "", 1), done.stderr
        assert words in done.stderr


def test_bad_input_is_2_and_one_line(tmp_path: Path) -> None:
    keep(tmp_path, 1, at())
    (tmp_path / "not.json").write_text("{}")
    (tmp_path / "baselines").mkdir()
    (tmp_path / "baselines" / "broken.json").write_text("{")
    for arguments, words in (
        (["check"], "--baseline is missing"),
        (["check", "--baseline", "not.json"], "not a joulemark run file"),
        (["check", "--baseline", "broken"], "is not JSON"),
        (["check", "--baseline", "latest"], "is the run to judge"),
        (["check", "--baseline", "latest", "nothing"], "unknown run 'nothing'"),
        (["check", "--baseline", "latest", "--json", "--markdown"], "give one of them"),
        (["baseline"], "baseline what?"),
        (["baseline", "save", "a/b"], "'a/b'"),
        (["baseline", "save", "history"], "meaning of its own"),
    ):
        done = joulemark(tmp_path, *arguments)
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), (arguments, done.stderr)
        assert words in done.stderr


def test_thresholds_of_the_settings_file(tmp_path: Path) -> None:
    base = keep(tmp_path, 1, at(), at(workload="vit"))
    keep(tmp_path, 2, at(0.5), at(workload="vit"))
    (tmp_path / "joulemark.toml").write_text(
        '[thresholds]\nthroughput = "50%"\nenergy = "off"\n'
        '"cnn*" = { throughput = "off" }\n"resent*" = { memory = "1%" }\n'
    )
    done = joulemark(tmp_path, "check", "--baseline", base)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "'resent*' of [thresholds] matches no case" in done.stderr
    # An option is stronger than all of the file.
    assert joulemark(tmp_path, "check", "--baseline", base, "--threshold", "throughput:5%").returncode == 1
    for text, words in (('[thresholds]\nspeed = "5%"\n', "'speed'"), ("thresholds = 5\n", "it is a table")):
        (tmp_path / "joulemark.toml").write_text(text)
        wrong = joulemark(tmp_path, "check", "--baseline", base)
        assert (wrong.returncode, len(wrong.stderr.splitlines())) == (2, 1)
        assert words in wrong.stderr
        assert "joulemark.toml" in wrong.stderr


def test_baselines_are_listed_replaced_and_removed(tmp_path: Path) -> None:
    first, second = keep(tmp_path, 1, at()), keep(tmp_path, 2, at())
    assert "No baseline is kept yet" in joulemark(tmp_path, "baseline", "list").stdout
    for run in (first, second):
        assert joulemark(tmp_path, "baseline", "save", "main", run).returncode == 0
    (tmp_path / "baselines" / "old.json").write_text("{")
    rows = json.loads(joulemark(tmp_path, "baseline", "list", "--json").stdout)["baselines"]
    assert [(row["name"], row["run"], row["cases"]) for row in rows] == [("main", second, 1), ("old", None, None)]
    assert "is not JSON" in rows[1]["error"]
    assert joulemark(tmp_path, "baseline", "remove", "main").returncode == 0
    gone = joulemark(tmp_path, "baseline", "remove", "main")
    assert (gone.returncode, "saved: old" in gone.stderr) == (3, True)
    keep(tmp_path, 3, case(trials=[failed_trial()]))
    assert joulemark(tmp_path, "baseline", "save", "main").returncode == 2
