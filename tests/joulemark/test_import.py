"""What `import joulemark` offers, and what an installation puts at top level."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest
from run_files import run_file

import joulemark
from joulemark.suite.records import RunFile, write


def test_a_run_file_is_read(tmp_path):
    path = tmp_path / "run.json"
    write(run_file(), path)
    assert joulemark.read(str(path)) == run_file()


def test_a_missing_file_is_one_line(tmp_path):
    path = tmp_path / "missing.json"
    with pytest.raises(joulemark.JoulemarkError, match=str(path)) as caught:
        joulemark.read(path)
    assert "\n" not in str(caught.value)


def test_public_names():
    assert sorted(joulemark.__all__) == [
        "Amount",
        "JoulemarkError",
        "Measurement",
        "Meter",
        "Reading",
        "__version__",
        "read",
    ]
    assert dir(joulemark) == sorted(joulemark.__all__)
    with pytest.raises(AttributeError, match="meter_of"):
        joulemark.meter_of  # noqa: B018


@pytest.mark.slow
@pytest.mark.parametrize(
    "look",
    [
        "import inspect; inspect.getmembers(joulemark)",
        "from joulemark import *; Meter, read",
        "import pydoc; pydoc.render_doc(joulemark)",
        "for name in dir(joulemark): getattr(joulemark, name)",
        "from unittest import mock; mock.create_autospec(joulemark)",
        "from freezegun import freeze_time\nwith freeze_time('2024-02-29'): pass",
    ],
)
def test_looking_through_the_module_imports_no_other_package(look: str) -> None:
    """And so needs none: no framework has to be installed."""
    code = f"import sys, joulemark\n{look}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, timeout=300)
    names = {name.partition(".")[0] for name in done.stdout.split()}
    assert names & {"torch", "tensorflow", "keras", "transformers", "lightning", "numpy", "pandas", "pydantic"} == set()
    assert "joulemark" in names


def test_names_that_bring_a_package_are_public_too() -> None:
    assert joulemark.RunFile is RunFile  # for callbacks see test_callbacks.py
    assert "RunFile" not in dir(joulemark)


def test_an_installation_puts_only_joulemark_at_top_level():
    """Of a wheel, its files; of an editable install, the folders that it adds to the module path."""
    files = importlib.metadata.files("joulemark")
    assert files is not None
    names = {file.parts[0] for file in files if file.parts[0] != ".."}  # a script lies outside site-packages
    paths = [Path(line) for name in names if name.endswith(".pth") for line in _lines(name)]
    importable = {name for name in names if not name.endswith((".pth", ".dist-info"))}
    importable |= {entry.name for path in paths for entry in path.iterdir()}
    assert importable - {"__pycache__"} == {"joulemark"}


def _lines(name: str) -> list[str]:
    (file,) = (file for file in importlib.metadata.files("joulemark") or () if str(file) == name)
    return file.read_text().splitlines()
