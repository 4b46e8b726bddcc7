"""What a baseline's name means, and what is said where it means nothing."""

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


def test_a_name_that_could_be_several_runs_is_a_question_and_no_lack(runs: Path) -> None:
    assert baselines.load("20261101", runs).run.id == "20261101T120000Z-aaaa"
    with pytest.raises(UsageError, match=r"'2026' could be .*-aaaa or .*-bbbb: give more of the id"):
        baselines.load("2026", runs)


@pytest.mark.parametrize("where", [".", "nowhere"])
def test_what_is_not_there_is_nothing_to_compare_with(runs: Path, where: str) -> None:
    with pytest.raises(NotComparableError, match="no baseline 'main'"):
        baselines.load("main", runs / where)


def test_a_place_where_one_cannot_look_is_said(runs: Path) -> None:
    closed = runs / ("x" * 300)  # a name that no file system takes; permissions would not keep root out
    with pytest.raises(UsageError, match="cannot read"):
        baselines.load("main", closed)
