"""The measurements of a meter, and the last of them."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Sequence
from typing import Any

from joulemark.measurement import Amount, Measurement, Reading
from joulemark.open_windows import OpenWindows
from joulemark.suite.errors import UsageError
from joulemark.window_reader import WindowReader, WindowSum

LATEST_S = 1e10
"""CLOCK_MONOTONIC of three centuries."""


class MeasurementLog:
    """All windows that a meter has measured; `energy` and the like are those of the last."""

    def __init__(self, name: str, reader: WindowReader) -> None:
        """Start an empty log for the meter `name`; `reader` reads its windows."""
        self.name = name
        self._reader = reader
        self._open_windows = OpenWindows()
        self._measurements: list[Measurement] = []

    @property
    def items(self) -> int | None:
        """Items done in the innermost open window of this task or thread, for energy per item in a saved file.

        Without an open window: what those that follow here have until it is set in them, or what the last one had.
        `save` refuses what is not an integer above 0.
        """
        window = self._open_windows.innermost()
        if window is not None:
            items = window.items
        else:
            items = self._open_windows.next_items
            if items is None and self._measurements:
                items = self._measurements[-1].items
        return items  # type: ignore[no-any-return]

    @items.setter
    def items(self, items: int | None) -> None:
        self._open_windows.set_items(items)

    def window(self, begin_s: float, end_s: float) -> Measurement:
        """Return the measurement of any window between two `mark`s. It is not added to `measurements`.

        Args:
            begin_s: The earlier `mark`, seconds.
            end_s: The later one, seconds.

        Raises:
            JoulemarkError: where these are no two marks in this order.
        """
        _check_window(begin_s, end_s)
        return self._reader.measurement(begin_s, end_s)

    def add(self, begin_s: float, end_s: float, items: int | None = None) -> Measurement:
        """Add the window between two `mark`s to `measurements`, and return its measurement.

        Args:
            begin_s: The earlier `mark`, seconds.
            end_s: The later one, seconds.
            items: Items done in it (default: as `items` was set).

        Raises:
            JoulemarkError: where these are no two marks in this order.
        """
        return self._add(begin_s, end_s, self._open_windows.next_items if items is None else items)

    def _add(self, begin_s: float, end_s: float, items: Any) -> Measurement:
        measurement = self.window(begin_s, end_s)
        measurement.items = items
        if items is not None and not isinstance(items, bool):
            with contextlib.suppress(TypeError):  # what is no integer is kept, and refused when it is saved
                measurement.items = operator.index(items)
        self._measurements.append(measurement)
        return measurement

    @property
    def _items(self) -> list[Any]:
        """Items of each window, in the order of `measurements`; 1 where none were set."""
        return [1 if window.items is None else window.items for window in self._measurements]

    def clear(self) -> None:
        """Forget all measurements."""
        self._measurements = []

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """All closed windows, in the order of their ends."""
        return tuple(self._measurements)

    @property
    def last(self) -> Measurement:
        """The window that was closed last.

        Raises:
            JoulemarkError: where there is none.
        """
        if not self._measurements:
            raise UsageError(f"{self.name} has measured nothing yet: close its window first.")
        return self._measurements[-1]

    @property
    def duration_s(self) -> float:
        """Length of the last window, seconds."""
        return self.last.duration_s

    @property
    def energy(self) -> Amount:
        """Energy of the last window, joules. Waits until the sensors cover its end, about a tenth of a second."""
        return self.last.energy

    @property
    def facility_energy(self) -> Amount:
        """Energy of the last window times the power usage effectiveness (PUE), joules."""
        return self.last.facility_energy

    @property
    def emissions(self) -> Amount:
        """Emissions of the last window, grams of CO2-equivalent."""
        return self.last.emissions

    @property
    def readings(self) -> tuple[Reading, ...]:
        """Readings of the last window, by component."""
        return self.last.readings

    def sums_j(self, windows: Sequence[tuple[float, float]]) -> list[float | None]:
        """Return the energy of each of many windows, joules; None for one that was not measured.

        `component_sums` also has the energy by component.

        Args:
            windows: Begin and end of each, as `mark` returned them, since the first `start` or `prepare`, seconds.

        Raises:
            JoulemarkError: where one of them is no two marks in this order.
        """
        return [energy_j for energy_j, _ in self.component_sums(windows)]

    def component_sums(self, windows: Sequence[tuple[float, float]]) -> list[WindowSum]:
        """Return the energy of each of many windows, joules or None, and what `Measurement.components` would be."""
        for begin_s, end_s in windows:
            _check_window(begin_s, end_s)
        return self._reader.sums(windows)


def _check_window(begin_s: float, end_s: float) -> None:
    """Raise UsageError where a window is not from one mark to the same or a later one: it is read with others."""
    try:
        is_window = 0 <= begin_s <= end_s <= LATEST_S
    except (TypeError, ValueError):
        is_window = False
    if not is_window:
        raise UsageError(f"a window is from one mark to a later one, found {begin_s!r:.40} and {end_s!r:.40}.")
