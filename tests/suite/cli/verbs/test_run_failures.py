"""`joulemark run` when something fails: exit code 4, and results of everything else."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from command import FAST_ROUNDS, joulemark
from environments import known, require
from places import SUPPORT

pytestmark = pytest.mark.slow
require("torch", "tensorflow")

FAULTY = str(SUPPORT / "faulty")
"""Another package's workload, with sizes that crash or hang."""
NO_KERAS = """
if sys.orig_argv[-4:-2] == ["joulemark.suite.trial.fork_server", "tensorflow"]:
    sys.modules["keras"] = None
"""
"""One that is broken from the start is skipped: see test_any_framework.py."""


def starts_with(folder: Path, source: str) -> dict[str, str]:
    """Return the variables under which each interpreter runs `source` as it starts, and finds the faulty workload."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(f"import os, sys\n{source}")
    return {"PYTHONPATH": os.pathsep.join([str(folder), FAULTY])}


def exit_of(module: str) -> str:
    """Return the source of a sitecustomize.py that ends every process running `module` with status 3."""
    return f"if {module!r} in sys.orig_argv: os._exit(3)\n"


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """Run two rounds in which a case crashes, and a framework and the noise floor break."""
    home = tmp_path_factory.mktemp("failing")
    (home / "joulemark.toml").write_text(FAST_ROUNDS)
    done = joulemark(
        home,
        *("run", "--profile", "fast", "--zone", "CH", "--sensor", "simulated:rapl/constant", "--json"),
        *("--rounds", "2", "--threads", "1", "--framework", "pytorch", "--framework", "tensorflow", *known()),
        *("--workload", "faulty", "--size", "segfault", "--workload", "matmul", "--size", "tiny"),
        variables=starts_with(home / "site", NO_KERAS + exit_of("joulemark.suite.trial.noise_floor")),
    )
    assert done.returncode == 4, done.stderr
    return done


@pytest.fixture(scope="module")
def document(failing: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the results of that run."""
    return dict(json.loads(failing.stdout))


def case_of(document: dict[str, Any], workload: str, size: str, framework: str = "pytorch") -> dict[str, Any]:
    """Return one case of the run."""
    axes = (workload, size, framework)
    (case,) = (each for each in document["cases"] if (each["workload"], each["size"], each["framework"]) == axes)
    return dict(case)


def test_what_fails_leaves_the_other_cases_intact(document: dict[str, Any]) -> None:
    case = case_of(document, "matmul", "tiny")
    assert (case["status"], [trial["status"] for trial in case["trials"]]) == ("ok", ["ok", "ok"])
    assert Path(document["report"]).is_file()


def test_case_that_crashed_is_tried_again(document: dict[str, Any]) -> None:
    case = case_of(document, "faulty", "segfault")
    assert (case["status"], case["reason_code"]) == ("failed", "crashed")
    assert [trial["round"] for trial in case["trials"]] == [1, 2]
    assert "SIGSEGV" in case["reason"]


def test_case_that_timed_out_is_not_tried_again(tmp_path: Path) -> None:
    """In a run of its own: on a busy machine, any other case would take as long."""
    (tmp_path / "joulemark.toml").write_text(FAST_ROUNDS + "timeout_s = 3\n")
    done = joulemark(
        tmp_path,
        *("run", "--profile", "fast", "--offline", "--sensor", "simulated:rapl/constant", "--json", "--no-report"),
        *("--rounds", "2", "--threads", "1", "--framework", "pytorch", *known("pytorch")),
        *("--workload", "faulty", "--size", "hang"),
        variables=starts_with(tmp_path / "site", ""),
    )
    assert done.returncode == 4, done.stderr
    (case,) = json.loads(done.stdout)["cases"]
    assert [(trial["round"], trial["reason_code"]) for trial in case["trials"]] == [(1, "timeout")]
    assert case["status"] == "failed"
    assert "[1/1]" in done.stderr, "one trial less than two rounds have"


def test_framework_that_breaks_during_a_run_fails_its_own_cases_only(document: dict[str, Any]) -> None:
    case = case_of(document, "matmul", "tiny", "tensorflow")
    assert (case["status"], case["reason_code"]) == ("failed", "import_failed")
    assert "keras" in case["reason"]


def test_run_goes_on_without_a_noise_floor(document: dict[str, Any]) -> None:
    assert document["floor"] == []
    # It fails before each round and after the last.
    (notice,) = (notice for notice in document["notices"] if notice["code"] == "floor_not_measured")
    assert "exit status 3" in notice["message"]


def test_run_without_a_sampler_leaves_no_files(tmp_path: Path) -> None:
    (tmp_path / "joulemark.toml").write_text(FAST_ROUNDS)
    variables = starts_with(tmp_path / "site", exit_of("joulemark.suite.sensors.sampler_process"))
    selection = ("--workload", "matmul", "--framework", "pytorch", "--zone", "CH", *known("pytorch"))
    done = joulemark(tmp_path, "run", "--profile", "fast", *selection, "--json", variables=variables)
    assert (done.returncode, done.stdout) == (4, "")
    assert "sampler" in done.stderr
    assert list((tmp_path / "runs").iterdir()) == []
