"""Run files edited by hand, and how they are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from run_files import run_file

from joulemark.suite.errors import UsageError
from joulemark.suite.records import RunFile
from joulemark.suite.results.run_files import parse


def edited(path: str, value: Any, original: RunFile | None = None) -> str:
    """Return a run file as text with `value` at the dotted `path`; `...` removes what is there."""
    document = json.loads((original or run_file()).model_dump_json())
    parent: Any = document
    *parents, last = [int(name) if name.isdigit() else name for name in path.split(".")]
    for name in parents:
        parent = parent[name]
    if value is ...:
        del parent[last]
    else:
        parent[last] = value
    return json.dumps(document)


def refusal(text: str) -> str:
    """Return the one line that refuses `text`."""
    with pytest.raises(UsageError) as caught:
        parse(text, "run.json")
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith("run.json")
    assert len(line) < 400
    return line
