"""A meter: windows of somebody's own code, on the sensors that runs are measured with."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from joulemark import meter_process as helpers
from joulemark.measurement import Amount, Document, Measurement, Reading, unknown
from joulemark.suite.errors import JoulemarkError, MeasurementError, UsageError
from joulemark.synchronise import synchronise

AT_ONCE = 1000
"""Windows that are asked for together: so many take the helper a second or two."""

Function = TypeVar("Function", bound=Callable[..., Any])


class Meter:
    """Joules and grams of a block, a function, or each turn of a loop.

    with joulemark.Meter(zone="CH") as meter: ...        # meter.energy, meter.emissions, meter.readings
    @joulemark.Meter("step")                             # also of a coroutine function
    meter.start(); ...; meter.stop()                     # one Meter may be used many times: meter.measurements

    A window touches nothing but a clock: sensors are read by a helper process, which the first meter starts before
    its window opens, and readings are made when they are asked for. Meters may be nested, one in itself too.
    """

    def __init__(
        self,
        name: str = "meter",
        *,
        zone: str | None = None,
        coordinates: str | None = None,
        data_center: str | None = None,
        intensity: float | str | None = None,
        pue: float | str | None = None,
        psf: float | None = None,
        offline: bool | None = None,
        sensor: str | Sequence[str] = (),
        device: str | Sequence[str] = (),
        sync: bool | Callable[[], object] = False,
        item: str = "run",
        about: dict[str, Any] | None = None,
    ) -> None:
        """What is not given is as `joulemark run` has it: from the environment or the settings file, else a default.

        name: of the case in a saved run file. zone, ..., psf, sensor: as the options of `joulemark run`.
        device: boards that the code uses, `cuda:0`, or `cpu` for none of them (default: all that it can see).
        sync: True to wait for the devices of the frameworks at both ends of a window, or a function that does.
        item: what `meter.items` counts. about: more for the saved case, such as `framework` or `batch_size`.
        """
        if not isinstance(name, str):
            raise UsageError(f"a meter's name is text, found {name!r}. Write @joulemark.Meter().")
        if not (isinstance(sync, bool) or callable(sync)):
            raise UsageError(f"sync is True, False or a function, found {sync!r}.")
        if not isinstance(about, dict | None):
            raise UsageError(f"about is a dict, found {about!r}.")
        given = {
            "zone": zone,
            "coordinates": coordinates,
            "data_center": data_center,
            "intensity": intensity,
            "pue": pue,
            "psf": psf,
            "offline": offline,
            "device": [device] if isinstance(device, str) else list(device),
        }
        self.name = name
        self.items: int | None = None
        """Items done in the window that is open, or in the last one: set it for joules an item in a saved file."""
        self._given = {key: value for key, value in given.items() if value not in (None, [])}
        self._sensors = (sensor,) if isinstance(sensor, str) else tuple(sensor)
        self._about = {"item": item, **(about or {})}
        self._sync = synchronise if sync is True else (sync or None)
        self._helper: helpers.MeterProcess | None = None
        self._trouble = ""
        self._process = 0
        self._measurements: list[Measurement] = []
        self._items: list[int] = []
        self._waiting: list[Measurement] = []
        self._local = threading.local()
        self._lock = threading.Lock()

    def start(self) -> Self:
        """Open a window. JoulemarkError where an argument cannot be met."""
        self.prepare()
        self._begins().append(self.mark())
        return self

    def stop(self) -> Measurement:
        """Close the window opened last in this thread."""
        end_s = self.mark()
        if not self._begins():
            raise UsageError(f"{self.name} was stopped, but not started in this thread.")
        return self.add(self._begins().pop(), end_s)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __call__(self, function: Function) -> Function:
        """`function`, each call of it a window. Calls may overlap."""

        @functools.wraps(function)
        def measured(*arguments: Any, **named: Any) -> Any:
            self.prepare()
            begin_s = self.mark()
            try:
                return function(*arguments, **named)
            finally:
                self.add(begin_s, self.mark())

        @functools.wraps(function)
        async def awaited(*arguments: Any, **named: Any) -> Any:
            self.prepare()
            begin_s = self.mark()
            try:
                return await function(*arguments, **named)
            finally:
                self.add(begin_s, self.mark())

        chosen: Any = awaited if inspect.iscoroutinefunction(function) else measured
        found: Function = chosen
        return found

    def window(self, begin_s: float, end_s: float) -> Measurement:
        """The measurement of any window between two marks; it is not one of `measurements`."""
        measurement = Measurement(begin_s, end_s, self._resolve)
        self._waiting.append(measurement)
        return measurement

    def add(self, begin_s: float, end_s: float, items: int | None = None) -> Measurement:
        """The window between two marks as one of `measurements`, of `items` items (else `meter.items`, else 1)."""
        measurement = self.window(begin_s, end_s)
        self._measurements.append(measurement)
        self._items.append(items or self.items or 1)
        return measurement

    def clear(self) -> None:
        """Forget all measurements."""
        self._measurements, self._items = [], []

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """All windows that were closed, in the order of their ends."""
        return tuple(self._measurements)

    @property
    def last(self) -> Measurement:
        """The window that was closed last. JoulemarkError where none was."""
        if not self._measurements:
            raise UsageError(f"{self.name} has measured nothing yet: close its window first.")
        return self._measurements[-1]

    @property
    def duration_s(self) -> float:
        """Length of the last window, seconds."""
        return self.last.duration_s

    @property
    def energy(self) -> Amount:
        """Joules of the last window; waits until the sensors have spoken for its end, about a tenth of a second."""
        return self.last.energy

    @property
    def facility_energy(self) -> Amount:
        """Joules of the last window times the PUE."""
        return self.last.facility_energy

    @property
    def emissions(self) -> Amount:
        """Grams of CO2-equivalent of the last window."""
        return self.last.emissions

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The last window's joules by component."""
        return self.last.readings

    def sums_j(self, windows: Sequence[tuple[float, float]]) -> list[float | None]:
        """Attributed joules of any windows (CLOCK_MONOTONIC) since the first start; None for what was not measured."""
        try:
            return [
                energy_j
                for first in range(0, len(windows), AT_ONCE)
                for energy_j in self._ask(do="sums", windows=list(windows[first : first + AT_ONCE]))["energy_j"]
            ]
        except JoulemarkError:
            return [None] * len(windows)

    def save(
        self,
        path: str | os.PathLike[str],
        step_s: Sequence[Sequence[float]] | None = None,
        steps_per_block: Sequence[int] | None = None,
    ) -> Path:
        """Write a run file with every window as a trial; `joulemark report PATH` makes its page.

        `step_s`: for each window the durations of its steps where they were marked, seconds, `steps_per_block` of them
        (else one) together.
        JoulemarkError where nothing was measured or the file cannot be written.
        """
        self.last  # noqa: B018 - says so where there is none
        answer = self._ask(
            do="save",
            path=os.path.abspath(path),
            name=self.name,
            about=self._about,
            windows=[(window.begin_s, window.end_s) for window in self._measurements],
            items=self._items,
            step_s=step_s,
            steps_per_block=steps_per_block,
            command=sys.argv,
        )
        return Path(answer["path"])

    def prepare(self) -> None:
        """Have the sensors read from now on, as the first `start` in a process does. JoulemarkError as there."""
        if self._process == os.getpid():
            return
        helper = None
        try:
            helper = helpers.shared(self._sensors)
            helper.ask(do="check", given=self._given, name=self.name, about=self._about)
        except MeasurementError as error:
            # No sampling: the program goes on, and its windows say why they have no joules.
            self._trouble = str(error)
            warnings.warn(f"joulemark: {error}", RuntimeWarning, stacklevel=4)
        self._process, self._helper = os.getpid(), helper

    def _ask(self, **request: Any) -> Document:
        """The helper's answer. JoulemarkError with the reason where there is none."""
        if self._process != os.getpid():
            raise MeasurementError(f"{self.name} was started in another process")
        if self._helper is None:
            raise MeasurementError(self._trouble)
        return self._helper.ask(given=self._given, **request)

    def mark(self) -> float:
        """CLOCK_MONOTONIC in seconds, read after the devices have finished where `sync` asks for that."""
        if self._sync is not None:
            self._sync()
        return time.monotonic()

    def _begins(self) -> list[float]:
        """When the open windows of this thread began."""
        if not hasattr(self._local, "begins"):
            self._local.begins = []
        begins: list[float] = self._local.begins
        return begins

    def _resolve(self) -> None:
        """Ask for the readings of all windows that have none yet, at once."""
        with self._lock:
            while some := self._waiting[:AT_ONCE]:
                try:
                    answers = self._ask(do="read", windows=[(w.begin_s, w.end_s) for w in some])["windows"]
                except JoulemarkError as error:
                    answers = [unknown(str(error), window.duration_s) for window in some]
                for window, answer in zip(some, answers, strict=True):
                    window.answer = answer
                del self._waiting[: len(some)]  # not before: Ctrl-C leaves them waiting
