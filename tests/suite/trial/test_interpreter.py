"""What another interpreter says of itself, and which ones cannot be an arm."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from joulemark import __version__
from joulemark.suite.errors import UsageError
from joulemark.suite.trial.discover import installed_frameworks
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.trial.interpreter import query
from joulemark.suite.trial.request import protocol
from joulemark.workloads.registry import workloads


def program(path: Path, text: str) -> str:
    """Write a shell script in place of an interpreter and return its path."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_this_interpreter_describes_itself() -> None:
    interpreter = query(sys.executable, ask_devices=False)
    assert interpreter.protocol == protocol()
    assert (interpreter.arm.interpreter, interpreter.arm.python) == (sys.executable, platform.python_version())
    assert interpreter.arm.suite_version == __version__
    assert interpreter.arm.frameworks == installed_frameworks(list(FRAMEWORKS), {}, ask_devices=False)
    assert interpreter.workloads["matmul"] == {name: workloads()["matmul"].version(name) for name in FRAMEWORKS}
    assert interpreter.workloads.keys() == workloads().keys()


def test_an_interpreter_without_joulemark_is_refused(tmp_path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    python = str(tmp_path / "bare" / "bin" / "python")
    with pytest.raises(UsageError, match=rf"{python} -m pip install joulemark"):
        query(python, ask_devices=False)


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("echo 'python: No module named joulemark.suite.trial.interpreter' >&2; exit 1", "upgrade"),
        ("echo \"Error (ModuleNotFoundError: No module named 'joulemark')\" >&2; exit 1", "pip install joulemark"),
        ("echo 'unknown option -P' >&2; exit 2", "unknown option -P"),
        ("echo hello", "could not be queried"),
        ("echo '{}'", "frameworks"),
        ("echo 7", "could not be queried"),
        ("exit 3", "no output"),
    ],
    ids=["too old", "no joulemark", "error", "no JSON", "no facts", "a number", "no output"],
)
def test_a_program_that_gives_no_answer_is_refused_in_one_line(tmp_path, text, detail) -> None:
    python = program(tmp_path / "python", text)
    with pytest.raises(UsageError) as caught:
        query(python, ask_devices=False)
    assert detail in str(caught.value)
    assert python in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_interpreter_is_refused(tmp_path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        query(str(tmp_path / "nowhere"), ask_devices=False)


def test_output_of_a_start_up_file_is_ignored(tmp_path) -> None:
    python = program(tmp_path / "python", f'echo "welcome"; exec {sys.executable} "$@"')
    assert query(python, ask_devices=False).arm.suite_version == __version__


def test_a_broken_framework_is_not_reported_as_absent(tmp_path) -> None:
    def installed(text: str) -> dict[str, object]:
        python = program(tmp_path / "python", text)
        return dict(installed_frameworks(["pytorch"], {"pytorch": python}, ask_devices=False))

    with pytest.raises(UsageError, match=r"pytorch in .*ImportError: libcudnn"):
        installed("echo 'ImportError: libcudnn.so.9: no such file' >&2; exit 1")
    with pytest.raises(UsageError, match="pytorch in "):
        installed("echo 'not JSON'")
    with pytest.raises(UsageError, match="pytorch in ") as caught:
        installed("echo 7")
    assert "\n" not in str(caught.value)
    assert installed("echo null") == {}
