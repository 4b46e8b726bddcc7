"""What the name of a baseline means, and which error it gives if it means nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from run_files import run_file

from joulemark.suite.errors import NotComparableError, UsageError
from joulemark.suite.results import baselines


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JOULEMARK_HOME", str(tmp_path))
    for name in ("20261101T120000Z-aaaa", "20261102T120000Z-bbbb"):
        (tmp_path / f"{name}.json").write_text(run_file(id=name).model_dump_json())
    return tmp_path


def test_an_ambiguous_id_is_a_usage_error(runs: Path) -> None:
    assert baselines.load("20261101", runs).run.id == "20261101T120000Z-aaaa"
    with pytest.raises(UsageError, match=r"'2026' .*-aaaa .*-bbbb"):
        baselines.load("2026", runs)


@pytest.mark.parametrize("directory", [".", "nowhere"])
def test_a_missing_baseline_is_not_comparable(runs: Path, directory: str) -> None:
    with pytest.raises(NotComparableError, match="'main'"):
        baselines.load("main", runs / directory)


def test_an_unreadable_directory_is_a_usage_error(runs: Path) -> None:
    closed = runs / ("x" * 300)  # a name that no file system takes; permissions would not keep root out
    with pytest.raises(UsageError, match="cannot read"):
        baselines.load("main", closed)


@pytest.mark.parametrize("name", ["history", "latest", "../x", ".hidden", ""])
def test_reserved_and_invalid_names_are_refused(runs: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be called"):
        baselines.save(name, run_file())
