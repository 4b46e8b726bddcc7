"""What `import joulemark` gives."""

from __future__ import annotations

import pytest
from run_files import run_file

import joulemark
from suite.results.records import write


def test_a_run_file_is_read(tmp_path):
    path = tmp_path / "run.json"
    write(run_file(), path)
    assert joulemark.read(str(path)) == run_file()


def test_what_is_none_is_one_line(tmp_path):
    with pytest.raises(joulemark.JoulemarkError, match="cannot read") as caught:
        joulemark.read(tmp_path / "nothing.json")
    assert "\n" not in str(caught.value)


def test_the_names_are_these():
    assert sorted(joulemark.__all__) == ["JoulemarkError", "RunFile", "__version__", "read"]
