"""Tables of workloads and kept runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import in_terminal, joulemark
from report_files import summarised
from rich.console import Console
from run_files import case, failed_trial, run_file, trial

from joulemark.suite.records import write
from joulemark.suite.terminal.listings import workloads_table


def test_run_ids_can_be_copied_from_a_narrow_terminal(tmp_path: Path) -> None:
    id = "20261125T025832Z-11ab"
    failed = run_file([case(), case("vit", trials=[trial().model_copy(update={"status": "failed"})])], id=id)
    write(failed, tmp_path / "runs" / f"{id}.json")
    (tmp_path / "runs" / "broken.json").write_text("{")
    for width in (30, 60):
        text = in_terminal(tmp_path, width, "list", "--runs", variables={"NO_COLOR": "1"})
        assert id in text
        assert "1 failed" in text
        assert "unreadable" in text


@pytest.mark.slow
def test_lost_trials_of_a_run_are_counted(tmp_path: Path) -> None:
    partly = case("vit", trials=[trial(1), failed_trial(2), trial(3, 99.0)])
    failed = case("mlp", trials=[failed_trial(1), failed_trial(2)])
    run = summarised(run_file([partly, failed], id="20261101T120000Z-a1b2"))
    write(run, tmp_path / "runs" / f"{run.run.id}.json")
    assert joulemark(tmp_path, "list", "--runs").stdout.rstrip().endswith("1 ok, 1 failed, 1 trial lost")
    (row,) = json.loads(joulemark(tmp_path, "list", "--runs", "--json").stdout)["runs"]
    assert (row["cases"], row["trials_lost"]) == ({"ok": 1, "failed": 1, "skipped": 0}, 1)


def test_workload_without_size_base_has_no_numbers() -> None:
    size = {"parameters": 12, "flops_per_item": {"inference": 1e9}}
    workload = {"family": "mine", "item": "row", "phases": ["inference"], "frameworks": {"pytorch": ["eager"]}}
    document = {
        "workloads": [
            {**workload, "name": "own", "sizes": {"tiny": size}},
            {**workload, "name": "usual", "sizes": {"tiny": size, "base": {**size, "parameters": 3456}}},
        ]
    }
    console = Console(width=200)
    with console.capture() as capture:
        console.print(workloads_table(document))
    lines = capture.get().splitlines()
    own, usual = (next(line for line in lines if line.startswith(name)) for name in ("own", "usual"))
    assert own.split()[-2:] == ["-", "-"]
    assert usual.split()[-3:] == ["base", "3,456", "1.00"]
    assert lines[-2:] == ["Sizes of each: tiny", "Modes of each: pytorch: eager"]
