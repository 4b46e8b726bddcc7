"""Which frameworks an interpreter has: absent, usable or broken, asked of real interpreters."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from environments import add_metadata, environment_with

from joulemark.suite.records import FrameworkInfo
from joulemark.suite.trial.discover import installed_frameworks
from joulemark.suite.trial.frameworks import FRAMEWORKS

pytestmark = pytest.mark.slow

MISSING_LIBRARY = "import ctypes; ctypes.CDLL('libcudart.so.99')"
"""What torch does to load CUDA's libraries before its own (torch/__init__.py, _preload_cuda_deps)."""


def ask(python: str) -> dict[str, FrameworkInfo]:
    """Return what the interpreter `python` has of all frameworks."""
    return installed_frameworks(list(FRAMEWORKS), dict.fromkeys(FRAMEWORKS, python))


@pytest.mark.parametrize(
    "stand_ins",
    [{}, {"keras": "raise ImportError('no module tensorflow')"}],
    ids=["none", "keras without TensorFlow"],
)
def test_a_framework_that_is_not_installed_is_absent(tmp_path: Path, stand_ins: dict[str, str]) -> None:
    assert ask(environment_with(tmp_path / "env", **stand_ins)) == {}


def test_a_folder_that_an_uninstallation_left_is_no_framework(tmp_path: Path) -> None:
    python = environment_with(tmp_path / "env")
    (site,) = (tmp_path / "env").glob("lib/python3*/site-packages")
    (site / "tensorflow" / "__pycache__").mkdir(parents=True)
    assert ask(python) == {}


@pytest.mark.parametrize(
    ("framework", "stand_ins", "reason"),
    [
        ("tensorflow", {"tensorflow": "__version__ = '9.9'"}, "ModuleNotFoundError: No module named 'keras'"),
        ("pytorch", {"torch": MISSING_LIBRARY}, "OSError: libcudart.so.99: cannot open shared object file"),
        ("pytorch", {"torch": "raise ImportError('undefined symbol:\\n  iJIT_NotifyEvent')"}, "symbol: iJIT_Notify"),
        ("pytorch", {"torch": "import torch._C"}, "No module named 'torch._C'"),
        ("pytorch", {"torch": "import os; os.abort()"}, "SIGABRT"),
        ("pytorch", {"torch": "import sys; sys.exit('no AVX')"}, "no AVX"),
        ("pytorch", {"torch": "import os; os._exit(0)"}, "exit status 0"),
        ("tensorflow", {"tensorflow": "raise SystemError('built for NumPy 1')", "keras": ""}, "built for NumPy 1"),
    ],
    ids=["no keras", "no library", "bad symbol", "half deleted", "aborts", "exits", "exits at once", "wrong NumPy"],
)
def test_one_that_cannot_be_imported_is_broken_with_the_reason(
    tmp_path: Path, framework: str, stand_ins: dict[str, str], reason: str
) -> None:
    ((name, info),) = ask(environment_with(tmp_path / "env", **stand_ins)).items()
    assert (name, info.version, info.devices) == (framework, "9.9", ())
    assert info.python == ".".join(map(str, sys.version_info[:3]))
    assert reason in str(info.broken_reason)
    assert "\n" not in str(info.broken_reason)


def test_metadata_without_the_package_are_a_broken_framework(tmp_path: Path) -> None:
    python = environment_with(tmp_path / "env")
    (site,) = (tmp_path / "env").glob("lib/python3*/site-packages")
    add_metadata(site, "torch")
    (info,) = ask(python).values()
    assert info.broken_reason == "ModuleNotFoundError: No module named 'torch'"


def test_a_package_without_metadata_is_a_framework_of_unknown_version(tmp_path: Path) -> None:
    python = environment_with(tmp_path / "env", torch=MISSING_LIBRARY)
    (site,) = (tmp_path / "env").glob("lib/python3*/site-packages")
    (site / "torch-9.9.dist-info" / "METADATA").unlink()
    (info,) = ask(python).values()
    assert info.version == "unknown"
    assert "libcudart" in str(info.broken_reason)


