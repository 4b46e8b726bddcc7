"""`joulemark run` with options that cannot be met, and `--dry-run`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import joulemark
from environments import stand_in

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["--workload", "matmull"], ["'matmull'", "Did you mean 'matmul'?", "attention"]),
        (["--framework", "mxnet"], ["'mxnet'", "pytorch", "tensorflow"]),
        (["--phase", "learning"], ["'learning'", "training"]),
        (["--mode", "lazy"], ["'lazy'", "xla"]),
        (["--precision", "int8"], ["'int8'", "bf16"]),
        (["--device", "cuda:9", "--framework", "pytorch"], ["'cuda:9'", "cpu"]),
        (["--profile", "fast"], ["'fast'", "quick"]),
        (["--intensity", "-3"], ["-3"]),
        (["--rounds", "0"], ["rounds", "0"]),
        (["--threads", "two"], ["--threads", "integer"]),
        (["--allocator", "jemalloc"], ["jemalloc", "retain"]),
        (["--python", "tensorflow"], ["FRAMEWORK=PATH"]),
        (["--python", "pytorch=/nowhere/python", "--framework", "pytorch"], ["/nowhere/python"]),
        (["-k", "cnn and"], ["cnn and"]),
        (["-k", "nosuchcase", "--framework", "pytorch"], ["nothing is selected", "'nosuchcase'", "matmul:"]),
        (["--mode", "xla", "--framework", "pytorch"], ["nothing is selected"]),
        (["--out", "/proc/nowhere", "--framework", "pytorch"], ["/proc/nowhere", "--out"]),
        (["--nonsense"], ["--nonsense"]),
    ],
    ids=" ".join,
)
def test_bad_input_is_one_line_and_exit_2(tmp_path: Path, arguments: list[str], texts: list[str]) -> None:
    done = joulemark(tmp_path, "run", "--python", f"pytorch={stand_in(tmp_path)}", *arguments)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for text in texts:
        assert text in done.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--zone", "XQ"], "'XQ'"),
        (["--pue", "0.5", "--dry-run"], "PUE is 0.5"),
        (["--out", "/dev/null"], "--out is a directory; /dev/null is a file."),
        (["--size", "huge"], "'huge'"),
    ],
)
def test_what_needs_no_framework_is_checked_before_one_is_imported(
    tmp_path: Path, arguments: list[str], text: str
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\n")
    python.chmod(0o755)
    done = joulemark(tmp_path, "run", "--framework", "pytorch", "--python", f"pytorch={python}", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert text in done.stderr
    assert not (tmp_path / "asked").exists()


def test_dry_run_lists_the_cases(tmp_path: Path) -> None:
    dry_run = ("run", "--dry-run", "--framework", "pytorch", "--python", f"pytorch={stand_in(tmp_path)}")
    document = json.loads(joulemark(tmp_path, *dry_run, "--json").stdout)
    assert document["schema_version"] == 1
    assert document["cases"]
    shown = joulemark(tmp_path, *dry_run)
    assert all(case["id"] in shown.stdout for case in document["cases"])
