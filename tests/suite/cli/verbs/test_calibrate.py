"""`joulemark calibrate` as a user runs it: on runs that are kept, and measuring."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import tomllib
from pathlib import Path

import numpy as np
import pytest
from command import COMMAND, FAST, environment, joulemark
from run_files import case, energy, machine, run_file, trial

from joulemark.suite.records import RunFile, read
from joulemark.suite.stats.thresholds import parse_thresholds


def kept(folder: Path, count: int, **more: object) -> list[str]:
    """Files of `count` runs that drift by 3 % and whose trials vary by 1 %."""
    random = np.random.default_rng(5)
    paths = []
    for number in range(count):
        rates = 1e5 * np.exp(random.normal(0, 0.03) + random.normal(0, 0.01, 4))
        trials = [trial(i, rate, start_s=10.0 * i) for i, rate in enumerate(rates.tolist(), 1)]
        made: RunFile = run_file([case(trials=trials)], id=f"20260101T00000{number}Z-000{number}", **more)
        paths.append(folder / f"{made.run.id}.json")
        paths[-1].write_text(made.model_dump_json())
    return [str(path) for path in paths]


def test_kept_runs_are_read(tmp_path: Path) -> None:
    paths = kept(tmp_path, 6)
    done = joulemark(tmp_path, "calibrate", *paths, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema_version"] == 1
    assert document["runs"] == [Path(path).stem for path in paths]
    facts = document["metrics"]["throughput"]
    logs = np.array([[math.log(t.items / 2.0) for t in read(Path(path)).cases[0].trials] for path in paths])
    within = logs.var(axis=1, ddof=1).mean()
    assert facts["trial_variation"] == pytest.approx(math.sqrt(within), rel=1e-6)
    between = logs.mean(axis=1).var(ddof=1) - within / 4
    assert facts["run_variation"] == pytest.approx(math.sqrt(between), rel=1e-6)
    assert facts["share_of_runs"] == pytest.approx(between / (between + within), rel=1e-6)
    assert [one["rounds"] for one in facts["stored"]] == [3, 5, 10, 15, 20, 30]
    proposed = document["proposed"]
    assert 0.01 <= proposed["turn_by_turn"]["throughput"] < proposed["stored"]["throughput"] < 0.5
    plain = joulemark(tmp_path, "calibrate", *paths)
    assert plain.returncode == 0, plain.stderr
    *_, last = plain.stdout.splitlines()
    table = tomllib.loads(last)["thresholds"]
    assert last.endswith("# against a kept run")
    assert {key: parse_thresholds([], {key: value}).limit(key, "any") for key, value in table.items()} == proposed[
        "stored"
    ]
    assert f"processes vary by {facts['trial_variation']:.1%}" in plain.stdout


def test_estimated_energy_needs_a_word(tmp_path: Path) -> None:
    paths = []
    for number in range(5):
        trials = [trial(i, 1e5, readings=[energy(100.0 + i + number, kind="model")]) for i in (1, 2, 3)]
        path = tmp_path / f"{number}.json"
        path.write_text(run_file([case(trials=trials)], id=f"run-{number}").model_dump_json())
        paths.append(str(path))
    facts = json.loads(joulemark(tmp_path, "calibrate", *paths, "--json").stdout)["metrics"]["energy"]
    assert "estimated" in facts["reason"]
    allowed = joulemark(tmp_path, "calibrate", *paths, "--json", "--allow-estimates")
    assert json.loads(allowed.stdout)["metrics"]["energy"]["run_variation"] > 0


def test_too_little_in_common(tmp_path: Path) -> None:
    here = kept(tmp_path, 5)
    (tmp_path / "elsewhere").mkdir()
    elsewhere = kept(tmp_path / "elsewhere", 1, machine=machine(fingerprint="another"))
    for paths in (here[:4], [*here[:4], here[0]], [*here[:4], *elsewhere]):
        done = joulemark(tmp_path, "calibrate", *paths)
        assert done.returncode == 3, done.stderr
        assert done.stderr.count("\n") == 1
        assert "joulemark calibrate" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--runs", "4"], "--runs is 4"),
        (["--every", "-1"], "--every is -1"),
        (["--every", "nan"], "--every is nan"),
        (["--rounds", "1"], "--rounds is 1"),
        (["latest"], "no run 'latest'"),
        (["latest", "--runs", "5"], "--runs is for measuring"),
        (["latest", "--batch-size", "4"], "--batch-size is for measuring"),
        (["--workload", "nonsense"], "unknown workload 'nonsense'"),
    ],
)
def test_bad_usage_is_one_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = joulemark(tmp_path, "calibrate", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_runs_are_measured_and_survive_an_interruption(tmp_path: Path) -> None:
    """The first run is real; while the second is waited for, Ctrl-C."""
    pytest.importorskip("torch")
    (tmp_path / "joulemark.toml").write_text(FAST)
    selection = ["--framework", "pytorch", "--workload", "matmul", "--profile", "fast", "--rounds", "2", "--offline"]
    with subprocess.Popen(
        [*COMMAND, "calibrate", *selection, "--every", "600", "--json"],
        env=environment(tmp_path),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            # Once: the console may write a line again that Ctrl-C broke into.
            if "Run 2 starts in" in line and line not in said:
                process.send_signal(signal.SIGINT)
            said.append(line)
        assert process.stdout is not None
        assert process.stdout.read() == ""
    assert process.returncode == 130, "".join(said)
    assert said[0].startswith("5 runs: about 40 h")
    assert "1 of 5" in said[-1], "".join(said)
    (path,) = (tmp_path / "runs").glob("*.json")
    found = read(path)
    assert (found.run.complete, found.run.rounds, found.run.profile) == (True, 2, "fast")
