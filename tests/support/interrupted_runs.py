"""Runs of two cases, to be interrupted, and what is left of them."""

from __future__ import annotations

import json

from command import joulemark

MATMUL = ("run", "--profile", "fast", "--zone", "CH", "--workload", "matmul", "--no-report")
"""Two cases, one per framework."""


def show(home):
    shown = joulemark(home, "show", "latest", "--json")
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout)


def trials(document):
    return [trial for case in document["cases"] for trial in case["trials"]]


def files(home):
    return sorted(path.suffix for path in (home / "runs").iterdir())
