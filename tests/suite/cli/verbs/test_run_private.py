"""`joulemark run` leaves nothing behind but its results, which others cannot read: no cache of compiled code."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from command import FAST_ROUNDS, environment, joulemark, start, wait_for
from environments import known, require

from joulemark.suite.carbon.response_cache import session
from joulemark.suite.results.run_files import read
from joulemark.suite.sensors import update_period

pytestmark = pytest.mark.slow
require("torch", "tensorflow")

SENSOR = ("--sensor", "simulated:rapl/constant")


def test_compiled_modes_write_only_to_the_scratch_directory(tmp_path: Path) -> None:
    home = tmp_path / "user"
    home.mkdir()
    (tmp_path / "joulemark.toml").write_text(FAST_ROUNDS + "timeout_s = 240\n")  # compilers are slow beside other tests
    selection = ("--workload", "mlp", "--phase", "inference", "--mode", "compile", "--mode", "xla", "--rounds", "2")
    selection += known()
    variables = {
        "HOME": str(home),
        "TORCHINDUCTOR_CACHE_DIR": str(home / "inductor"),
        "GOMP_CPU_AFFINITY": "0",
    }
    done = joulemark(tmp_path, "run", "--profile", "fast", *selection, *SENSOR, "--no-report", variables=variables)
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "runs").glob("*.json")
    run_file = read(path)
    states = {case.mode: [trial.compile_cache for trial in case.trials] for case in run_file.cases}
    assert states == {"compile": ["cold", "warm"], "xla": ["cold", "cold"]}
    assert list(home.rglob("*")) == []
    assert list((tmp_path / "tmp").rglob("*")) == []
    # The user's variables are neither in the trials nor forgotten.
    dropped = next(notice.value for notice in run_file.notices if notice.code == "environment_dropped")
    assert "GOMP_CPU_AFFINITY" in str(dropped).split(", ")
    cores = {trial.environment["affinity"] for case in run_file.cases for trial in case.trials}
    assert cores == {run_file.machine.cpu.affinity}


def modes(folder: Path) -> dict[str, int]:
    """Return the permissions of `folder` and of all in it, by suffix, or by name where it has none."""
    return {path.suffix or path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}


def test_what_is_kept_is_its_users_alone(tmp_path: Path) -> None:
    """Run files, journals, traces and pages have the command line and variables of the environment."""
    home = tmp_path / "data" / "home"
    (tmp_path / "joulemark.toml").write_text(FAST_ROUNDS)
    selection = ("--workload", "matmul", "--framework", "pytorch", "--rounds", "2", "--threads", "1", *SENSOR)
    selection += known("pytorch")
    more = {"JOULEMARK_HOME": str(home)}
    before = os.umask(0o022)
    try:
        running = start(tmp_path, "run", "--profile", "fast", *selection, **more)
    finally:
        os.umask(before)
    wait_for(running, "[1/2]")
    running.send_signal(signal.SIGSTOP)
    during = modes(tmp_path / "data")
    running.send_signal(signal.SIGCONT)
    errors = running.communicate(timeout=300)[1]
    assert running.returncode == 0, errors
    folders = {"data": 0o700, "home": 0o700, "runs": 0o700}
    assert during == {**folders, ".journal": 0o600, ".trace": 0o600}
    assert modes(tmp_path / "data") == {**folders, ".json": 0o600, ".parquet": 0o600, ".html": 0o600}


SAVE = """
import os, sys
os.umask(0o022)
import joulemark
with joulemark.Meter(sensor="simulated:rapl/constant", zone="CH", offline=True) as meter:
    pass
meter.save(sys.argv[1])
"""


def test_what_a_meter_saves_is_its_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    subprocess.run([sys.executable, "-P", "-c", SAVE, path], env=environment(tmp_path), check=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_kept_responses_and_update_periods_are_their_users_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        session(tmp_path / "home" / "cache", datetime.now(UTC), lambda _: True)
        update_period.save(tmp_path / "other" / "ticks.json", {"a GPU": 0.1})
    finally:
        os.umask(before)
    assert modes(tmp_path / "home") == {"home": 0o700, "cache": 0o700}
    assert modes(tmp_path / "other") == {"other": 0o700, ".json": 0o600}
