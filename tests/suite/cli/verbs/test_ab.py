"""Two environments, two settings: turn by turn on the real command."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest
from command import FAST, joulemark, start, wait_for
from environments import empty_environment, environment_like_this
from places import SUPPORT

from joulemark.suite.records import read

PLACE = {"PYTHONPATH": str(SUPPORT / "leaning")}
LEANING = ("--workload", "leaning", "--framework", "pytorch", "--profile", "fast")


@pytest.fixture
def home(tmp_path):
    (tmp_path / "joulemark.toml").write_text(FAST)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ab"], ["what differs", "--a"]),
        (["ab", "--a-threads", "1", "--b-threads", "2", "--threads", "4"], ["--threads is for neither arm"]),
        (["ab", "--a-allocator", "jemalloc"], ["--a-allocator", "jemalloc", "retain"]),
        (["ab", "--a", "/nowhere/python"], ["/nowhere/python", "no such program"]),
        (["check", "--rounds", "3"], ["--rounds", "--baseline-python"]),
        (["check", "--baseline-python", "python3", "--baseline", "main"], ["leave out --baseline"]),
    ],
    ids=" ".join,
)
def test_bad_input_is_one_line_and_exit_2(home, arguments, words):
    done = joulemark(home, *arguments)
    assert (done.returncode, done.stdout, len(done.stderr.strip().splitlines())) == (2, "", 1), done.stderr
    for word in words:
        assert word in done.stderr


def test_a_python_without_joulemark_is_one_line_and_exit_2(home):
    python = empty_environment(home / "empty")
    for arguments in (["ab", "--b", python], ["check", "--baseline-python", python]):
        done = joulemark(home, *arguments)
        assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1), done.stderr
        assert f"{python} has no joulemark: install it there" in done.stderr


def test_a_joulemark_that_asks_its_trials_otherwise_is_one_line_and_exit_2(home):
    says = {"suite_version": "9.9", "python": "3.12.1", "protocol": "deadbeef"}
    python = home / "python"
    python.write_text(f"#!/bin/sh\necho '{json.dumps({**says, 'frameworks': {}, 'packages': {}, 'workloads': {}})}'\n")
    python.chmod(0o755)
    done = joulemark(home, "ab", "--a", str(python))
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1), done.stderr
    assert f"{python} has joulemark 9.9, whose trials are asked otherwise" in done.stderr


@pytest.mark.parametrize(("threads", "alike"), [(("1", "1"), True), (("1", "2"), False)])
def test_arms_that_are_alike_are_told_so(home, threads, alike):
    selected = ("--profile", "fast", "--framework", "pytorch", "--workload", "matmul", "--dry-run")
    done = joulemark(home, "ab", "--a-threads", threads[0], "--b-threads", threads[1], *selected)
    assert done.returncode == 0, done.stderr
    assert ("Both arms are alike: what differs between them is chance." in done.stderr) == alike


def test_the_gate_fires_against_a_baseline_measured_now_and_doubt_is_measured_on(home):
    """The library of the baseline's environment is thirty times as fast as what this one has instead."""
    pytest.importorskip("torch")
    python = environment_like_this(home / "env", leaning_library="STEP_S = 0.02\n")
    done = joulemark(
        home,
        *("check", "--baseline-python", python, *LEANING, "--rounds", "1", "--max-rounds", "2", "--json"),
        variables=PLACE,
    )
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    assert (document["outcome"], document["exit_code"], document["by"]) == ("regression", 1, "arm")
    slower = next(one for one in document["comparisons"] if one["gate"] == "regressed")
    assert (slower["metric"], slower["words"], slower["n_a"], slower["n_b"]) == ("throughput", "slower", 2, 2)
    assert slower["a"] == "leaning:tiny/inference/pytorch/eager/cpu/fp32/b1+arm=a"
    assert 0.01 < slower["ratio"] < 0.1
    assert slower["high"] < 1 / 1.05

    run_file = read(home / "runs" / f"{document['b']['id']}.json")
    assert (run_file.run.rounds, run_file.run.max_rounds, run_file.run.complete) == (1, 2, True)
    assert "Not decided: 2 cases; 1 more round of them." in done.stderr
    assert "[4/4]" in done.stderr
    assert run_file.arms["a"].interpreter == python
    assert run_file.arms["b"].interpreter == sys.executable
    assert run_file.arms["a"].frameworks == run_file.arms["b"].frameworks == run_file.machine.frameworks
    # The environments are alike but for the library, which nobody knows of.
    assert document["environment"] == {}
    trials = sorted((trial.started_s, trial.round, case.arm) for case in run_file.cases for trial in case.trials)
    arms = [arm for _, _, arm in trials]
    assert [number for _, number, _ in trials] == [1, 1, 2, 2]
    assert arms in (["a", "b", "b", "a"], ["b", "a", "a", "b"]), "they do not take turns"


def test_an_interrupted_run_of_two_settings_goes_on_where_it_was(home):
    pytest.importorskip("torch")
    arms = ("ab", "--a-threads", "1", "--b-threads", "2")
    # The settings' own number is no arm's, so that both ids name theirs, whatever the machine has.
    running = start(home, *arms, *LEANING, "--rounds", "1", "--no-report", JOULEMARK_THREADS="3", **PLACE)
    wait_for(running, "[1/2]")
    running.send_signal(signal.SIGINT)
    output, error = running.communicate(timeout=300)
    assert running.returncode == 130, error
    assert "go on with --resume" in error
    assert "leaning" in output
    assert "goes on with `joulemark ab --resume`" in joulemark(home, "run", "--resume", "latest").stderr
    assert "leave out --a-threads" in joulemark(home, "ab", "--resume", "latest", "--a-threads", "1").stderr
    done = joulemark(home, "ab", "--resume", "latest", "--json", "--no-report", variables=PLACE)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    run_file = read(Path(document["path"]))
    assert run_file.run.complete
    assert [(case.id.partition("+")[2], len(case.trials)) for case in run_file.cases] == [
        ("arm=a+threads=1", 1),
        ("arm=b+threads=2", 1),
    ]
    # What was asked for is what the framework says it did, and what its process was given.
    assert [case.trials[0].environment["intra_op_threads"] for case in run_file.cases] == ["1", "2"]
    assert [run_file.arms[name].environment["OMP_NUM_THREADS"] for name in ("a", "b")] == ["1", "2"]
    assert "OMP_NUM_THREADS" not in run_file.run.environment
    assert {one["metric"]: one["reason"] for one in document["comparisons"]}["throughput"] == "n=1, no interval"
