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
from environments import environment_with, known, none_of, stand_in
from nvml_library import FakeGpu
from powercap import FakeZone, build
from rich.console import Console

from joulemark.suite.cli.support.doctor.checks import Check
from joulemark.suite.cli.verbs.doctor import _table, verdict
from joulemark.suite.sensors.base import MODELS

pytestmark = pytest.mark.slow

UUID = "GPU-aaaa1111-0000-0000-0000-000000000000"


def checks_of(done: subprocess.CompletedProcess[str]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the checks by kind and name."""
    document = json.loads(done.stdout)
    assert document["schema_version"] == 1
    return {(check["kind"], check["name"]): check for check in document["checks"]}


def test_without_a_sensor_it_exits_4_with_a_reason_and_fix_for_each(tmp_path: Path) -> None:
    variables = {"JOULEMARK_POWERCAP_ROOT": str(tmp_path / "none")}
    done = joulemark(tmp_path, "doctor", "--json", *known(), variables=variables)
    assert done.returncode == 4, done.stderr
    checks = checks_of(done)
    assert set(checks["sensor", "rapl"]) == {
        *("kind", "name", "found", "readable", "tick_s", "read_cost_s", "reason", "fix")
    }
    for name in ("rapl", "nvml"):
        assert not checks["sensor", name]["readable"]
        assert checks["sensor", name]["reason"]
        assert checks["sensor", name]["fix"]
    (estimate,) = (checks["sensor", name] for name in MODELS if checks.get(("sensor", name), {}).get("readable"))
    assert "codecarbon" in estimate["reason"]
    assert checks["device", "cpu"]["readable"]
    assert {name for kind, name in checks if kind == "machine"} == {
        *("load", "steal", "jitter", "floor", "supply", "calibration")
    }
    assert checks["machine", "calibration"]["fix"] == "joulemark calibrate"
    assert {name for kind, name in checks if kind == "framework"} >= {"pytorch", "tensorflow"}
    every = [Check(**check) for check in checks.values()]
    with (console := Console(width=200)).capture() as table:
        console.print(_table(every))
    assert "sensor rapl" in table.get()
    assert "fix: " in table.get()
    assert "Energy can only be estimated" in verdict(every)


def test_with_counters_it_exits_0_with_their_update_periods_where_known_and_cost(tmp_path: Path) -> None:
    powercap = build(tmp_path, (FakeZone("intel-rapl:0", "package-0"), FakeZone("intel-rapl:0:0", "dram")))
    gpus = [FakeGpu(UUID, traits="tick"), FakeGpu("GPU-b", bus="00000000:02:00.0")]
    variables = nvml_library.environment(nvml_library.build(tmp_path), gpus)
    variables |= {"JOULEMARK_POWERCAP_ROOT": str(powercap), "CUDA_VISIBLE_DEVICES": "0"}
    done = joulemark(tmp_path, "doctor", "--json", *none_of(), variables=variables)
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
    assert not {("sensor", name) for name in MODELS} & set(checks)


def test_gpus_are_numbered_as_by_the_framework(tmp_path: Path) -> None:
    """NVML lists GPUs in another order than CUDA, which a framework has to be asked about."""
    gpus = [FakeGpu(UUID, name="Old GPU"), FakeGpu("GPU-b", name="New GPU", bus="00000000:02:00.0")]
    python = stand_in(tmp_path, build="cuda", devices=["cpu", "cuda:0", "cuda:1"], boards=["b", UUID[4:]])
    variables = nvml_library.environment(nvml_library.build(tmp_path), gpus)
    pythons = ("--python", f"pytorch={python}", *none_of("tensorflow", "jax"))
    done = joulemark(tmp_path, "doctor", "--json", *pythons, variables=variables)
    assert done.stderr == ""
    checks = checks_of(done)
    assert "New GPU" in checks["device", "cuda:0"]["reason"]
    assert "Old GPU" in checks["device", "cuda:1"]["reason"]


@pytest.mark.parametrize(
    ("readable", "words"),
    [
        (["rapl", f"nvml {UUID}"], "Energy can be measured on this machine."),
        (["perf"], "Energy can be measured on this machine."),
        ([f"nvml {UUID}", "codecarbon"], "on this machine. That of the host can only be estimated"),
        ([f"nvml {UUID}"], "on this machine. That of the host cannot be measured"),
        (["codecarbon"], "Energy can only be estimated here"),
        ([], "Energy can not be measured here"),
    ],
)
def test_a_gpu_sensor_alone_does_not_measure_the_host(readable: list[str], words: str) -> None:
    names = ("rapl", "perf", f"nvml {UUID}", "codecarbon")
    checks = [Check("sensor", name, found=True, readable=name in readable) for name in names]
    assert words in verdict([*checks, Check("device", "cpu", found=True, readable=True)])


def test_what_is_broken_is_a_row_with_reason_and_fix(tmp_path: Path) -> None:
    planted = dict.fromkeys(("pynvml", "codecarbon"), "raise RuntimeError('planted')")
    torch = "raise ImportError('libcudnn.so.9: cannot open')"
    python = environment_with(tmp_path / "env", torch=torch, tensorflow="", **planted)
    done = joulemark(tmp_path, "doctor", "--json", python=python)
    assert (done.returncode, done.stderr) == (4, "")
    checks = checks_of(done)
    for name, reason in (("pytorch", "libcudnn.so.9: cannot open"), ("tensorflow", "No module named 'keras'")):
        check = checks["framework", name]
        assert (check["found"], check["readable"]) == (True, False)
        assert reason in check["reason"]
        assert check["fix"] == f"pip install --force-reinstall 'joulemark[{name}]'"
    assert not checks["sensor", "nvml"]["readable"]
    (estimate,) = (checks["sensor", name] for name in MODELS if ("sensor", name) in checks)
    assert "planted" in checks["sensor", "nvml"]["reason"]
    assert "planted" in estimate["reason"]


def test_a_gpu_without_a_framework_that_works(tmp_path: Path) -> None:
    """One is broken, and of the other it says what to install."""
    python = environment_with(tmp_path / "env", torch="raise ImportError('libcudnn.so.9: cannot open')")
    variables = nvml_library.environment(nvml_library.build(tmp_path), [FakeGpu(UUID)])
    done = joulemark(tmp_path, "doctor", "--json", variables=variables, python=python)
    assert (done.returncode, done.stderr) == (0, "")
    checks = checks_of(done)
    assert checks["device", "cuda:0"]["readable"]
    assert checks["framework", "pytorch"]["found"]
    assert not checks["framework", "tensorflow"]["found"]
    assert checks["framework", "tensorflow"]["fix"] == "pip install 'joulemark[tensorflow]'"


def test_an_interpreter_that_cannot_be_used_is_a_row(tmp_path: Path) -> None:
    other = environment_with(tmp_path / "env")
    options = ("--python", f"tensorflow={other}", *none_of("pytorch", "jax"))
    done = joulemark(tmp_path, "doctor", "--json", *options)
    assert (done.returncode, done.stderr) == (4, "")
    checks = checks_of(done)
    assert "/nowhere/python" in checks["framework", "pytorch"]["reason"]
    assert checks["framework", "tensorflow"]["fix"] == f"{other} -m pip install 'joulemark[tensorflow]'"


def test_a_container_that_hides_the_power_supply(tmp_path: Path) -> None:
    """psutil raises FileNotFoundError there."""
    hide = 'mount -t tmpfs none /sys/class && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", hide, "sh"]
    if os.geteuid() or subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs root that may mount")
    done = subprocess.run(
        [*command, *COMMAND, "doctor", "--json", *none_of()],
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
