"""Rows of many runs are those of each alone, in order, whichever process made them."""

from __future__ import annotations

import shlex
import subprocess
import sys
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


@pytest.mark.slow
def test_without_shared_memory_one_process_reads_all(tmp_path: Path) -> None:
    """Containers may have no writable /dev/shm, without which Python starts no pool of processes."""
    for number in range(2):
        write(run_file(), tmp_path / f"{number}.json")
    mounted = "mount -t tmpfs -o ro none /dev/shm"
    if subprocess.run(["unshare", "-m", "sh", "-c", mounted], capture_output=True, check=False).returncode:
        pytest.skip("not permitted to mount a file system over /dev/shm")
    code = (
        "from pathlib import Path; from joulemark.suite.results.history.read_rows import read_rows;"
        f"print(len(list(read_rows(sorted(Path({str(tmp_path)!r}).glob('*.json')), share=1))))"
    )
    command = f"{mounted} && exec {sys.executable} -c {shlex.quote(code)}"
    done = subprocess.run(["unshare", "-m", "sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout == "2\n", done.stderr
