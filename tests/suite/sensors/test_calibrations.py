"""Which calibration records hold for a channel, and how they are kept."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from powercap import FakeZone, build

from joulemark.suite.records import Channel, GainCalibration
from joulemark.suite.sensors import calibrations, trace_file
from joulemark.suite.sensors.calibrations import load, save, this_machine, with_calibration
from joulemark.suite.sensors.sampler import Sampler

NOW = datetime(2026, 11, 30, 4, tzinfo=UTC)
HERE = "0123456789ab"
CHANNEL = Channel(
    component="package",
    scope="package-0",
    unit="J",
    kind="counter",
    gain=(0.95, 1.05),
    source="powercap intel-rapl:0; x",
)


def record(age_days: float = 1.0, **fields: Any) -> GainCalibration:
    values: dict[str, Any] = {
        "sensor": "rapl",
        "component": "package",
        "scope": "package-0",
        "call": "powercap intel-rapl:0",
        "machine": HERE,
        "made_at": (NOW - timedelta(days=age_days)).isoformat(),
        "meter": "plug (Shelly plug)",
        "meter_gain": (0.98, 1.02),
        "same_extent": False,
        "gain": (0.95, 1.01),
        "load_w": (20.0, 95.0),
        "windows": 8,
        **fields,
    }
    return GainCalibration(**values)


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        ([record()], None),
        ([record(364)], None),
        ([record(400)], "it is 400 days old, and holds for 365"),
        ([record(-3)], "it was made after today, by this machine's clock"),
        ([record(machine="ba9876543210")], "it is of another machine"),
        ([record(call="perf power/energy-pkg/")], "the sensor was then read by perf power/energy-pkg/"),
        ([record(machine="ba9876543210"), record(300)], None),
        ([record(400), record(2)], None),
    ],
)
def test_a_record_that_does_not_hold_is_there_with_the_reason(
    records: list[GainCalibration], reason: str | None
) -> None:
    found = with_calibration(CHANNEL, "rapl", records, HERE, NOW).calibration
    assert found is not None
    assert found.unused == reason
    for other in (record(scope="package-1"), record(component="dram"), record(sensor="perf")):
        assert with_calibration(CHANNEL, "rapl", [other], HERE, NOW) == CHANNEL


def test_a_record_of_an_estimate_by_other_evidence_does_not_hold() -> None:
    estimate = CHANNEL.model_copy(update={"kind": "model", "source": "19 servers with EPYC 7003 processors; x"})
    found = with_calibration(estimate, "rapl", [record(call="26 servers with EPYC 9005 processors")], HERE, NOW)
    assert found.calibration is not None
    assert found.calibration.unused == "the estimate then rested on other evidence"


def test_records_are_replaced_by_channel_and_machine(tmp_path: Path) -> None:
    path = tmp_path / "home" / "calibrations.json"
    save(path, [record(9), record(9, machine="ba9876543210"), record(9, component="dram")])
    assert path.stat().st_mode & 0o077 == 0
    save(path, [record(1)])
    assert sorted((r.component, r.machine == HERE, r.made_at[8:10]) for r in load(path)) == [
        ("dram", True, "21"),
        ("package", False, "21"),
        ("package", True, "29"),
    ]


@pytest.mark.parametrize(
    "content", ["", "{}", "[1, {}]", '[{"sensor": "rapl", "gain": [2, 1]}]', "[" * 100_000, "\udcff"]
)
def test_a_damaged_file_has_no_records(tmp_path: Path, content: str) -> None:
    path = tmp_path / "calibrations.json"
    path.write_text(content, errors="surrogateescape")
    assert load(path) == []


def test_a_machine_is_told_by_its_id_and_not_shown(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "ab"]
    for path in paths:
        path.write_text(f"{path.name}c0ffee\n")
    names = [this_machine(str(path)) for path in (*paths, tmp_path / "none")]
    assert len({*names}) == 3
    assert all(len(name) == 12 for name in names)
    assert "c0ffee" not in "".join(names)


@pytest.mark.slow
def test_a_sampled_sensor_has_its_record(tmp_path: Path) -> None:
    powercap = build(tmp_path, [FakeZone("intel-rapl:0", "package-0")])
    mine = record(
        machine=this_machine(), call="powercap intel-rapl:0 (package-0)", made_at=datetime.now(UTC).isoformat()
    )
    save(tmp_path / calibrations.FILE_NAME, [mine])
    environment = {"JOULEMARK_HOME": str(tmp_path)}
    with Sampler.start(tmp_path / "t", time.monotonic(), ["rapl"], str(powercap), environment):
        pass
    (trace,) = trace_file.load(tmp_path / "t")
    assert trace.channels[0].calibration == mine
