"""`joulemark ab`, and `check --baseline-python`: two interpreters or two settings, measured turn by turn."""

from __future__ import annotations

import json
import math
import signal
import sys
import time
from pathlib import Path
from statistics import fmean, median

import pytest
from command import FAST_ROUNDS, joulemark, start
from environments import empty_environment, environment_like_this, known, require, stand_in
from places import SUPPORT

from joulemark.suite.records import RunFile, Trial
from joulemark.suite.records.journal import SUFFIX
from joulemark.suite.results.run_files import read

pytestmark = pytest.mark.slow

VARIABLES = {"PYTHONPATH": str(SUPPORT / "leaning")}
LEANING = ("--workload", "leaning", "--framework", "pytorch", "--profile", "fast")
"""A workload whose speed depends on a library of its environment."""
TURNS = 2


@pytest.fixture
def home(tmp_path):
    (tmp_path / "joulemark.toml").write_text(FAST_ROUNDS + f"turns = {TURNS}\n")
    return tmp_path


def trials_of(run_file: RunFile, arm: str) -> list[Trial]:
    """Return the trials of an arm's only case, by round."""
    (case,) = [each for each in run_file.cases if each.arm == arm]
    return sorted(case.trials, key=lambda trial: trial.round)


def ratio_in_turns(a: Trial, b: Trial) -> float:
    """Return the median over turns of the log ratio of two trials' throughputs, of one item a step."""
    return median(math.log(step_a / step_b) for step_a, step_b in zip(a.turns_s, b.turns_s, strict=True))


def wait_for_window(home: Path) -> None:
    """Wait until the first trial has had its window."""
    deadline = time.monotonic() + 120.0
    while not any(b'"trial"' in journal.read_bytes() for journal in home.glob(f"runs/*{SUFFIX}")):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        ("", ["--a", "--a-threads"]),
        ("--a-threads 1 --b-threads 2 --threads 4", ["--threads "]),
        ("--a-allocator jemalloc", ["--a-allocator", "jemalloc", "retain"]),
        ("--a /nowhere/python", ["/nowhere/python", "no such program"]),
    ],
)
def test_bad_input_is_one_line_and_exit_2(home, arguments, texts):
    done = joulemark(home, "ab", *arguments.split())
    assert (done.returncode, done.stdout, len(done.stderr.strip().splitlines())) == (2, "", 1), done.stderr
    assert all(text in done.stderr for text in texts)


def test_interpreter_without_joulemark_is_one_line_and_exit_2(home):
    python = empty_environment(home / "empty")
    known_here = known()
    for arguments in (["ab", "--b", python, *known_here], ["check", "--baseline-python", python]):
        done = joulemark(home, *arguments)
        assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1), done.stderr
        assert f"{python} has no joulemark" in done.stderr


def test_version_with_another_protocol_is_one_line_and_exit_2(home):
    facts = {"suite_version": "9.9", "python": "3.12.1", "protocol": "deadbeef"}
    python = home / "python"
    python.write_text(f"#!/bin/sh\necho '{json.dumps({**facts, 'frameworks': {}, 'packages': {}, 'workloads': {}})}'\n")
    python.chmod(0o755)
    done = joulemark(home, "ab", "--a", str(python))
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1), done.stderr
    assert f"{python} has joulemark 9.9" in done.stderr
    assert "deadbeef" in done.stderr


@pytest.mark.parametrize(("threads", "equal"), [(("1", "1"), True), (("1", "2"), False)])
def test_equal_arms_are_reported(home, threads, equal):
    selection = ("--profile", "fast", "--framework", "pytorch", "--workload", "matmul", "--dry-run")
    python = ("--python", f"pytorch={stand_in(home)}")
    done = joulemark(home, "ab", "--a-threads", threads[0], "--b-threads", threads[1], *selection, *python)
    assert done.returncode == 0, done.stderr
    assert ("Both arms are equal" in done.stderr) == equal