def test_one_that_does_not_finish_its_import_is_broken(tmp_path: Path) -> None:
    python = environment_with(tmp_path / "env", torch="import time; time.sleep(600)")
    info = installed_frameworks(["pytorch"], {"pytorch": python}, timeout_s=2)["pytorch"]
    assert info.broken_reason == "no answer within 2 s"


def test_broken_one_does_not_hide_the_other(tmp_path: Path) -> None:
    installed = ask(environment_with(tmp_path / "env", "torch", keras="", tensorflow="import nosuchmodule"))
    assert installed["pytorch"].broken_reason is None
    assert installed["pytorch"].devices[0] == "cpu"
    assert installed["tensorflow"].broken_reason == "ModuleNotFoundError: No module named 'nosuchmodule'"


def test_gpus_that_cannot_be_asked_leave_the_cpu(tmp_path: Path) -> None:
    """A driver that fails when a GPU is initialised: the framework itself works."""
    python = environment_with(tmp_path / "env", "torch")
    (site,) = (tmp_path / "env").glob("lib/python3*/site-packages")
    fail = "def fail(*_):\n    raise RuntimeError('CUDA error: uncorrectable ECC error encountered')\n"
    (site / "sitecustomize.py").write_text(
        f"import torch\n{fail}\ntorch.cuda.is_available = lambda: True\ntorch.cuda.device_count = fail\n"
    )
    info = ask(python)["pytorch"]
    assert (info.devices, info.broken_reason) == (("cpu",), None)
    assert info.blind == "RuntimeError: CUDA error: uncorrectable ECC error encountered"


def test_it_is_asked_in_the_environment_of_a_trial(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keras of a user who trains with another back end: trials have the one for TensorFlow."""
    (tmp_path / "keras.json").write_text(json.dumps({"backend": "nosuchbackend"}))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_BACKEND", "nosuchbackend")
    installed = installed_frameworks(["tensorflow"], {})
    if "tensorflow" not in installed:
        pytest.skip("TensorFlow is not installed")
    assert installed["tensorflow"].broken_reason is None


def test_what_is_not_asked_is_described_by_its_metadata(tmp_path: Path) -> None:
    python = environment_with(tmp_path / "env", torch="raise ImportError", tensorflow="raise ImportError")
    code = (
        "from joulemark.suite.trial.discover import installed_frameworks\n"
        "for name, info in installed_frameworks(['pytorch'], {}).items():\n"
        "    print(name, info.version, info.build, info.broken_reason)\n"
    )
    done = subprocess.run([python, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["pytorch 9.9  ImportError:", "tensorflow 9.9  None"]


INTERRUPTED = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from joulemark.suite.trial.discover import installed_frameworks
try:
    installed_frameworks(["pytorch"], {"pytorch": sys.argv[1]})
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_import_ends_with_its_parent_and_does_not_delay_it(tmp_path: Path, how: signal.Signals) -> None:
    """An import may take minutes; this one ends when somebody writes to a FIFO, which nobody does."""
    scratch, started, fifo = (tmp_path / name for name in ("scratch", "started", "fifo"))
    scratch.mkdir()
    os.mkfifo(started)
    os.mkfifo(fifo)
    code = f"import os; print(os.getpid(), file=open({str(started)!r}, 'w')); open({str(fifo)!r}).read()"
    python = environment_with(tmp_path / "env", torch=code)
    variables = {**os.environ, "TMPDIR": str(scratch)}
    parent = subprocess.Popen([sys.executable, "-c", INTERRUPTED, python], env=variables, stdout=subprocess.PIPE)
    child = psutil.Process(int(started.read_text()))
    parent.send_signal(how)
    assert parent.communicate(timeout=60)[0] == (b"interrupted\n" if how == signal.SIGINT else b"")
    psutil.wait_procs([child], timeout=60)
    assert not child.is_running()
    assert how == signal.SIGKILL or list(scratch.iterdir()) == []
