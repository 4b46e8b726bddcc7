"""Starting a module of this package in a child process, and the exchange of JSON lines with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from joulemark.suite.trial import processes

ECHO = """
import json, sys
from joulemark.suite.trial import processes
stdout = processes.claim_stdout()
for line in sys.stdin:
    print("printed by a library")
    print(json.dumps(json.loads(line) | {"file": processes.__file__}), file=stdout, flush=True)
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment with a module `echo`, and with a package `joulemark` of somebody else's."""
    (tmp_path / "joulemark").mkdir()
    (tmp_path / "joulemark" / "__init__.py").write_text("raise SystemExit('not this one')")
    (tmp_path / "echo.py").write_text(ECHO)
    return {**os.environ, "PYTHONPATH": str(tmp_path)}


def test_child_answers_and_imports_the_joulemark_of_its_parent(environment: dict[str, str]) -> None:
    process = processes.start_module("echo", environment)
    for number in (1, 2):
        processes.send_json(process, {"number": number})
        answer = processes.receive_json(process, timeout_s=60.0)
        assert answer == {"number": number, "file": processes.__file__}
    processes.stop(process, timeout_s=60.0)
    assert process.returncode == 0
    processes.stop(process, timeout_s=0.0)


def test_no_answer_in_time_is_none(environment: dict[str, str]) -> None:
    process = processes.start_module("echo", environment)
    assert processes.receive_json(process, timeout_s=0.0) is None
    processes.stop(process, timeout_s=0.0)
    assert process.returncode is not None


def test_child_that_has_ended_gives_none() -> None:
    process = processes.start_module("joulemark.no_such_module")
    process.wait()
    processes.send_json(process, {"number": 1})
    assert processes.receive_json(process, timeout_s=60.0) is None
    processes.stop(process, timeout_s=0.0)
    assert process.returncode == 1


PARENT = """
import json, os, signal, subprocess, sys, time
code = "import os, signal, sys, time; from joulemark.suite.trial import processes;"
code += "processes.die_with_parent(signal.SIGKILL); print(os.getpid(), flush=True);"
code += "time.sleep(20); os.write(2, b'survived')"
child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
print(child.stdout.readline(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_child_dies_with_its_parent() -> None:
    # The child inherits the pipe of standard error: `run` returns once the child has ended too.
    done = subprocess.run([sys.executable, "-c", PARENT], capture_output=True, check=False)
    assert int(done.stdout) > 0
    assert done.stderr == b""
