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
    interpreter = query(sys.executable, names=())
    assert interpreter.protocol == protocol()
    assert (interpreter.arm.interpreter, interpreter.arm.python) == (sys.executable, platform.python_version())
    assert interpreter.arm.suite_version == __version__
    assert interpreter.arm.frameworks == installed_frameworks((), {})
    assert interpreter.workloads["matmul"] == {name: workloads()["matmul"].version(name) for name in FRAMEWORKS}
    assert interpreter.workloads.keys() == workloads().keys()


def test_an_interpreter_without_joulemark_is_refused(tmp_path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    python = str(tmp_path / "bare" / "bin" / "python")
    with pytest.raises(UsageError, match=rf"{python} -m pip install joulemark"):
        query(python, names=())


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
        query(python, names=())
    assert detail in str(caught.value)
    assert python in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_interpreter_is_refused(tmp_path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        query(str(tmp_path / "nowhere"), names=())


def test_output_of_a_start_up_file_is_ignored(tmp_path) -> None:
    python = program(tmp_path / "python", f'echo "welcome"; exec {sys.executable} "$@"')
    assert query(python, names=()).arm.suite_version == __version__


@pytest.mark.slow
def test_frameworks_that_are_named_are_imported() -> None:
    interpreter = query(sys.executable, ["pytorch"])
    assert interpreter.arm.frameworks == installed_frameworks(["pytorch"], {})
    if "tensorflow" in interpreter.arm.frameworks:
        assert interpreter.arm.frameworks["tensorflow"].build == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("echo 'ImportError: libcudnn.so.9: no such file' >&2; exit 1", "ImportError: libcudnn.so.9"),
        ("echo 'not JSON'", "not JSON"),
        ("echo 7", "FrameworkInfo"),
    ],
    ids=["error", "no JSON", "a number"],
)
def test_an_interpreter_that_gives_no_answer_makes_the_framework_broken(tmp_path, text, reason) -> None:
    python = program(tmp_path / "python", text)
    info = installed_frameworks(["pytorch"], {"pytorch": python})["pytorch"]
    assert (info.python, info.devices) == ("", ())
    assert reason in str(info.broken_reason)
    assert "\n" not in str(info.broken_reason)


def test_a_framework_that_another_interpreter_does_not_have_is_absent(tmp_path) -> None:
    python = program(tmp_path / "python", "echo null")
    assert "pytorch" not in installed_frameworks(["pytorch"], {"pytorch": python})
