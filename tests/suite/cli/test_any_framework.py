"""The command with any set of frameworks: a verb is refused only where what it was asked for is missing or broken.

`tests/only` has one framework or none, as a user installs them.
"""

from __future__ import annotations

import json
from pathlib import Path

import nvml_library
import pytest
from command import FAST, joulemark
from environments import environment_with, stand_in
from nvml_library import FakeGpu

pytestmark = pytest.mark.slow

GPU = FakeGpu("GPU-aaaa1111-0000-0000-0000-000000000000")
DRY_RUN = ("run", "--dry-run", "--json", "--workload", "cnn")
BROKEN = "import ctypes; ctypes.CDLL('libcudart.so.99')"


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of an environment with PyTorch and a TensorFlow that cannot be imported."""
    return environment_with(tmp_path_factory.mktemp("broken") / "env", "torch", keras="", tensorflow=BROKEN)


def variables(directory: Path, has_gpu: bool) -> dict[str, str]:
    """Return the variables under which processes see a GPU, or none."""
    if not has_gpu:
        return {}
    inherited = nvml_library.environment(nvml_library.build(directory), [GPU])
    return {name: inherited[name] for name in ("LD_LIBRARY_PATH", "NVML_GPUS")}


def reasons(document: str) -> dict[str, str | None]:
    """Return why the cases of each framework are skipped; None for those that would be run."""
    return {case["id"].split("/")[2]: case["reason"] for case in json.loads(document)["cases"]}


def test_a_broken_framework_is_skipped_unless_it_was_named(broken: str, tmp_path: Path) -> None:
    """Where there is a GPU; the run below is made without one."""
    seen = variables(tmp_path, has_gpu=True)
    done = joulemark(tmp_path, *DRY_RUN, variables=seen, python=broken)
    assert (done.returncode, done.stderr) == (0, "")
    assert reasons(done.stdout)["pytorch"] is None
    assert "libcudart.so.99" in str(reasons(done.stdout)["tensorflow"])
    for named in (("--framework", "tensorflow"), ("--python", f"tensorflow={broken}")):
        done = joulemark(tmp_path, *DRY_RUN, *named, variables=seen, python=broken)
        assert (done.returncode, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 1
        assert "libcudart.so.99" in done.stderr
        assert "install --force-reinstall 'joulemark[tensorflow]'" in done.stderr


def test_a_run_records_that_a_framework_is_broken(broken: str, tmp_path: Path) -> None:
    (tmp_path / "joulemark.toml").write_text(FAST)
    options = ("--profile", "fast", "--workload", "matmul", "--rounds", "1", "--threads", "1", "--json")
    done = joulemark(tmp_path, "run", *options, "--sensor", "simulated:rapl/constant", python=broken)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    outcomes = {case["framework"]: (case["status"], case["reason_code"]) for case in document["cases"]}
    assert outcomes.pop("jax") == ("skipped", "not_installed")
    assert outcomes == {"pytorch": ("ok", None), "tensorflow": ("skipped", "import_failed")}
    info = document["machine"]["frameworks"]["tensorflow"]
    assert (info["version"], info["devices"]) == ("9.9", [])
    assert "libcudart.so.99" in info["broken_reason"]
    shown = joulemark(tmp_path, "show", "latest", python=broken)
    assert shown.returncode == 0
    assert "tensorflow 9.9 (broken)" in shown.stdout
    assert "TensorFlow 9.9 (broken)" in Path(document["report"]).read_text()


def test_without_a_framework_nothing_can_be_planned(tmp_path: Path) -> None:
    python = environment_with(tmp_path / "env")
    for arguments in (("list", "--cases"), ("calibrate",)):
        done = joulemark(tmp_path, *arguments, python=python)
        assert (done.returncode, done.stdout) == (2, "")
        for extra in ("pytorch", "tensorflow", "jax"):
            assert f"pip install 'joulemark[{extra}]'" in done.stderr


def test_a_device_that_one_framework_does_not_see_is_skipped_in_it(tmp_path: Path) -> None:
    """PyTorch for the GPU and a TensorFlow whose CUDA libraries are missing."""
    # There is no CUDA to make a real one see the GPU.
    pytorch = stand_in(tmp_path, build="cuda 13.0", devices=["cpu", "cuda:0"])
    python = environment_with(tmp_path / "env", "tensorflow", "keras")
    options = ("--python", f"pytorch={pytorch}", "--device", "cuda:0")
    done = joulemark(tmp_path, *DRY_RUN, *options, variables=variables(tmp_path, True), python=python)
    assert (done.returncode, done.stderr) == (0, "")
    assert reasons(done.stdout)["pytorch"] is None
    assert "TensorFlow sees no device cuda:0" in str(reasons(done.stdout)["tensorflow"])
    done = joulemark(tmp_path, *DRY_RUN, "--device", "cuda:0", variables=variables(tmp_path, True), python=python)
    assert (done.returncode, done.stdout) == (2, "")
    assert "unknown device 'cuda:0'" in done.stderr
    assert "No GPU is seen: TensorFlow cannot load a library" in done.stderr
