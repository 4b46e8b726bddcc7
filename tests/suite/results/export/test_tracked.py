"""A run for experiment trackers, against its CSV and its records."""

from __future__ import annotations

import csv
import io

from run_files import case, energy, failed_trial, run_file, trial

from joulemark.suite.results.export import csv as csv_format
from joulemark.suite.results.export import tracked


def test_numbers_are_those_of_the_csv() -> None:
    run = run_file()
    lines = {line["id"]: line for line in csv.DictReader(io.StringIO(csv_format.render(run)))}
    rows = tracked.rows(run)
    assert len(rows) == len(lines) == 2
    for row, line in zip(rows, lines.values(), strict=True):
        assert row.index is None
        assert row.series == "joulemark/" + line["id"].replace(":", "-")
        assert len(row.values) > 20
        for name, value in row.values.items():
            assert value == float(line[name]), name
    assert rows[0].time_s == 1793534520.0  # 2026-11-01T12:02:00Z


def test_estimates_and_lower_bounds_say_so_in_their_names() -> None:
    trials = [trial(readings=[energy(100.0, "cpu", "model"), energy(None, "ram")])]
    (row,) = tracked.rows(run_file([case(trials=trials)]))
    joules = {name for name in row.values if "energy" in name or "emissions" in name or "power" in name}
    assert joules
    assert all(name.endswith("_estimated") for name in joules), joules
    assert not any(name.endswith("_estimated") for name in row.values.keys() - joules)


def test_a_case_without_numbers_is_a_tag_with_its_reason() -> None:
    failed = case(framework="tensorflow", trials=[failed_trial()])
    run = run_file([case(), failed])
    assert [row.series for row in tracked.rows(run)] == ["joulemark/cnn-small/training/pytorch/eager/cpu/fp32/b32"]
    assert tracked.tags(run)["joulemark.without_numbers"] == f"{failed.id}: every trial failed"


def test_parameters_are_of_all_cases() -> None:
    found = tracked.parameters(run_file([case(), case(framework="tensorflow", mode="graph", precision="bf16")]))
    assert found["joulemark.framework"] == "pytorch, tensorflow"
    assert found["joulemark.precision"] == "fp32, bf16"
    assert found["joulemark.zone"] == "CH"
    assert found["joulemark.machine"] == "aabbccddeeff"
    assert found["joulemark.pytorch_version"] == "2.13.0"
    assert "joulemark.gpus" not in found


def test_settings_that_a_case_adds_to_its_id_stay_apart() -> None:
    ids = [f"cnn:small/training/pytorch/eager/cpu/fp32/b32{more}" for more in ("", "+threads=1", "+allocator=retain")]
    rows = tracked.rows(run_file([case(id=id) for id in ids]))
    assert len({row.series for row in rows}) == 3
    assert "joulemark/cnn-small/training/pytorch/eager/cpu/fp32/b32-threads-1" in {row.series for row in rows}
