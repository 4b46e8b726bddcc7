"""Log the windows of one meter, or one training, to experiment trackers. Whatever fails there loses no measurement."""

from __future__ import annotations

import atexit
import os
import threading
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from joulemark.measurement import Measurement
from joulemark.suite import trackers
from joulemark.suite.system.clock import monotonic_s
from joulemark.suite.system.scratch import scratch_directory
from joulemark.suite.trackers.base import Row, Tracker, metric_name
from joulemark.tracking.page import write_page
from joulemark.tracking.values import tags, window_row

LONG_S = 1.0
"""A window of this length is logged at its end: reading it takes a tenth of that."""
PERIOD_S = 10.0
"""Shorter ones are logged together, once in so many seconds."""


Active = Mapping[str, Sequence[Tracker]]
"""Runs that a program has begun, by what names them in `track`."""
Result = TypeVar("Result")


class TrackingLog:
    """The trackers of one meter, and what is still to be logged there."""

    def __init__(self, track: object, name: str, describe: Callable[[], Mapping[str, str]]) -> None:
        """Log to what `track` names; `describe` returns the parameters of the meter `name`. Imports no tracker.

        Raises:
            UsageError: where `track` names no tracker, or one that is not installed.
        """
        self.name = metric_name(name)
        self._named = trackers.check(track)
        self._describe = describe
        self._lock = threading.RLock()
        self._own: dict[object, Tracker] = {}
        """Runs that were begun here, and objects that were given, by what names them."""
        self._open: dict[str, Tracker] = {}
        """All that were logged to, by title."""
        self._described: set[str] = set()
        self._failed: set[object] = set()
        """Titles, and names that no run could be begun of. Each is reported once."""
        self._pending: list[tuple[tuple[Tracker, ...], Measurement, int]] = []
        self._count = 0
        self._flushed_s: float | None = None
        self._process = os.getpid()
        self.prefix = f"joulemark/{self.name}"

    def load(self) -> None:
        """Import the trackers' packages, which takes seconds. Does nothing the second time."""
        for named in self._named:
            if named not in self._failed:
                self._guarded(named, f"{named} cannot be imported", partial(trackers.load, [named]))

    def add(self, measurement: Measurement) -> None:
        """Log a window that has just ended, or have it logged with those that follow."""
        with self._lock:
            if not self._pending:
                self._ends_with_the_program()
            self._pending.append((self.targets(), measurement, self._count))
            self._count += 1
            is_late = self._flushed_s is None or monotonic_s() - self._flushed_s >= PERIOD_S
            if is_late or measurement.duration_s >= LONG_S:
                self.flush()

    def flush(self) -> None:
        """Log all windows that are not logged yet."""
        with self._lock:
            pending, self._pending = self._pending, []
            by_title: dict[str, list[Row]] = {}
            for targets, measurement, index in pending:
                for tracker in targets:
                    by_title.setdefault(tracker.title, []).append(window_row(self.prefix, measurement, index))
            for title, rows in by_title.items():
                self.log([self._open[title]], rows, [measurement for _, measurement, _ in pending])
            self._flushed_s = monotonic_s()

    def active(self, contexts: Sequence[Tracker] = ()) -> Active:
        """Return the runs that the program has begun, of each tracker that is named; `contexts` are further ones."""
        found: dict[str, list[Tracker]] = {}
        for named in self._named:
            if named == trackers.ACTIVE:
                found[named] = [*(self._guarded("runs", "active runs are not found", trackers.active) or ()), *contexts]
            elif isinstance(named, str):
                runs = self._guarded("runs", "active runs are not found", partial(trackers.active, [named]))
                found[named] = runs or []
        return found

    def targets(self, active: Active | None = None) -> tuple[Tracker, ...]:
        """Return the runs to log to: those that are `active` (default: now), else one of its own for each tracker."""
        active = self.active() if active is None else active
        found: list[Tracker] = []
        for named in self._named:
            runs = active.get(named, []) if isinstance(named, str) else []
            if not runs and named == trackers.ACTIVE:
                self._report(trackers.ACTIVE, "track is active, but no run of MLflow or Weights & Biases is")
            found += runs or ([] if named == trackers.ACTIVE else self._of_own(named))
        self._open = {tracker.title: tracker for tracker in found} | self._open
        return tuple(dict.fromkeys(self._open[tracker.title] for tracker in found))

    def log(self, targets: Sequence[Tracker], rows: Sequence[Row], measurements: Sequence[Measurement]) -> None:
        """Log `rows` to `targets`, with what is known of `measurements` the first time."""
        for tracker in targets:
            if tracker.title not in self._described and measurements:
                self._described.add(tracker.title)
                self._attempt(tracker, lambda to: to.describe(self._describe(), tags(self.name, measurements)))
            self._attempt(tracker, lambda to: to.log(rows))

    def attach(self, run_file: Path, targets: Sequence[Tracker] | None = None) -> None:
        """Attach a run file and its page; to all runs that were logged to, unless `targets` are given."""
        targets = [*self._open.values()] if targets is None else targets
        targets = [tracker for tracker in targets if tracker.title not in self._failed]
        if not targets or not run_file.exists():
            return
        with scratch_directory() as folder:
            page, problem = write_page(run_file, folder)
            if page is None:
                self._report("page", f"the page of {run_file} could not be written: {problem}")
            for tracker in targets:
                self._attempt(tracker, lambda to: to.attach([run_file, *([page] if page is not None else [])]))

    def close(self) -> None:
        """Log what is left, and end the runs that were begun here."""
        if self._process != os.getpid():  # a forked child has the parent's windows
            return
        self.flush()
        for named, tracker in [*self._own.items()]:
            if isinstance(named, str):
                self._attempt(tracker, lambda to: to.close())
                self._open.pop(tracker.title, None)
                del self._own[named]

    def _of_own(self, named: Any) -> list[Tracker]:
        key = named if isinstance(named, str) else id(named)
        if key not in self._own and key not in self._failed:
            stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
            is_name = isinstance(named, str)
            begin = (lambda: trackers.new(named, self.name, stamp)) if is_name else (lambda: trackers.of_object(named))
            made = self._guarded(key, f"no run of {named} could be begun, and nothing is logged there", begin)
            if made is not None:
                self._own[key] = made
        return [self._own[key]] if key in self._own else []

    def _attempt(self, tracker: Tracker, action: Callable[[Tracker], None]) -> None:
        """Do something in a tracker's package. Once it has failed there, nothing more is tried."""
        if tracker.title not in self._failed:
            problem = f"{tracker.title} failed, and is not logged to any more"
            self._guarded(tracker.title, problem, lambda: action(tracker))

    def _guarded(self, key: object, problem: str, action: Callable[[], Result]) -> Result | None:
        """Return what `action` does; None with a notice where it fails, in a package or service of others."""
        try:
            return action()
        except Exception as error:  # noqa: BLE001 - the user's program must go on
            self._report(key, f"{problem}: {_text(error)}")
            return None

    def _report(self, key: object, problem: str) -> None:
        if key not in self._failed:
            self._failed.add(key)
            warnings.warn(f"joulemark: {problem}. The measurement is complete.", RuntimeWarning, stacklevel=2)

    def _ends_with_the_program(self) -> None:
        atexit.unregister(self.close)
        atexit.register(self.close)  # after those of the trackers that are in use, and so before these are called


def _text(error: Exception) -> str:
    """Return an error of another's package as one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:300].rstrip(".")
