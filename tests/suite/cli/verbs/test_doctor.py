"""`joulemark doctor` as a program sees it, on machines with and without sensors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nvml_library
from nvml_library import FakeGpu
from places import ROOT
from powercap import FakeZone, build

UUID = "GPU-aaaa1111-0000-0000-0000-000000000000"


def _doctor(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from joulemark.suite.cli.app import main; main()", "doctor", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def _checks(answer: subprocess.CompletedProcess[str]) -> dict[tuple[str, str], dict[str, Any]]:
    document = json.loads(answer.stdout)
    assert document["schema_version"] == 1
    return {(check["kind"], check["name"]): check for check in document["checks"]}


def test_without_a_sensor_it_exits_4_and_says_why_for_each(tmp_path: Path) -> None:
    answer = _doctor("--json", JOULEMARK_POWERCAP_ROOT=str(tmp_path / "none"))
    assert answer.returncode == 4, answer.stderr
    checks = _checks(answer)
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
    assert {name for kind, name in checks if kind == "framework"} == {"pytorch", "tensorflow"}


def test_with_counters_it_exits_0_and_shows_their_tick_and_cost(tmp_path: Path) -> None:
    top = build(tmp_path, (FakeZone("intel-rapl:0", "package-0"), FakeZone("intel-rapl:0:0", "dram")))
    library = nvml_library.build(tmp_path)
    variables = nvml_library.environment(
        library, [FakeGpu(UUID, traits="tick"), FakeGpu("GPU-b", bus="00000000:02:00.0")]
    )
    answer = _doctor("--json", **variables | {"JOULEMARK_POWERCAP_ROOT": str(top), "CUDA_VISIBLE_DEVICES": "0"})
    assert answer.returncode == 0, answer.stderr
    checks = _checks(answer)
    rapl, board = checks["sensor", "rapl"], checks["sensor", f"nvml {UUID}"]
    assert (rapl["readable"], rapl["tick_s"]) == (True, 0.001)
    assert 0 < rapl["read_cost_s"] < 0.1
    assert 0.07 < board["tick_s"] < 0.13
    assert checks["device", "cuda:0"]["readable"]
    hidden = checks["device", "GPU-b"]
    assert not hidden["readable"]
    assert hidden["fix"] == "CUDA_VISIBLE_DEVICES=GPU-b"
    assert ("sensor", "codecarbon") not in checks


def test_boards_are_numbered_as_a_framework_tells(tmp_path: Path) -> None:
    """A run asks PyTorch which board is cuda:0; the doctor said of the same boards that nobody can tell."""
    library = nvml_library.build(tmp_path)
    boards = [FakeGpu(UUID, name="Old GPU"), FakeGpu("GPU-b", name="New GPU", bus="00000000:02:00.0")]
    told = {
        "version": "2.9",
        "python": "3.11",
        "build": "cuda",
        "devices": ["cpu", "cuda:0", "cuda:1"],
        "boards": ["b", UUID[4:]],
    }
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho '{json.dumps(told)}'\n")
    python.chmod(0o755)
    answer = _doctor("--json", "--python", f"pytorch={python}", **nvml_library.environment(library, boards))
    assert answer.stderr == ""
    checks = _checks(answer)
    assert "New GPU" in checks["device", "cuda:0"]["reason"]
    assert "Old GPU" in checks["device", "cuda:1"]["reason"]


def test_a_person_reads_one_line_a_check_and_the_fix() -> None:
    answer = _doctor(JOULEMARK_POWERCAP_ROOT="/nowhere")
    assert answer.returncode == 4
    assert "sensor rapl" in answer.stdout
    assert "fix: " in answer.stdout
    assert "Energy can only be estimated" in answer.stdout
    assert "Traceback" not in answer.stderr
