"""Finding runs by what somebody typed."""

from __future__ import annotations

import pytest

from suite.errors import UsageError
from suite.results import store


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("~nobody-of-this-name/x", "cannot read '~nobody-of-this-name/x'"),
        ("x" * 5000, "file name too long"),
        ("./", "is a folder"),
        ("20261101", "no runs are kept"),
    ],
)
def test_what_names_no_run_is_told_in_one_short_line(tmp_path, typed, said):
    with pytest.raises(UsageError) as error:
        store.find(typed, tmp_path)
    assert said in str(error.value)
    assert len(str(error.value)) < 400
    assert "\n" not in str(error.value)


def test_a_run_that_is_not_kept_is_not_echoed_at_length(tmp_path):
    (tmp_path / "20261101T120000Z-a1b2.json").write_text("{}")
    with pytest.raises(UsageError) as error:
        store.find("y" * 200, tmp_path)
    assert len(str(error.value)) < 400


def test_the_latest_is_a_run_and_no_other_file_beside_it(tmp_path):
    run = tmp_path / "20261101T120000Z-a1b2.json"
    for name in (run.name, "bench.json", "zebra.json"):
        (tmp_path / name).write_text("{}")
    assert store.find("latest", tmp_path) == run
    assert store.find("bench", tmp_path) == tmp_path / "bench.json"
