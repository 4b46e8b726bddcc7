"""The runs that a verb's arguments name, of which each may be a directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from joulemark.suite.cluster import job_file
from joulemark.suite.errors import JoulemarkError, UsageError
from joulemark.suite.records import RunFile
from joulemark.suite.results.store import find_all, load_path, one_file
from joulemark.suite.system.text import one_line
from joulemark.suite.terminal.console import print_message
from joulemark.suite.units import counted


def named_runs(
    names: Sequence[str], directory: Path | None, is_wanted: Callable[[RunFile], bool] = lambda _: True
) -> list[tuple[Path, RunFile]]:
    """Return the runs that `names` name, and of a directory those that can be read and are wanted, oldest first.

    Prints a line for each file of a directory that cannot be read, and how many there are.

    Args:
        names: Paths, ids, beginnings of ids, `latest`, directories, or ids and files of jobs on several nodes.
        directory: Where runs are kept that are not named by a path; None: nowhere.
        is_wanted: Whether a run of a directory is meant. One that is named by itself always is.

    Raises:
        UsageError: where there is no such run, or one that is named by itself cannot be read.
    """
    found: list[tuple[Path, RunFile]] = []
    unread: list[str] = []
    for name in names:
        if (job := job_file.find_exactly(name, directory)) is not None:
            found += ((Path(path), run_file) for path, run_file in job_file.run_files(job_file.read(job), job.parent))
            continue
        paths, is_directory = find_all(name, directory)
        if is_directory:
            found += ((path, run_file) for path, run_file in _readable(paths) if is_wanted(run_file))
            continue
        try:
            with one_file(str(paths[0])):
                found.append((paths[0], load_path(paths[0])))
        except JoulemarkError as error:
            unread.append(str(error))
    if unread:
        for message in unread[:-1]:
            print_message(f"joulemark: {one_line(message)}")
        more = f" {len(unread)} of {len(names)} files cannot be read." if len(unread) > 1 else ""
        raise UsageError(unread[-1] + more)
    return found


def _readable(paths: Sequence[Path]) -> Iterator[tuple[Path, RunFile]]:
    left_out = 0
    for path in paths:
        try:
            with one_file(str(path)):
                yield path, load_path(path)
        except JoulemarkError as error:
            left_out += 1
            print_message(f"joulemark: left out: {one_line(str(error))}")
    if left_out > 1:
        print_message(f"joulemark: {left_out} of {counted(len(paths), 'file')} in {paths[0].parent} were left out.")
