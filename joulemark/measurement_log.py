"""The measurements of a meter, and the last of them."""

from __future__ import annotations

from collections.abc import Sequence

from joulemark.measurement import Amount, Measurement, Reading
from joulemark.suite.errors import UsageError
from joulemark.window_reader import WindowReader


class MeasurementLog:
    """All windows that a meter has measured; `energy` and the like are those of the last."""

    def __init__(self, name: str, reader: WindowReader) -> None:
        """Start an empty log for the meter `name`; `reader` reads its windows."""
        self.name = name
        self.items: int | None = None
        """Items done in the open window, or in the last one. Set it for energy per item in a saved file."""
        self._reader = reader
        self._measurements: list[Measurement] = []
        self._items: list[int] = []

    def window(self, begin_s: float, end_s: float) -> Measurement:
        """Return the measurement of any window between two `mark`s. It is not added to `measurements`."""
        return self._reader.measurement(begin_s, end_s)

    def add(self, begin_s: float, end_s: float, items: int | None = None) -> Measurement:
        """Add the window between two `mark`s to `measurements`, with `items` items (default: `self.items`, else 1)."""
        measurement = self.window(begin_s, end_s)
        self._measurements.append(measurement)
        self._items.append(items or self.items or 1)
        return measurement

    def clear(self) -> None:
        """Forget all measurements."""
        self._measurements, self._items = [], []

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """All closed windows, in the order of their ends."""
        return tuple(self._measurements)

    @property
    def last(self) -> Measurement:
        """The window that was closed last. JoulemarkError where there is none."""
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

        Args:
            windows: Begin and end of each, as `mark` returned them, since the first `start` or `prepare`.
        """
        return self._reader.sums_j(windows)
