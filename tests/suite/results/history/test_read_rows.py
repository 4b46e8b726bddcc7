"""Rows of many runs are those of each alone, in order, whichever process made them."""

from __future__ import annotations

from pathlib import Path

import pytest
from run_files import run_file

from joulemark.suite.records import write
from joulemark.suite.results.history.read_rows import read_rows


@pytest.mark.slow
def test_processes_make_the_same_rows_in_the_same_order(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.json" for number in range(8)]
    for path in paths:
        write(run_file(), path)
    paths[3].write_text("damaged")
    paths[5].unlink()
    alone = list(read_rows(paths))
    assert [path for path, _, _ in alone] == [path for path in paths if path != paths[5]]
    assert [type(rows) for _, _, rows in alone] == [list, list, list, str, list, list, list]
    assert list(read_rows(paths, share=1)) == alone
