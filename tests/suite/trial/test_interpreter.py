"""What another Python says of itself, and what becomes of one that cannot be an arm."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from joulemark import __version__
from joulemark.suite.errors import UsageError
from joulemark.suite.trial import discover
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.trial.interpreter import query
from joulemark.suite.trial.request import protocol
from joulemark.workloads.registry import workloads


def program(path: Path, text: str) -> str:
    """An executable that stands where an interpreter is asked for."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_this_interpreter_says_what_it_is() -> None:
    found = query(sys.executable, ask_devices=False)
    assert found.protocol == protocol()
    assert (found.arm.interpreter, found.arm.python) == (sys.executable, platform.python_version())
    assert found.arm.suite_version == __version__
    assert found.arm.frameworks == discover.installed_frameworks(list(FRAMEWORKS), {}, ask_devices=False)
    assert found.workloads["matmul"] == {name: workloads()["matmul"].version(name) for name in FRAMEWORKS}
    assert found.workloads.keys() == workloads().keys()


def test_a_python_without_joulemark_is_said_to_have_none(tmp_path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    python = str(tmp_path / "bare" / "bin" / "python")
    with pytest.raises(UsageError, match=rf"^{python} has no joulemark in it: install it there"):
        query(python, ask_devices=False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo 'python: No module named joulemark.suite.trial.identify' >&2; exit 1", "joulemark that is too old"),
        (
            "echo \"Error (ModuleNotFoundError: No module named 'joulemark')\" >&2; exit 1",
            "has no joulemark in it",
        ),
        ("echo 'unknown option -P' >&2; exit 2", "cannot say what it is: unknown option -P"),
        ("echo hello", "cannot say what it is"),
        ("exit 3", "cannot say what it is: it said nothing"),
    ],
    ids=["old", "none", "refuses", "chats", "silent"],
)
def test_a_program_that_gives_no_answer_is_one_line(tmp_path, text, words) -> None:
    python = program(tmp_path / "python", text)
    with pytest.raises(UsageError) as caught:
        query(python, ask_devices=False)
    assert words in str(caught.value)
    assert python in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_run_is_refused(tmp_path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        query(str(tmp_path / "nowhere"), ask_devices=False)


def test_what_a_start_up_file_prints_does_not_matter(tmp_path) -> None:
    python = program(tmp_path / "python", f'echo "welcome"; exec {sys.executable} "$@"')
    assert query(python, ask_devices=False).arm.suite_version == __version__
    assert os.access(python, os.X_OK)


def test_a_framework_that_is_broken_is_not_called_absent(tmp_path) -> None:
    python = program(tmp_path / "python", "echo 'ImportError: libcudnn.so.9: no such file' >&2; exit 1")
    with pytest.raises(UsageError, match=r"pytorch of .* does not say what it is: ImportError: libcudnn"):
        discover.installed_frameworks(["pytorch"], {"pytorch": python}, ask_devices=False)
    silent = program(tmp_path / "silent", "echo 'not JSON'")
    with pytest.raises(UsageError, match="does not say what it is"):
        discover.installed_frameworks(["pytorch"], {"pytorch": silent}, ask_devices=False)
    absent = program(tmp_path / "absent", "echo null")
    assert discover.installed_frameworks(["pytorch"], {"pytorch": absent}, ask_devices=False) == {}
