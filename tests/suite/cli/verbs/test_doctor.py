"""`joulemark doctor`, on machines with and without sensors."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import nvml_library
import pytest
from command import joulemark
from nvml_library import FakeGpu
from powercap import FakeZone, build

pytestmark = pytest.mark.slow

UUID = "GPU-aaaa1111-0000-0000-0000-000000000000"


def checks_of(done: subprocess.CompletedProcess[str]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the checks by kind and name."""
    document = json.loads(done.stdout)
    assert document["schema_version"] == 1
    return {(check["kind"], check["name"]): check for check in document["checks"]}


def test_without_a_sensor_it_exits_4_with_a_reason_and_fix_for_each(tmp_path: Path) -> None:
    variables = {"JOULEMARK_POWERCAP_ROOT": str(tmp_path / "none")}
    done = joulemark(tmp_path, "doctor", "--json", variables=variables)
    assert done.returncode == 4, done.stderr
    checks = checks_of(done)
    assert set(checks["sensor", "rapl"]) == {
        *("kind", "name", "found", "readable", "tick_s", "read_cost_s", "reason", "fix")
    }
    for name in ("rapl", "nvml"):
        assert not checks["sensor", name]["readable"]
        assert checks["sensor", name]["reason"]
        assert checks["sensor", name]["fix"]
    assert checks["sensor", "codecarbon"]["readable"]
    assert checks["device", "cpu"]["readable"]
    assert {name for kind, name in checks if kind == "machine"} == {"load", "steal", "jitter", "floor", "supply"}
    assert {name for kind, name in checks if kind == "framework"} >= {"pytorch", "tensorflow"}


def test_with_counters_it_exits_0_with_their_update_period_and_cost(tmp_path: Path) -> None:
    powercap = build(tmp_path, (FakeZone("intel-rapl:0", "package-0"), FakeZone("intel-rapl:0:0", "dram")))
    gpus = [FakeGpu(UUID, traits="tick"), FakeGpu("GPU-b", bus="00000000:02:00.0")]
    variables = nvml_library.environment(nvml_library.build(tmp_path), gpus)
    variables |= {"JOULEMARK_POWERCAP_ROOT": str(powercap), "CUDA_VISIBLE_DEVICES": "0"}
    done = joulemark(tmp_path, "doctor", "--json", variables=variables)
    assert done.returncode == 0, done.stderr
    checks = checks_of(done)
    rapl, gpu = checks["sensor", "rapl"], checks["sensor", f"nvml {UUID}"]
    assert (rapl["readable"], rapl["tick_s"]) == (True, 0.001)
    assert 0 < rapl["read_cost_s"] < 0.1
    assert 0.07 < gpu["tick_s"] < 0.13
    assert checks["device", "cuda:0"]["readable"]
    hidden = checks["device", "GPU-b"]
    assert not hidden["readable"]
    assert hidden["fix"] == "CUDA_VISIBLE_DEVICES=GPU-b"
    assert ("sensor", "codecarbon") not in checks


def test_gpus_are_numbered_as_by_the_framework(tmp_path: Path) -> None:
    """NVML lists GPUs in another order than CUDA, which a framework has to be asked about."""
    gpus = [FakeGpu(UUID, name="Old GPU"), FakeGpu("GPU-b", name="New GPU", bus="00000000:02:00.0")]
    facts = {
        "version": "2.9",
        "python": "3.11",
        "build": "cuda",
        "devices": ["cpu", "cuda:0", "cuda:1"],
        "boards": ["b", UUID[4:]],
    }
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho '{json.dumps(facts)}'\n")
    python.chmod(0o755)
    variables = nvml_library.environment(nvml_library.build(tmp_path), gpus)
    done = joulemark(tmp_path, "doctor", "--json", "--python", f"pytorch={python}", variables=variables)
    assert done.stderr == ""
    checks = checks_of(done)
    assert "New GPU" in checks["device", "cuda:0"]["reason"]
    assert "Old GPU" in checks["device", "cuda:1"]["reason"]


def test_table_has_one_line_per_check_and_the_fix(tmp_path: Path) -> None:
    done = joulemark(tmp_path, "doctor", variables={"JOULEMARK_POWERCAP_ROOT": "/nowhere"})
    assert done.returncode == 4
    assert "sensor rapl" in done.stdout
    assert "fix: " in done.stdout
    assert "Energy can only be estimated" in done.stdout
    assert "Traceback" not in done.stderr
