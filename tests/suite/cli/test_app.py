"""The command itself: errors, exit codes, closed pipes and full disks."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from command import COMMAND, environment, joulemark
from environments import stand_in
from run_files import run_file

from joulemark.suite.cli import app
from joulemark.suite.cli.app import VERBS
from joulemark.suite.errors import StoppedError
from joulemark.suite.records import write


@pytest.mark.slow
def test_help_lists_every_verb(tmp_path: Path) -> None:
    done = joulemark(tmp_path)
    assert done.returncode == 0, done.stderr
    assert all(f" {verb} " in done.stdout for verb in VERBS)
    assert joulemark(tmp_path, "--help").stdout == done.stdout


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "baseline"])
def test_help_of_a_verb_is_its_docstring_and_all_its_options(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.build(verb)(["--help"] if verb == "schema" else [verb, "--help"], standalone_mode=False) == 0
    text = capsys.readouterr().out
    assert f"{verb} " in text
    assert "--help" in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "text"), [(["rnu"], "rnu"), (["baseline"], "save NAME"), (["--nonsense"], "nonsense")]
)
def test_bad_usage_is_one_line_and_exit_2(tmp_path: Path, arguments: list[str], text: str) -> None:
    done = joulemark(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.strip().splitlines()) == 1
    assert text in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["list"], ["show", "nothing"]], ids=" ".join)
def test_a_command_that_is_forked_does_what_one_that_is_started_does(tmp_path: Path, arguments: list[str]) -> None:
    """These tests fork most of them (`command.joulemark`)."""
    started = subprocess.run(
        [*COMMAND, *arguments], env=environment(tmp_path), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    forked = joulemark(tmp_path, *arguments)
    assert (forked.returncode, forked.stdout, forked.stderr) == (started.returncode, started.stdout, started.stderr)


@pytest.mark.slow
def test_verb_after_two_dashes(tmp_path: Path) -> None:
    assert json.loads(joulemark(tmp_path, "--", "schema").stdout)["title"] == "RunFile"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ("list --json", "workloads"),
        ("list --cases --framework pytorch --python pytorch=./python --json", "cases"),
        ("list --runs --json", "runs"),
        ("show 2026 --json", "cases"),
        ("run --dry-run --framework pytorch --python pytorch=./python --json", "cases"),
    ],
)
def test_json_is_one_object_on_standard_output(tmp_path: Path, arguments: str, key: str) -> None:
    stand_in(tmp_path)
    write(run_file(), tmp_path / "runs" / "20261101T120000Z-a1b2.json")
    done = joulemark(tmp_path, *arguments.split())
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema_version"] == 1
    assert document[key]


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["schema", "list"])
def test_closed_pipe_is_neither_a_traceback_nor_a_regression(tmp_path: Path, verb: str) -> None:
    command = f'set -o pipefail; "$@" {verb} | head -1'
    done = subprocess.run(
        ["bash", "-c", command, "bash", *COMMAND],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 141)  # 0 if all of it fitted into the pipe
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [["show", "latest"], ["schema"], ["list", "--json"], ["list"], ["--help"], ["--version"]], ids=" ".join
)
def test_full_disk_is_one_line_and_exit_2(tmp_path: Path, arguments: list[str]) -> None:
    write(run_file(), tmp_path / "runs" / "20261101T120000Z-a1b2.json")
    with open("/dev/full", "w") as full:
        done = joulemark(tmp_path, *arguments, streams=(full.fileno(), None))
    assert (done.returncode, done.stderr) == (2, "joulemark: cannot write the output: No space left on device.\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code"), [(["show", "missing"], 2), (["check", "--baseline", "missing"], 3), (["list"], 0)]
)
def test_a_full_disk_behind_standard_error_does_not_change_the_code(
    tmp_path: Path, arguments: list[str], code: int
) -> None:
    with open("/dev/full", "w") as full:
        done = joulemark(tmp_path, *arguments, streams=(None, full.fileno()))
    assert done.returncode == code


@pytest.mark.slow
def test_standard_output_that_is_open_for_reading_is_one_line(tmp_path: Path) -> None:
    with open("/dev/null") as null:
        done = joulemark(tmp_path, "list", streams=(null.fileno(), None))
    assert (done.returncode, done.stderr) == (2, "joulemark: cannot write the output: Bad file descriptor.\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("WORKLOADS = 3", "TypeError"),
        ("WORKLOADS = [3]", "WORKLOADS holds 3"),
        ("from joulemark.workloads.matmul.spec import WORKLOADS", "matmul is defined twice"),
        ("import nowhere_at_all", "nowhere_at_all"),
        ("", "'WORKLOADS'"),
    ],
)
def test_broken_workload_package_is_named_in_one_line(tmp_path: Path, source: str, text: str) -> None:
    (tmp_path / "others.py").write_text(source)
    metadata = tmp_path / "others-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[joulemark.workloads]\nmine = others\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = joulemark(tmp_path, "list", variables={"PYTHONPATH": path})
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "others" in done.stderr
    assert "'mine'" in done.stderr
    assert text in done.stderr


def test_ctrl_c_in_any_verb_has_a_message() -> None:
    def command() -> None:
        raise KeyboardInterrupt

    interruptible: Callable[..., object] = app._interruptible(command)
    with pytest.raises(StoppedError, match="interrupted"):
        interruptible()
