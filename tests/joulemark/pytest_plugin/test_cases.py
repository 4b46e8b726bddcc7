"""`pytest --joulemark-suite`: our own cases as pytest-benchmark's benchmarks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scratch_project import CONSTANT, benchmarks, pytest_in

FAST = '[profiles.fast]\nbase = "quick"\nworkloads = ["matmul"]\nsize = "tiny"\nwindow_s = 0.3\nidle_s = 0.5\n'


def test_our_own_cases_run_as_benchmarks(project: Path) -> None:
    """Two cases are selected of all that the options give; a skipped one is skipped with its reason."""
    (project / "joulemark.toml").write_text(FAST)
    options = f"--profile fast --framework pytorch --mode eager --rounds 1 --sensor {CONSTANT}"
    shown, found = benchmarks(project, f"--joulemark-suite={options}", "-k", "matmul and pytorch", "-v")
    (name,) = found
    assert name.startswith("matmul:tiny/inference/pytorch/eager/cpu/fp32/b")
    bench = found[name]
    assert bench["fullname"] == f"joulemark::{name}"
    info = bench["extra_info"]
    run = json.loads(next((project / "home" / "runs").glob("*.json")).read_text())
    (case,) = (case for case in run["cases"] if case["id"] == name)
    (trial,) = case["trials"]
    steps = [block / trial["steps_per_block"] for block in trial["block_s"]]
    assert bench["stats"]["data"] == pytest.approx(steps, rel=1e-12)
    assert info["energy_per_item_j"]["value"] == case["summary"]["energy_per_item_j"]["value"]
    items = trial["items"] / trial["steps"]
    assert info["energy_j"]["value"] == pytest.approx(items * info["energy_per_item_j"]["value"], rel=1e-12)
    assert "test_sums" not in shown
    assert "J/call" in shown


def test_cases_fail_with_their_reason_and_nothing_else(project: Path) -> None:
    (project / "joulemark.toml").write_text(FAST + "timeout_s = 0.01\n")
    options = f"--profile fast --framework pytorch --rounds 1 --sensor {CONSTANT}"
    answer = pytest_in(project, f"--joulemark-suite={options}", "-W", "error")
    assert answer.returncode == 1
    assert "1 failed" in answer.stdout
    assert "0.01 s" in answer.stdout
    assert not any(word in answer.stdout + answer.stderr for word in ("Traceback", "error in", "not used"))


def test_a_run_that_is_refused_fails_its_cases_in_one_line(project: Path) -> None:
    (project / "joulemark.toml").write_text(FAST)
    (project / "lock").mkdir()
    answer = pytest_in(project, "--joulemark-suite=--profile fast --framework pytorch --rounds 1", "-W", "error")
    assert answer.returncode == 1
    assert "joulemark run ended with exit code 2" in answer.stdout
    assert "lock" in answer.stderr
    assert not any(word in answer.stdout + answer.stderr for word in ("Traceback", "error in", "not used"))


NO_SAMPLER = """
import os, sys
if "joulemark.suite.sensors.sampler_process" in sys.orig_argv:
    os.write(2, b"no sampling here")
    os._exit(1)
"""


def test_a_run_that_could_not_measure_fails_its_cases_in_one_line(project: Path) -> None:
    """Its exit code is also that of a run with a failed case."""
    (project / "joulemark.toml").write_text(FAST)
    (project / "broken").mkdir()
    (project / "broken" / "sitecustomize.py").write_text(NO_SAMPLER)
    (project / "conftest.py").write_text(f"import os\nos.environ['PYTHONPATH'] = {str(project / 'broken')!r}\n")
    answer = pytest_in(project, "--joulemark-suite=--profile fast --framework pytorch --rounds 1", "-W", "error")
    assert answer.returncode == 1
    assert "joulemark run ended with exit code 4" in answer.stdout
    assert "no sampling here" in answer.stderr
    assert not any(word in answer.stdout + answer.stderr for word in ("Traceback", "error in", "JSONDecodeError"))


def test_options_that_are_no_options_end_the_session_in_one_line(project: Path) -> None:
    answer = pytest_in(project, "--joulemark-suite=--size gigantic")
    assert answer.returncode == pytest.ExitCode.USAGE_ERROR
    assert answer.stderr.count("\n") <= 2
    assert "unknown size 'gigantic'" in answer.stderr
