"""Read many runs and make their rows, on all cores: the numbers of a run are computed from its trials each time."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from typing import Final

from joulemark.suite.errors import JoulemarkError
from joulemark.suite.machine import default_threads
from joulemark.suite.results.history.rows import Row, rows
from joulemark.suite.results.store import load_path, one_file
from joulemark.suite.trial.processes import die_with_parent

Made = tuple[Path, int, list[Row] | str]
"""A run's file, its modification time in ns, and its rows, or why it cannot be read."""

SHARE: Final = 200
"""Runs that are worth a process: it takes half a second to start, and a run some milliseconds."""

_CHUNK: Final = 20


def read_rows(sources: Sequence[Path], share: int = SHARE) -> Iterator[Made]:
    """Yield the rows of the runs in `sources`, in their order; files that are gone meanwhile are left out.

    There is a process for each core and `share` runs at most, and none for fewer than twice as many.
    """
    workers = min(default_threads(), len(sources) // share)
    done = 0
    # Without shared memory (some containers) there are no processes; one may be killed. This process reads the rest.
    with suppress(OSError, ImportError, NotImplementedError, BrokenProcessPool):
        for made in _in_processes(sources, workers) if workers > 1 else ():
            done += 1
            if made is not None:
                yield made
    yield from filter(None, map(_read, sources[done:]))


def _in_processes(sources: Sequence[Path], workers: int) -> Iterator[Made | None]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_start_worker) as pool:
        yield from pool.map(_read, sources, chunksize=_CHUNK)


def _start_worker() -> None:
    # The process that asked answers Ctrl-C, and ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(signal.SIGKILL)


def _read(source: Path) -> Made | None:
    """Return the rows of one run; None if its file is gone, as a journal is that has become a run file."""
    try:
        mtime_ns = source.stat().st_mtime_ns
        with one_file(str(source)):
            return source, mtime_ns, rows(load_path(source))
    except FileNotFoundError:
        return None
    except JoulemarkError as error:
        return (source, 0, str(error)) if source.exists() else None
