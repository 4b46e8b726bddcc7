"""The carbon intensity at present, asked for in a thread: a slow service holds nothing up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from joulemark.suite.errors import JoulemarkError
from joulemark.suite.meter.grid_cache import GridCache
from joulemark.suite.records import Emissions, Notice, Settings

PERIOD_S = 60.0
"""Values may be by the quarter of an hour. The service is asked once an hour (`suite.meter.grid_cache`)."""


class Grid:
    """The present value, and what became of the last attempt to have a newer one."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        """Have the first value. UsageError where the settings cannot be met. `clock` is in seconds."""
        self._settings, self._clock = settings, clock
        self._cache = GridCache()
        self._thread: threading.Thread | None = None
        self.notices: tuple[Notice, ...] = ()
        self.problem: str | None = None
        """Why the value is older than it could be; None if it is not."""
        now = datetime.now(UTC)
        self.emissions, self.notices = self._cache.inputs(settings, (now, now))
        self._asked_s = clock()

    def current(self) -> Emissions:
        """Return the value that is known, and begin to ask for a newer one where it is old."""
        is_idle = self._thread is None or not self._thread.is_alive()
        if is_idle and self._clock() - self._asked_s >= PERIOD_S:
            self._asked_s = self._clock()
            self._thread = threading.Thread(target=self._ask, name="carbon intensity", daemon=True)
            self._thread.start()
        return self.emissions

    def _ask(self) -> None:
        now = datetime.now(UTC)
        try:
            self.emissions, self.notices = self._cache.inputs(self._settings, (now, now))
            self.problem = None
        except (JoulemarkError, OSError) as error:  # the user's file has gone, or is being written
            self.problem = str(error)
