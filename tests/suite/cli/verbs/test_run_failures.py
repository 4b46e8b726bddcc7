"""`joulemark run` when something fails: exit code 4, and results of everything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import FAST, joulemark
from environments import require
from places import SUPPORT

pytestmark = pytest.mark.slow
require("torch", "tensorflow")

MATMUL = ("run", "--profile", "fast", "--zone", "CH", "--workload", "matmul", "--json")
FAULTY = {"PYTHONPATH": str(SUPPORT / "faulty")}
"""Another package's workload, with sizes that crash or hang."""


@pytest.fixture(autouse=True)
def fast_profile(tmp_path):
    (tmp_path / "joulemark.toml").write_text(FAST)


def site_directory(tmp_path: Path, name: str, source: str) -> dict[str, str]:
    """Write a module that comes first on the import path; return the variables that put it there."""
    path = tmp_path / "site" / name
    path.parent.mkdir(parents=True)
    path.write_text(source)
    return {"PYTHONPATH": str(tmp_path / "site")}


def exit_of(module: str) -> str:
    """Return the source of a sitecustomize.py that ends every process running `module` with status 3."""
    return f"import os, sys\nif {module!r} in sys.orig_argv: os._exit(3)\n"


def test_crash_leaves_the_other_cases_intact(tmp_path):
    done = joulemark(
        tmp_path,
        *("run", "--workload", "faulty", "--workload", "matmul", "--size", "segfault", "--size", "tiny"),
        *("--profile", "fast", "--framework", "pytorch", "--rounds", "1", "--json"),
        variables=FAULTY,
    )
    assert done.returncode == 4, done.stderr
    cases = {case["workload"]: case for case in json.loads(done.stdout)["cases"]}
    assert (cases["faulty"]["status"], cases["faulty"]["reason_code"]) == ("failed", "crashed")
    assert "SIGSEGV" in cases["faulty"]["reason"]
    assert cases["matmul"]["status"] == "ok"
    assert Path(json.loads(done.stdout)["report"]).is_file()


def test_case_that_timed_out_is_not_tried_again(tmp_path):
    (tmp_path / "joulemark.toml").write_text(FAST + "timeout_s = 4\n")
    done = joulemark(
        tmp_path,
        *("run", "--workload", "faulty", "--size", "hang", "--profile", "fast", "--framework", "pytorch"),
        *("--rounds", "3", "--json", "--no-report"),
        variables=FAULTY,
    )
    assert done.returncode == 4, done.stderr
    (case,) = json.loads(done.stdout)["cases"]
    assert [(trial["round"], trial["reason_code"]) for trial in case["trials"]] == [(1, "timeout")]
    assert case["status"] == "failed"
    assert "[1/1]" in done.stderr


def test_framework_that_breaks_during_a_run_fails_its_own_cases_only(tmp_path):
    """One that is broken from the start is skipped: see test_any_framework.py."""
    variables = site_directory(
        tmp_path,
        "sitecustomize.py",
        "import sys\nif sys.orig_argv[-4:-2] == ['joulemark.suite.trial.fork_server', 'tensorflow']:\n"
        "    sys.modules['keras'] = None",
    )
    done = joulemark(tmp_path, *MATMUL, "--rounds", "1", "--no-report", variables=variables)
    assert done.returncode == 4, done.stderr
    cases = {case["framework"]: case for case in json.loads(done.stdout)["cases"]}
    assert cases["pytorch"]["status"] == "ok"
    assert (cases["tensorflow"]["status"], cases["tensorflow"]["reason_code"]) == ("failed", "import_failed")
    assert "keras" in cases["tensorflow"]["reason"]


def test_run_goes_on_without_a_noise_floor(tmp_path):
    variables = site_directory(tmp_path, "sitecustomize.py", exit_of("joulemark.suite.trial.noise_floor"))
    done = joulemark(tmp_path, *MATMUL, "--framework", "pytorch", "--rounds", "1", variables=variables)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["floor"] == []
    # It fails before the round and after it.
    (notice,) = (notice for notice in document["notices"] if notice["code"] == "floor_not_measured")
    assert "exit status 3" in notice["message"]
    assert [len(case["trials"]) for case in document["cases"]] == [1]
    assert Path(document["report"]).is_file()


def test_run_without_a_sampler_leaves_no_files(tmp_path):
    variables = site_directory(tmp_path, "sitecustomize.py", exit_of("joulemark.suite.sensors.sampler_process"))
    done = joulemark(tmp_path, *MATMUL, "--framework", "pytorch", variables=variables)
    assert (done.returncode, done.stdout) == (4, "")
    assert "sampler" in done.stderr
    assert list((tmp_path / "runs").iterdir()) == []
