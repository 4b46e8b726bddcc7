"""docs/gpu.md: its figures are those of the kept run, its options those of the script."""

from __future__ import annotations

import re

import pytest
from places import DOCS, ROOT

from joulemark.suite.results.run_files import read

PAGE = (DOCS / "gpu.md").read_text(encoding="utf-8")


def test_figures_are_those_of_the_run_file() -> None:
    run_file = read(DOCS / "results" / "h200-base-bf16.json")
    (probe,) = run_file.probes
    assert probe.flops_per_s is not None
    rows = {row[0]: row[1:] for row in (line.strip("| ").split(" | ") for line in PAGE.splitlines()) if len(row) == 7}
    for case in run_file.cases:
        assert case.summary is not None
        rate = case.summary.throughput.value
        assert rate is not None
        flops_per_s = rate * case.flops_per_item
        batch, *numbers = (float(text.replace(",", "")) for text in rows[f"{case.workload} {case.phase}"])
        energy, power = case.summary.energy_per_item_j, case.summary.power_w
        values = [rate, energy.value, power.value, flops_per_s / 1e12, flops_per_s / probe.flops_per_s]
        assert batch == case.batch_size
        assert numbers == pytest.approx(values, rel=0.02)


def test_options_are_those_of_the_script() -> None:
    script = (ROOT / "benchmarks" / "gpu.py").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(--[\w-]+)", PAGE, re.M) == re.findall(r'add_argument\(\s*"(--[\w-]+)"', script)
