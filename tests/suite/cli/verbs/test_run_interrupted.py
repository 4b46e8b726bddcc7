"""`joulemark run` ended by a kill or Ctrl-C, and `--resume`."""

from __future__ import annotations

import json
import signal
import time

import psutil
import pytest
from command import FAST, joulemark, start, wait_for

pytestmark = pytest.mark.slow
pytest.importorskip("torch")
pytest.importorskip("tensorflow")

MATMUL = ("run", "--profile", "fast", "--zone", "CH", "--workload", "matmul", "--no-report")
"""Two cases, one per framework."""


@pytest.fixture(autouse=True)
def fast_profile(tmp_path):
    (tmp_path / "joulemark.toml").write_text(FAST)


def show(home):
    shown = joulemark(home, "show", "latest", "--json")
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout)


def trials(document):
    return [trial for case in document["cases"] for trial in case["trials"]]


def files(home):
    return sorted(path.suffix for path in (home / "runs").iterdir())


def test_killed_run_has_every_finished_trial(tmp_path):
    running = start(tmp_path, *MATMUL, "--rounds", "3")
    wait_for(running, "[2/6]")
    descendants = psutil.Process(running.pid).children(recursive=True)
    running.kill()
    running.communicate()
    _, alive = psutil.wait_procs(descendants, timeout=10)
    assert alive == [], "processes of a killed run go on"
    document = show(tmp_path)
    assert document["run"]["complete"] is False
    assert [trial["status"] for trial in trials(document)] == ["ok", "ok"]
    assert all(
        reading["energy_j"] for trial in trials(document) for reading in trial["energy"] if reading["attributed"]
    )
    assert "run_incomplete" in {notice["code"] for notice in document["notices"]}
    assert joulemark(tmp_path, "report", "latest", "-o", "page.html").returncode == 0


def test_ctrl_c_keeps_finished_trials_and_exits_130(tmp_path):
    running = start(tmp_path, *MATMUL, "--rounds", "3")
    wait_for(running, "[1/6]")
    refused = joulemark(tmp_path, *MATMUL)
    assert refused.returncode == 2
    assert "is measuring on this machine" in refused.stderr
    time.sleep(1)
    running.send_signal(signal.SIGINT)
    _, stderr = running.communicate(timeout=60)
    assert running.returncode == 130, stderr
    assert "Traceback" not in stderr
    document = show(tmp_path)
    assert document["run"]["complete"] is False
    assert len(trials(document)) >= 1
    assert files(tmp_path) == [".json", ".parquet"]


def test_ctrl_c_before_the_first_trial_leaves_no_run(tmp_path):
    running = start(tmp_path, *MATMUL)
    wait_for(running, "cases x")
    time.sleep(0.3)  # idle power is being measured
    running.send_signal(signal.SIGINT)
    _, stderr = running.communicate(timeout=60)
    assert running.returncode == 130
    assert stderr.startswith("joulemark: interrupted")
    assert len(stderr.splitlines()) == 1
    assert list((tmp_path / "runs").iterdir()) == []


def test_resumed_run_keeps_its_trials_and_finishes(tmp_path):
    running = start(tmp_path, *MATMUL, "--rounds", "2", "--latency")
    wait_for(running, "[1/4]")
    running.kill()
    running.communicate()
    before = show(tmp_path)
    assert joulemark(tmp_path, "run", "--resume", "latest", "--rounds", "5").returncode == 2
    done = joulemark(tmp_path, "run", "--resume", "latest", "--json", "--no-report")
    assert done.returncode == 0, done.stderr
    after = json.loads(done.stdout)
    assert after["run"]["id"] == before["run"]["id"]
    assert after["run"]["complete"] is True
    assert len(after["run"]["segments"]) == 2
    assert len(trials(before)) >= 1
    assert all(trial in trials(after) for trial in trials(before)), "a finished trial changed"
    for case in after["cases"]:
        assert sorted(trial["round"] for trial in case["trials"]) == [1, 2]
        assert case["summary"]["energy_per_item_j"]["n"] == 2
    for trial in trials(after):
        assert trial["latency"]["p50_s"] <= trial["latency"]["p95_s"] <= trial["latency"]["p99_s"]
    assert files(tmp_path) == [".json", ".parquet"]
    again = joulemark(tmp_path, "run", "--resume", "latest")
    assert again.returncode == 2
    assert "is complete" in again.stderr


def test_run_in_progress_cannot_be_resumed(tmp_path):
    running = start(tmp_path, *MATMUL, "--rounds", "2", "--json")
    wait_for(running, "[1/4]")
    for more in ((), ("--dry-run",)):
        done = joulemark(tmp_path, "run", "--resume", "latest", *more)
        assert done.returncode == 2
        assert "is measuring on this machine" in done.stderr
    stdout, _ = running.communicate(timeout=120)
    assert running.returncode == 0
    assert [len(case["trials"]) for case in json.loads(stdout)["cases"]] == [2, 2]


def test_resume_takes_no_options_but_ignores_the_environment(tmp_path):
    variables = {"JOULEMARK_PROFILE": "ci", "JOULEMARK_ZONE": "CH", "JOULEMARK_THREADS": "1"}
    assert joulemark(tmp_path, "list", variables=variables).returncode == 0
    assert "no run 'latest'" in joulemark(tmp_path, "run", "--resume", "latest", variables=variables).stderr
    assert "leave out --zone" in joulemark(tmp_path, "run", "--resume", "latest", "--zone", "DE").stderr
    assert "leave out -k" in joulemark(tmp_path, "run", "--resume", "latest", "-k", "cnn").stderr
