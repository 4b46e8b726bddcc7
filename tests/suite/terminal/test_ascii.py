"""Output in encodings that lack some characters."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from command import COMMAND, environment
from places import DOCS

from joulemark.suite.terminal.ascii import REPLACEMENTS, to_ascii


def test_every_replacement_is_ascii() -> None:
    text = to_ascii("".join(REPLACEMENTS))
    assert text.isascii()
    assert "?" not in text
    assert to_ascii("ü") == "?"


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437"])
def test_run_is_shown_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    done = subprocess.run(
        [*COMMAND, "show", str(DOCS / "results" / "quick-2-cores.json")],
        env=environment(tmp_path, PYTHONIOENCODING=encoding),
        capture_output=True,
        check=True,
    )
    text = done.stdout.decode(encoding)
    assert "CO2e per 1,000 items" in text
    assert "?" not in text
