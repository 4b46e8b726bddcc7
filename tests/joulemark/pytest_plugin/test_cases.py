"""`pytest --joulemark-suite`: joulemark's cases as benchmarks of pytest-benchmark."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from environments import known
from scratch_project import CONSTANT, benchmarks, pytest_in

pytestmark = pytest.mark.slow

FAST = '[profiles.fast]\nbase = "quick"\nworkloads = ["matmul"]\nsize = "tiny"\nwindow_s = 0.3\nidle_s = 0.5\n'
RUN = " ".join(("--profile fast --framework pytorch --rounds 1", *known("pytorch")))


def test_selected_cases_run_as_benchmarks(project: Path) -> None:
    (project / "joulemark.toml").write_text(FAST)
    options = f"{RUN} --mode eager --threads 1 --sensor {CONSTANT}"
    printed, by_name = benchmarks(project, f"--joulemark-suite={options}", "-k", "matmul and pytorch", "-v")
    (name,) = by_name
    assert name.startswith("matmul:tiny/inference/pytorch/eager/cpu/fp32/b")
    benchmark = by_name[name]
    assert benchmark["fullname"] == f"joulemark::{name}"
    info = benchmark["extra_info"]
    run = json.loads(next((project / "home" / "runs").glob("*.json")).read_text())
    (case,) = (case for case in run["cases"] if case["id"] == name)
    (trial,) = case["trials"]
    steps = [block / trial["steps_per_block"] for block in trial["block_s"]]
    assert benchmark["stats"]["data"] == pytest.approx(steps, rel=1e-12)
    assert info["energy_per_item_j"]["value"] == case["summary"]["energy_per_item_j"]["value"]
    items = trial["items"] / trial["steps"]
    assert info["energy_j"]["value"] == pytest.approx(items * info["energy_per_item_j"]["value"], rel=1e-12)
    assert "test_sums" not in printed
    assert "J/call" in printed


def test_a_case_fails_with_its_reason(project: Path) -> None:
    (project / "joulemark.toml").write_text(FAST + "timeout_s = 0.01\n")
    options = f"{RUN} --sensor {CONSTANT}"
    done = pytest_in(project, f"--joulemark-suite={options}", "-W", "error")
    assert done.returncode == 1
    assert "1 failed" in done.stdout
    assert "0.01 s" in done.stdout
    assert not any(word in done.stdout + done.stderr for word in ("Traceback", "error in", "not used"))


def test_cases_fail_in_one_line_if_the_run_is_refused(project: Path) -> None:
    (project / "joulemark.toml").write_text(FAST)
    (project / "lock").mkdir()
    done = pytest_in(project, f"--joulemark-suite={RUN}", "-W", "error")
    assert done.returncode == 1
    assert "exit code 2" in done.stdout
    assert "lock" in done.stderr
    assert not any(word in done.stdout + done.stderr for word in ("Traceback", "error in", "not used"))


NO_SAMPLER = """
import os, sys
if "joulemark.suite.sensors.sampler_process" in sys.orig_argv:
    os.write(2, b"no sampling here")
    os._exit(1)
"""


def test_cases_fail_in_one_line_if_nothing_can_be_measured(project: Path) -> None:
    """The exit code is also that of a run with a failed case."""
    (project / "joulemark.toml").write_text(FAST)
    (project / "broken").mkdir()
    (project / "broken" / "sitecustomize.py").write_text(NO_SAMPLER)
    (project / "conftest.py").write_text(f"import os\nos.environ['PYTHONPATH'] = {str(project / 'broken')!r}\n")
    done = pytest_in(project, f"--joulemark-suite={RUN}", "-W", "error")
    assert done.returncode == 1
    assert "exit code 4" in done.stdout
    assert "no sampling here" in done.stderr
    assert not any(word in done.stdout + done.stderr for word in ("Traceback", "error in", "JSONDecodeError"))


def test_invalid_options_end_the_session_in_one_line(project: Path) -> None:
    done = pytest_in(project, "--joulemark-suite=--size gigantic")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert done.stderr.count("\n") <= 2
    assert "'gigantic'" in done.stderr
