"""Nothing that is written holds a secret of the command line or the environment, and no child process inherits one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command import environment as user_environment
from command import joulemark

from joulemark.suite.sensors.external_tracker import ExternalTracker
from joulemark.suite.sensors.sampler import Sampler
from joulemark.suite.trial import environment
from joulemark.suite.trial.discover import run_module
from joulemark.suite.trial.fork_server_client import ForkServer

pytestmark = pytest.mark.slow

SECRET = "hunter2-s3cr3t"
VARIABLES = {
    "ELECTRICITYMAPS_API_TOKEN": SECRET,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "PIP_INDEX_URL": f"https://jane:{SECRET}@host/simple",
    "NCCL_AUTH_TOKEN": SECRET,
    "TORCH_EXTRA": f"--token={SECRET}",
}


def files_with(text: str, directory: Path) -> list[str]:
    """Return the files below `directory` that hold `text`."""
    return [str(path) for path in directory.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    "command",
    [
        ("env", "true", f"--password={SECRET}"),
        ("env", f"DB_PASSWORD={SECRET}", "true"),
        ("true", "--token", SECRET),
        ("true", f"https://jane:{SECRET}@host/data"),
        ("sh", "-c", f"export API_KEY={SECRET}; true"),
        ("true", SECRET),  # the value of a variable
    ],
)
def test_a_measured_command_keeps_no_secret(tmp_path: Path, command: tuple[str, ...]) -> None:
    options = ("--out", str(tmp_path / "out"), "--sensor", "simulated:rapl/constant", "--offline")
    done = joulemark(tmp_path, "measure", *options, "--", *command, variables=VARIABLES)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out").iterdir())) >= 2
    assert files_with(SECRET, tmp_path) == []
    assert SECRET not in done.stdout + done.stderr


def test_a_meter_keeps_no_secret(tmp_path: Path) -> None:
    program = (
        "import sys, joulemark\n"
        "with joulemark.Meter(offline=True) as meter: pass\n"
        "meter.save('run.json')\n"
        "assert sys.argv[1] == '--password'\n"
    )
    subprocess.run(
        [sys.executable, "-c", program, "--password", SECRET],
        cwd=tmp_path,
        env=user_environment(tmp_path, **VARIABLES),
        check=True,
    )
    assert (tmp_path / "run.json").exists()
    assert files_with(SECRET, tmp_path) == []


def inherited(pid: int) -> str:
    """Return the variables that a process was started with (proc(5))."""
    return Path(f"/proc/{pid}/environ").read_text()


def test_the_helpers_inherit_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    with Sampler.start(tmp_path / "trace", 0.0) as sampler:
        assert SECRET not in inherited(sampler.process.pid)
    tracker = ExternalTracker.start()
    assert SECRET not in inherited(tracker.process.pid)
    tracker.stop(0.0)


def test_trials_inherit_no_secret(tmp_path: Path) -> None:
    built = environment.build({**VARIABLES, "PATH": "/bin", "NCCL_DEBUG": "INFO"}, 1, tmp_path)
    assert SECRET not in repr(built)
    assert built.kept == {"NCCL_DEBUG": "INFO"}
    server = ForkServer("pytorch", {**built.variables})
    try:
        assert SECRET not in inherited(server.pid)
    finally:
        server.close()


def test_another_interpreter_inherits_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nenv > {tmp_path}/env\necho '{{}}'\n")
    python.chmod(0o755)
    assert run_module(str(python), "interpreter", [], 60.0) == {}
    assert SECRET not in (tmp_path / "env").read_text()
