"""What a meter gives: joules and grams of one window, each with its kind, its interval and the reason if there is none.

Plain data, free of the harness.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True)
class Amount:
    """One number with all that it must carry."""

    value: float | None
    """None where it is not known, with the reason; never 0 for unknown."""
    unit: str
    """`J` or `g` (grams of CO2-equivalent)."""
    kind: str
    """The weakest among its parts: `counter`, `integrated` (power samples), `model` (an estimate), `unavailable`."""
    low: float | None = None
    """Lower end of the sensors' interval; None where a sensor does not say."""
    high: float | None = None
    lower_bound: bool = False
    """Whether a part was not measured, so that the true value is higher."""
    reason: str | None = None
    """Why there is no value, or what weakens it; None where there is nothing to say."""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Factors (low, high) that `intensity` and `pue` may be off by, where that is known."""

    def __float__(self) -> float:
        """The value. ValueError with the reason where there is none."""
        if self.value is None:
            raise ValueError(f"not measured: {self.reason}")
        return self.value


@dataclass(frozen=True)
class Reading:
    """The energy of one component in the window."""

    component: str
    """`package`, `dram`, `gpu`, `cpu` or `ram` (estimates), `psys`, `machine` (a wall meter)."""
    scope: str
    """Which one: `package-0`, a board's UUID, `host`. Always all of it, whichever programs used it."""
    kind: str
    attributed: bool
    """Whether it is in the total; other boards and what contains other parts are listed only."""
    energy_j: float | None
    """Joules; None where not measured, with the reason."""
    low_j: float | None = None
    high_j: float | None = None
    tick_s: float | None = None
    """Time between two updates of the sensor, seconds; None where unknown."""
    samples: int = 0
    reason: str | None = None
    sensor: str = ""


class Measurement:
    """One window. Its readings are made when they are first asked for, outside of the window."""

    def __init__(self, begin_s: float, end_s: float, resolve: Callable[[], None]) -> None:
        """`begin_s`, `end_s`: CLOCK_MONOTONIC; `resolve` fills `answer` in."""
        self.begin_s = begin_s
        self.end_s = end_s
        self.answer: Document | None = None
        self._resolve = resolve

    @property
    def duration_s(self) -> float:
        """Seconds."""
        return self.end_s - self.begin_s

    @property
    def readings(self) -> tuple[Reading, ...]:
        """Each component, those without a value too."""
        known = {part.name for part in fields(Reading)}
        return tuple(
            Reading(**{name: value for name, value in reading.items() if name in known})
            for reading in self._answered()["readings"]
        )

    @property
    def attributed_readings(self) -> tuple[Reading, ...]:
        """The readings that `energy` is the sum of."""
        return tuple(reading for reading in self.readings if reading.attributed and reading.energy_j is not None)

    @property
    def energy(self) -> Amount:
        """Joules of all attributed components: IT energy, gross."""
        return self._amount("energy")

    @property
    def facility_energy(self) -> Amount:
        """Joules times the PUE."""
        return self._amount("facility_energy")

    @property
    def emissions(self) -> Amount:
        """Grams of CO2-equivalent: facility energy times the grid's intensity."""
        return self._amount("emissions")

    @property
    def components(self) -> dict[str, float]:
        """Joules by component, attributed and measured ones only; several of one kind added up."""
        joules: dict[str, float] = {}
        for reading in self.attributed_readings:
            joules[reading.component] = joules.get(reading.component, 0.0) + (reading.energy_j or 0.0)
        return joules

    @property
    def intensity(self) -> Document:
        """What the grams were computed with: `g_per_kwh`, `source`, `zone`, ..."""
        return dict(self._answered()["intensity"])

    @property
    def scope(self) -> str:
        """What the total is the energy of, in words: no sensor tells programs apart."""
        return str(self._answered()["scope"])

    @property
    def notices(self) -> tuple[str, ...]:
        """What could make the result mislead, with the remedy."""
        return tuple(f"{notice['message']} {notice['remedy']}" for notice in self._answered()["notices"])

    def as_dict(self) -> Document:
        """All of it as plain data for a log."""
        return {"duration_s": self.duration_s, **self._answered()}

    def __str__(self) -> str:
        return str(self._answered()["text"])

    def _amount(self, name: str) -> Amount:
        given = self._answered()[name]
        return Amount(**{**given, "ranges": {key: tuple(pair) for key, pair in given["ranges"].items()}})

    def _answered(self) -> Document:
        if self.answer is None:
            self._resolve()
        assert self.answer is not None
        return self.answer


def unknown(reason: str, duration_s: float) -> Document:
    """The answer for a window that could not be read."""
    amount: Document = {"value": None, "kind": "unavailable", "reason": reason, "ranges": {}}
    return {
        "readings": [],
        "energy": {**amount, "unit": "J"},
        "facility_energy": {**amount, "unit": "J"},
        "emissions": {**amount, "unit": "g"},
        "intensity": {},
        "pue": {},
        "scope": "nothing was measured",
        "text": f"{duration_s:.3g} s; energy not measured: {reason}",
        "notices": [],
    }