def test_gate_fires_against_a_live_baseline_and_inconclusive_pairs_get_more_rounds(home):
    """The library in the baseline's environment is thirty times as fast as the one that replaces it here."""
    require("torch")
    python = environment_like_this(home / "env", leaning_library="STEP_S = 0.01\n")
    done = joulemark(
        home,
        *("check", "--baseline-python", python, *LEANING, "--rounds", "1", "--max-rounds", "2", "--json"),
        variables=VARIABLES,
    )
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    assert (document["outcome"], document["exit_code"], document["by"]) == ("regression", 1, "arm")
    slower = next(each for each in document["comparisons"] if each["gate"] == "regressed")
    assert (slower["metric"], slower["words"], slower["n_a"], slower["n_b"]) == ("throughput", "slower", 2, 2)
    assert slower["a"] == "leaning:tiny/inference/pytorch/eager/cpu/fp32/b1+arm=a"
    assert 0.01 < slower["ratio"] < 0.1
    assert slower["high"] < 1 / 1.05

    run_file = read(home / "runs" / f"{document['b']['id']}.json")
    assert (run_file.run.rounds, run_file.run.max_rounds, run_file.run.complete) == (1, 2, True)
    assert "Inconclusive: 2 cases; running 1 more round." in done.stderr
    assert "[4/4]" in done.stderr
    assert run_file.arms["a"].interpreter == python
    assert run_file.arms["b"].interpreter == sys.executable
    assert run_file.arms["a"].frameworks == run_file.arms["b"].frameworks == run_file.machine.frameworks
    # The environments differ only in the library, which is not a known package.
    assert document["environment"] == {}
    trials = sorted((trial.started_s, trial.round, case.arm) for case in run_file.cases for trial in case.trials)
    arms = [arm for _, _, arm in trials]
    assert [number for _, number, _ in trials] == [1, 1, 2, 2]
    assert arms in (["a", "b", "b", "a"], ["b", "a", "a", "b"]), "the first of one round is not second in the next"
    # The steps of the turns are those of each arm's own library, which sleeps no shorter, and give the ratio.
    a, b = (trials_of(run_file, arm) for arm in ("a", "b"))
    assert {len(trial.turns_s) for trial in (*a, *b)} == {TURNS}
    assert 0.01 <= min(step_s for trial in a for step_s in trial.turns_s) < 0.3
    assert min(step_s for trial in b for step_s in trial.turns_s) >= 0.3
    assert math.log(slower["ratio"]) == pytest.approx(fmean(map(ratio_in_turns, a, b)))


def test_run_interrupted_before_turns_is_resumed(home):
    """The first trial keeps its window; its partner then has one too, and the next round has turns."""
    require("torch")
    arms = ("ab", "--a-threads", "1", "--b-threads", "2", *known("pytorch"))
    # The number of the settings belongs to neither arm, which puts both numbers into the ids on any machine.
    variables = {**VARIABLES, "LEANING_STEP_S": "0.03"}
    running = start(home, *arms, *LEANING, "--rounds", "2", "--no-report", JOULEMARK_THREADS="3", **variables)
    wait_for_window(home)
    running.send_signal(signal.SIGINT)
    stdout, stderr = running.communicate(timeout=300)
    assert running.returncode == 130, stderr
    assert "--resume" in stderr
    assert "leaning" in stdout
    (interrupted,) = home.glob("runs/*.json")
    assert [(each.round, each.turns_s) for case in read(interrupted).cases for each in case.trials] == [(1, ())]
    assert "joulemark ab --resume" in joulemark(home, "run", "--resume", "latest").stderr
    assert "leave out --a-threads" in joulemark(home, "ab", "--resume", "latest", "--a-threads", "1").stderr
    done = joulemark(home, "ab", "--resume", "latest", "--json", "--no-report", variables=variables)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    run_file = read(Path(document["path"]))
    assert run_file.run.complete
    assert [(case.id.partition("+")[2], len(case.trials)) for case in run_file.cases] == [
        ("arm=a+threads=1", 2),
        ("arm=b+threads=2", 2),
    ]
    # The framework reports what was asked for, and its process had it in its environment.
    assert [case.trials[0].environment["intra_op_threads"] for case in run_file.cases] == ["1", "2"]
    assert [run_file.arms[name].environment["OMP_NUM_THREADS"] for name in ("a", "b")] == ["1", "2"]
    assert "OMP_NUM_THREADS" not in run_file.run.environment
    a, b = (trials_of(run_file, arm) for arm in ("a", "b"))
    assert [[len(trial.turns_s) for trial in trials] for trials in (a, b)] == [[0, TURNS], [0, TURNS]]
    in_windows = [math.log(trial.items / trial.window_length_s) for trial in (a[0], b[0])]
    logs = in_windows[1] - in_windows[0], ratio_in_turns(a[1], b[1])
    (throughput,) = [each for each in document["comparisons"] if each["metric"] == "throughput"]
    assert throughput["n_a"] == 2
    assert math.log(throughput["ratio"]) == pytest.approx(fmean(logs))
