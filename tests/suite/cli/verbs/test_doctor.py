"""`joulemark doctor`, on machines with and without sensors."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import nvml_library
import pytest
from command import COMMAND, environment, joulemark
from environments import environment_with
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


def test_with_counters_it_exits_0_with_their_update_periods_where_known_and_cost(tmp_path: Path) -> None:
    powercap = build(tmp_path, (FakeZone("intel-rapl:0", "package-0"), FakeZone("intel-rapl:0:0", "dram")))
    gpus = [FakeGpu(UUID, traits="tick"), FakeGpu("GPU-b", bus="00000000:02:00.0")]
    variables = nvml_library.environment(nvml_library.build(tmp_path), gpus)
    variables |= {"JOULEMARK_POWERCAP_ROOT": str(powercap), "CUDA_VISIBLE_DEVICES": "0"}
    done = joulemark(tmp_path, "doctor", "--json", variables=variables)
    assert done.returncode == 0, done.stderr
    checks = checks_of(done)
    rapl, gpu = checks["sensor", "rapl"], checks["sensor", f"nvml {UUID}"]
    assert (rapl["readable"], rapl["tick_s"]) == (True, None)  # it stands still: its update period is not known
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


def test_a_gpu_sensor_alone_does_not_measure_the_host(tmp_path: Path) -> None:
    variables = nvml_library.environment(nvml_library.build(tmp_path), [FakeGpu(UUID)])
    done = joulemark(tmp_path, "doctor", variables={**variables, "JOULEMARK_POWERCAP_ROOT": "/nowhere"})
    assert done.returncode == 0
    assert done.stdout.rstrip().endswith(
        "The energy of GPUs can be measured on this machine. That of the host can only be estimated: it is not in the "
        "sums of cases on a GPU."
    )
    root = build(tmp_path / "rapl", [FakeZone("intel-rapl:0", "package-0")])
    done = joulemark(tmp_path, "doctor", variables={**variables, "JOULEMARK_POWERCAP_ROOT": str(root)})
    assert done.stdout.rstrip().endswith("Energy can be measured on this machine.")


@pytest.mark.parametrize("has_gpu", [False, True], ids=["no GPU", "GPU"])
def test_a_broken_framework_is_a_row_with_reason_and_fix(tmp_path: Path, has_gpu: bool) -> None:
    python = environment_with(tmp_path / "env", torch="raise ImportError('libcudnn.so.9: cannot open')", tensorflow="")
    variables = nvml_library.environment(nvml_library.build(tmp_path), [FakeGpu(UUID)]) if has_gpu else {}
    done = joulemark(tmp_path, "doctor", "--json", variables=variables, python=python)
    assert (done.returncode, done.stderr) == (0 if has_gpu else 4, "")
    checks = checks_of(done)
    for name, reason in (("pytorch", "libcudnn.so.9: cannot open"), ("tensorflow", "No module named 'keras'")):
        check = checks["framework", name]
        assert (check["found"], check["readable"]) == (True, False)
        assert reason in check["reason"]
        assert check["fix"] == f"pip install --force-reinstall 'joulemark[{name}]'"


def test_without_a_framework_it_says_what_to_install(tmp_path: Path) -> None:
    done = joulemark(tmp_path, "doctor", "--json", python=environment_with(tmp_path / "env"))
    assert (done.returncode, done.stderr) == (4, "")
    checks = checks_of(done)
    for name in ("pytorch", "tensorflow"):
        assert not checks["framework", name]["found"]
        assert checks["framework", name]["fix"] == f"pip install 'joulemark[{name}]'"


def test_an_interpreter_that_cannot_be_used_is_a_row(tmp_path: Path) -> None:
    other = environment_with(tmp_path / "env")
    options = ("--python", "pytorch=/nowhere/python", "--python", f"tensorflow={other}")
    done = joulemark(tmp_path, "doctor", "--json", *options)
    assert (done.returncode, done.stderr) == (4, "")
    checks = checks_of(done)
    assert "/nowhere/python" in checks["framework", "pytorch"]["reason"]
    assert checks["framework", "tensorflow"]["fix"] == f"{other} -m pip install 'joulemark[tensorflow]'"


@pytest.mark.parametrize("package", ["pynvml", "codecarbon"])
def test_a_broken_package_of_a_sensor_is_a_row(tmp_path: Path, package: str) -> None:
    python = environment_with(tmp_path / "env", **{package: "raise RuntimeError('planted')"})
    done = joulemark(tmp_path, "doctor", "--json", python=python)
    assert (done.returncode, done.stderr) == (4, "")
    sensor = checks_of(done)["sensor", {"pynvml": "nvml"}.get(package, package)]
    assert not sensor["readable"]
    assert "planted" in sensor["reason"]


def test_a_container_that_hides_the_power_supply(tmp_path: Path) -> None:
    """psutil raises FileNotFoundError there."""
    hide = 'mount -t tmpfs none /sys/class && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", hide, "sh"]
    if os.geteuid() or subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs root that may mount")
    done = subprocess.run(
        [*command, *COMMAND, "doctor", "--json"],
        env=environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (4, "")
    supply = checks_of(done)["machine", "supply"]
    assert not supply["found"]
    assert "/sys/class/power_supply" in supply["reason"]
