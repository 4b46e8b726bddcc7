"""Blocks of Python in the docs compile, and use of joulemark what it has; those of README and docs/meter.md run."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import environment
from documented import python_blocks

import joulemark

BLOCKS = list(python_blocks())
CALLBACKS = {"KerasCallback", "LightningCallback", "TrainerCallback"}
OWN_ARGUMENTS = {"steps", "save", "name"}
"""Of the callbacks, beside those of `Meter`; tests/joulemark/test_callbacks.py uses them."""
METER = set(inspect.signature(joulemark.Meter).parameters)

STAND_INS = """
def train():
    sum(range(10**6))
loader = [[0.0] * 4] * 3
"""
"""What a reader's program has, where the blocks name it."""


def misuses(text: str) -> Iterator[str]:
    """Return names and arguments that joulemark does not have."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and is_joulemark(node.func.value):
            known = {"Meter": METER}.get(node.func.attr)
            if node.func.attr in CALLBACKS:
                known = METER | OWN_ARGUMENTS
            given = {keyword.arg for keyword in node.keywords}
            if known is not None and not given <= known:
                yield f"joulemark.{node.func.attr} has no {given - known}"
        if isinstance(node, ast.Attribute) and is_joulemark(node.value):
            submodule = Path(joulemark.__file__).parent / node.attr
            if node.attr not in joulemark._MODULES and not hasattr(joulemark, node.attr) and not submodule.exists():
                yield f"joulemark has no {node.attr}"


def is_joulemark(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "joulemark"


@pytest.mark.parametrize(("place", "text"), BLOCKS)
def test_it_uses_what_there_is(place: str, text: str) -> None:
    assert list(misuses(text)) == [], place


def test_a_misuse_is_found() -> None:
    assert list(misuses("joulemark.Meter(grid='CH')\njoulemark.none()")) == [
        "joulemark.Meter has no {'grid'}",
        "joulemark has no none",
    ]


@pytest.mark.slow
def test_blocks_that_measure_run(tmp_path: Path) -> None:
    wanted = [text for place, text in BLOCKS if place in ("README.md", "docs/meter.md") and "joulemark.Meter(" in text]
    assert len(wanted) == 2
    program = STAND_INS + "".join(f"\nexec({text!r})\n" for text in wanted)
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env=environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"\d [mk]?J .*\d [nµm]?g CO2e", done.stdout)
    assert (
        len(json.loads((tmp_path / "step.json").read_text())["cases"][0]["trials"]) == 3 + 3
    )  # a call in a block is a window in a window
