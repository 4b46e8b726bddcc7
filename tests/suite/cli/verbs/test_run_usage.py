"""`joulemark run` with options that cannot be met, and `--dry-run`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import joulemark

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["--workload", "matmull"], ["'matmull'", "Did you mean 'matmul'?", "cnn"]),
        (["--framework", "jax"], ["'jax'", "pytorch", "tensorflow"]),
        (["--zone", "XQ"], ["'XQ'"]),
        (["--size", "huge"], ["'huge'", "small"]),
        (["--phase", "learning"], ["'learning'", "training"]),
        (["--mode", "jit"], ["'jit'", "xla"]),
        (["--precision", "int8"], ["'int8'", "bf16"]),
        (["--device", "cuda:9"], ["'cuda:9'", "cpu"]),
        (["--profile", "fast"], ["'fast'", "quick"]),
        (["--pue", "0.5"], ["0.5", "1"]),
        (["--intensity", "-3"], ["-3"]),
        (["--rounds", "0"], ["rounds", "0"]),
        (["--threads", "two"], ["--threads", "integer"]),
        (["--allocator", "jemalloc"], ["jemalloc", "retain"]),
        (["--python", "tensorflow"], ["FRAMEWORK=PATH"]),
        (["--python", "tensorflow=/nowhere/python"], ["/nowhere/python"]),
        (["-k", "cnn and"], ["cnn and"]),
        (["-k", "nosuchcase"], ["nothing is selected", "'nosuchcase'", "matmul:"]),
        (["--mode", "compile", "--framework", "tensorflow"], ["nothing is selected"]),
        (["--out", "/dev/null"], ["--out is a directory; /dev/null is a file."]),
        (["--out", "/proc/nowhere"], ["/proc/nowhere", "--out"]),
        (["--nonsense"], ["--nonsense"]),
    ],
    ids=" ".join,
)
def test_bad_input_is_one_line_and_exit_2(tmp_path: Path, arguments: list[str], texts: list[str]) -> None:
    done = joulemark(tmp_path, "run", *arguments)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for text in texts:
        assert text in done.stderr


def test_dry_run_lists_the_cases(tmp_path: Path) -> None:
    document = json.loads(joulemark(tmp_path, "run", "--dry-run", "--json").stdout)
    assert document["schema_version"] == 1
    assert document["cases"]
    shown = joulemark(tmp_path, "run", "--dry-run")
    assert all(case["id"] in shown.stdout for case in document["cases"])
