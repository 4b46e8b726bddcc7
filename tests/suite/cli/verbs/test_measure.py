"""`joulemark measure -- COMMAND`: the command runs as it would alone, and its energy is kept."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command import COMMAND, environment, joulemark
from measured_command import QUICK, saved_run
from simulated_meter import HALF_PERIOD_S

from joulemark.suite.meter.command_run import execute
from joulemark.suite.results.run_files import read

pytestmark = pytest.mark.slow


def test_output_input_and_exit_code_are_the_command_s(tmp_path):
    program = (
        "import sys; d = sys.stdin.buffer.read(); sys.stdout.buffer.write(d[::-1]); sys.stderr.write('E'); sys.exit(7)"
    )
    done = subprocess.run(
        [*COMMAND, *QUICK, "--", sys.executable, "-c", program],
        input=bytes(range(256)),
        env=environment(tmp_path),
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 7
    assert done.stdout == bytes(range(256))[::-1]
    assert done.stderr.startswith(b"E")
    assert b"exit code 7" in done.stderr
    (case,) = saved_run(tmp_path).cases
    (trial,) = case.trials
    assert (trial.status, trial.reason_code) == ("failed", "exit_code")
    assert trial.energy[0].energy_j > 0  # used all the same
    assert case.summary is None


def test_each_round_is_a_trial_with_the_counter_s_energy(tmp_path):
    done = joulemark(
        tmp_path, *QUICK, "--rounds", "2", "--json", "--name", "nap", "--", "sh", "-c", "sleep 0.3; echo hi"
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert done.stderr.count("hi\n") == 2  # standard output has the one object
    assert (document["exit_code"], document["report"]) == (0, None)
    run_file = read(Path(document["path"]))
    assert run_file == saved_run(tmp_path)
    assert run_file.run.complete
    (case,) = run_file.cases
    assert case.id == "nap:own/run/command/as-is/cpu/as-is/b1"
    (trace,) = run_file.traces
    (counter,) = (channel for channel in trace.channels if channel.unit == "J")
    for trial, measurement in zip(case.trials, document["measurements"], strict=True):
        begin_j, end_j = np.interp(trial.window_s, np.array(trace.t_s) - HALF_PERIOD_S, counter.values)
        assert trial.window_s[1] - trial.window_s[0] >= 0.3
        assert measurement["energy"]["value"] == pytest.approx(end_j - begin_j, rel=1e-9)
        assert measurement["emissions"]["value"] == pytest.approx((end_j - begin_j) / 3.6e6 * 39.22, rel=1e-9)
    assert case.summary.energy_per_item_j.n == 2
    assert "n=2" in done.stderr
    (notice,) = (notice for notice in run_file.notices if notice.code == "whole_machine")
    assert "CPU time" in notice.message


def test_a_command_that_fails_is_not_run_again(tmp_path):
    done = joulemark(tmp_path, *QUICK, "--rounds", "3", "--", "false")
    assert done.returncode == 1
    assert "interrupted" not in done.stderr
    assert "--resume" not in done.stderr
    assert len(saved_run(tmp_path).cases[0].trials) == 1


def test_the_cpu_time_of_children_counts_as_the_command_s():
    burn = "import time\nwhile time.process_time() < 0.5: pass"
    execution = execute(["sh", "-c", f"{sys.executable} -c '{burn}'"])
    assert (execution.exit_code, execution.killed) == (0, False)
    assert execution.cpu_s >= 0.5
    assert execution.end_s - execution.begin_s >= 0.5


def test_report_and_idle_power_on_request(tmp_path):
    options = [option for option in QUICK if option != "--no-report"]
    done = joulemark(tmp_path, *options, "--idle", "0.5", "--out", str(tmp_path / "here"), "--", "sleep", "0.2")
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "here").glob("*.json")
    assert path.with_suffix(".html").exists()
    (idle,) = read(path).idle
    assert idle.energy[0].energy_j > 0
    assert sorted(each.suffix for each in (tmp_path / "here").iterdir() if each.suffix in (".journal", ".trace")) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--", "no-such-program"], "'no-such-program'"),
        ([], "missing argument"),
        (["--zone", "XQ", "--", "true"], "'xq'"),
        (["--rounds", "0", "--", "true"], "rounds"),
        (["--sensor", "crystal", "--", "true"], "'crystal'"),
        (["--out", "/dev/null/x", "--", "true"], "/dev/null/x"),
    ],
)
def test_bad_usage_is_one_line_and_runs_nothing(tmp_path, arguments, words):
    done = joulemark(tmp_path, "measure", *arguments)
    assert done.returncode == 2
    assert words in done.stderr.lower()
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert not (tmp_path / "runs").exists() or list((tmp_path / "runs").iterdir()) == []
