"""Log a finished run to experiment trackers."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

from joulemark.suite import trackers
from joulemark.suite.errors import UsageError
from joulemark.suite.records import RunFile
from joulemark.suite.system.text import one_line
from joulemark.suite.terminal.console import print_message


def check_track(track: Sequence[str] | None) -> tuple[str, ...]:
    """Return the trackers that are named. UsageError where one is not known or not installed. Imports none."""
    names: tuple[str, ...] = trackers.check(list(track or ()))
    if trackers.ACTIVE in names:
        raise UsageError(f"--track active is for joulemark.Meter in your program. Name {trackers.FORMS}.")
    return names


def log_run(names: Sequence[str], run_file: RunFile, path: Path, page: Path | None) -> list[dict[str, str | None]]:
    """Log the run at `path` to the trackers `names`, and print where. Return `tracker`, `run` and `problem` of each.

    A tracker that fails is one line: the run is kept in any case.
    """
    from joulemark.suite.results.export import tracked

    done: list[dict[str, str | None]] = []
    for name in names:
        title, problem = None, None
        with contextlib.redirect_stdout(sys.stderr):  # where links are printed, by some
            try:
                trackers.load([name])
                tracker = trackers.new(name, "joulemark", run_file.run.id)
                title = tracker.title
                tracker.describe(tracked.parameters(run_file), tracked.tags(run_file))
                tracker.log(tracked.rows(run_file))
                tracker.attach([path, *([page] if page is not None else [])])
                tracker.close()
            except Exception as error:  # noqa: BLE001 - of another's package or service
                problem = one_line(f"{type(error).__name__}: {error}")[:300].rstrip(".")
        if problem is None:
            print_message(f"Logged:   {title}")
        else:
            print_message(f"Not logged to {title or name}: {problem}. The run is kept: {path}")
        done.append({"tracker": name, "run": title, "problem": problem})
    return done
