"""`joulemark.read`: what names a run, and its tables in pandas and Arrow, against the CSV and the records."""

from __future__ import annotations

import csv
import io
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from environments import require
from places import DOCS
from run_files import case, energy, failed_trial, run_file, trial

import joulemark
from joulemark.suite.records import write
from joulemark.suite.results.export import csv as csv_format

require("pandas", "pyarrow")
CASES = [
    case(),
    case(framework="tensorflow", mode="graph", trials=[failed_trial()]),
    case(mode="compile", trials=[trial(readings=[energy(100.0, "cpu", "model"), energy(None, "ram")])]),
]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs in a home."""
    runs = tmp_path / "home" / "runs"
    runs.mkdir(parents=True)
    for name in ("20261101T120000Z-a1b2", "20261102T120000Z-c3d4"):
        write(run_file(CASES, id=name), runs / f"{name}.json")
    monkeypatch.setenv("JOULEMARK_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return runs


def test_a_run_is_named_by_path_id_or_latest(kept: Path) -> None:
    first = run_file(CASES)
    for source in (
        kept / "20261101T120000Z-a1b2.json",
        "20261101T120000Z-a1b2",
        "20261101",
        "home/runs/20261101T120000Z-a1b2.json",
    ):
        read = joulemark.read(source)
        assert read == first
        assert first == read
        assert isinstance(read, joulemark.RunFile)
    assert joulemark.read("latest").run.id == "20261102T120000Z-c3d4"
    assert joulemark.read("latest") != first


def test_a_run_that_was_read_can_be_written_and_changed(kept: Path, tmp_path: Path) -> None:
    read = joulemark.read("latest")
    write(read, tmp_path / "again.json")
    assert joulemark.read(tmp_path / "again.json") == read
    assert read.model_copy(update={"traces": ()}) != read


@pytest.mark.parametrize("as_list", [True, False])
def test_a_list_or_a_directory_gives_all(kept: Path, as_list: bool) -> None:
    runs = joulemark.read(["20261101", kept / "20261102T120000Z-c3d4.json"] if as_list else kept)
    assert [run.run.id for run in runs] == ["20261101T120000Z-a1b2", "20261102T120000Z-c3d4"]
    assert len(runs[:1]) == 1
    frame = runs.to_pandas()
    assert list(frame["run"]) == [run.run.id for run in runs for _ in CASES]
    assert runs.to_arrow("trials").num_rows == 2 * sum(len(case.trials) for case in CASES)
    assert "20261102T120000Z-c3d4" in runs._repr_html_()


def test_a_broken_file_in_a_directory_is_named_and_hides_no_other(kept: Path) -> None:
    (kept / "20261103T120000Z-e5f6.json").write_text("{")
    with pytest.warns(RuntimeWarning, match="left out: .*20261103T120000Z-e5f6.json") as notices:
        runs = joulemark.read(kept)
    assert len(runs) == 2
    assert len(notices) == 1
    with pytest.raises(joulemark.JoulemarkError, match="20261103"):
        joulemark.read(["20261101", kept / "20261103T120000Z-e5f6.json"])


@pytest.mark.parametrize(
    ("source", "message"),
    [("20999999", "unknown run|no run"), (7, "read takes"), ([7], "read takes"), ("empty", "no run in empty")],
)
def test_what_is_no_run_is_one_line(kept: Path, source: Any, message: str) -> None:
    Path("empty").mkdir()
    with pytest.raises(joulemark.JoulemarkError, match=message) as caught:
        joulemark.read(source)
    assert "\n" not in str(caught.value)


def same(text: str, value: Any) -> bool:
    """Return whether a field of a CSV and a value of a frame are the same."""
    if value is None or value != value:
        return text == ""
    if isinstance(value, bool):
        return text == str(value)
    if isinstance(value, int | float):
        return float(text) == value
    return text == str(value)


@pytest.mark.parametrize("library", ["pandas", "arrow"])
def test_cases_are_the_csv(kept: Path, library: str) -> None:
    run = joulemark.read("latest")
    lines = list(csv.DictReader(io.StringIO(csv_format.render(run))))
    if library == "pandas":
        frame = run.to_pandas()
        rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    else:
        rows = run.to_arrow().to_pylist()
    assert len(lines) == len(rows) == 3
    for line, row in zip(lines, rows, strict=True):
        assert list(row) == list(line)
        for name in set(row) - {"started_at"}:
            assert same(line[name], row[name]), name
        assert row["started_at"].isoformat() == line["started_at"].replace("Z", "+00:00")


def test_types_and_units(kept: Path) -> None:
    run = joulemark.read("latest")
    frame, schema = run.to_pandas(), run.to_arrow().schema
    expected = {
        "throughput": ("float64", "double", "items/s"),
        "energy_per_item_j_low": ("float64", "double", "J"),
        "emissions_g_per_1000_items": ("float64", "double", "g"),
        "g_per_kwh": ("float64", "double", "g/kWh"),
        "batch_size": ("Int64", "int64", "1"),
        "energy_per_item_j_n": ("Int64", "int64", "1"),
        "energy_per_item_j_lower_bound": ("boolean", "bool", ""),
        "framework": ("str", "string", ""),
        "started_at": ("datetime64[us, UTC]", "timestamp[us, tz=UTC]", ""),
    }
    for name, (of_pandas, of_arrow, unit) in expected.items():
        assert str(frame.dtypes[name]) == of_pandas, name
        assert str(schema.field(name).type) == of_arrow, name
        assert frame.attrs["units"].get(name, "") == unit, name
        assert ((schema.field(name).metadata or {}).get(b"unit", b"")).decode() == unit, name
    # A failed case has no numbers, and never 0.
    (failed,) = frame[frame["status"] == "failed"].to_dict("records")
    assert math.isnan(failed["throughput"])
    assert failed["throughput_reason"] == "every trial failed"


def test_trials_are_what_summaries_are_made_of(kept: Path) -> None:
    run = joulemark.read("latest")
    frame = run.to_pandas("trials")
    assert len(frame) == 5
    for each in run.cases:
        if each.summary is None:
            continue
        trials = frame[(frame["id"] == each.id) & (frame["status"] == "ok")]
        for name in ("throughput", "energy_per_item_j", "power_w", "step_time_s"):
            mean = np.exp(np.log(trials[name]).mean())  # geometric
            assert mean == pytest.approx(getattr(each.summary, name).value), name
    assert list(frame["package_energy_j"].dropna()) == [100.0] * 3
    assert list(frame["cpu_energy_j"].dropna()) == [100.0]
    assert frame["ram_energy_j"].isna().all()
    (partial,) = frame[frame["energy_kind"] == "model"].to_dict("records")
    assert partial["energy_lower_bound"] is True or bool(partial["energy_lower_bound"])
    (failed,) = frame[frame["status"] == "failed"].to_dict("records")
    assert failed["reason_code"] == "out_of_memory"
    assert math.isnan(failed["energy_j"])
    assert (run.to_arrow("trials").column_names) == list(frame)


def test_other_rows_are_one_line(kept: Path) -> None:
    with pytest.raises(joulemark.JoulemarkError, match="unknown rows 'trial'\\. Did you mean 'trials'"):
        joulemark.read("latest").to_pandas("trial")  # type: ignore[arg-type]


@pytest.mark.slow
def test_reading_imports_neither_pandas_nor_arrow(kept: Path) -> None:
    code = "import joulemark, sys; joulemark.read('latest')._repr_html_(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert not {"pandas", "pyarrow", "IPython", "plotly"} & set(done.stdout.split())


def test_the_page_has_every_column_of_a_trial(kept: Path) -> None:
    text = (DOCS / "notebooks.md").read_text()
    named = set(re.findall(r"`(\w+)`", text))
    missing = set(joulemark.read("latest").to_pandas("trials")) - named
    assert missing == {"package_energy_j", "cpu_energy_j", "ram_energy_j"}  # COMPONENT_energy_j
