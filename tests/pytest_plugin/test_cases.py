"""`pytest --joulemark-suite`: our own cases as pytest-benchmark's benchmarks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scratch_project import CONSTANT, benchmarks


def test_our_own_cases_run_as_benchmarks(project: Path) -> None:
    """Two cases are selected of all that the options give; a skipped one is skipped with its reason."""
    (project / "joulemark.toml").write_text(
        '[profiles.fast]\ntitle = "short"\nworkloads = ["matmul"]\nsize = "tiny"\nwindow_s = 0.3\nidle_s = 0.5\n'
    )
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
