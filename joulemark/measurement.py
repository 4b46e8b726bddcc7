"""What a meter returns for one window: energy and emissions, each with its kind, its interval and what is missing.

Plain data that imports nothing of the harness.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True)
class Amount:
    """An amount of energy or emissions, and how far it can be believed.

    `float(amount)` gives the value, and raises ValueError with the reason where there is none.
    """

    value: float | None
    """None where it is not known, with the reason; never 0 for unknown."""
    unit: str
    """`J`, or `g` for grams of CO2-equivalent."""
    kind: str
    """The weakest among its components: `counter`, `integrated` (power samples), `model` (an estimate) or
    `unavailable`."""
    low: float | None = None
    """Lower end of the sensors' interval; None where a sensor does not state its accuracy."""
    high: float | None = None
    """Upper end of the sensors' interval."""
    lower_bound: bool = False
    """Whether a component was not measured, so that the true value is higher."""
    reason: str | None = None
    """Why there is no value, or what weakens it."""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Factors (low, high) that `intensity` and `pue` may be off by, where known."""

    def __float__(self) -> float:
        if self.value is None:
            raise ValueError(f"not measured: {self.reason}")
        return self.value


@dataclass(frozen=True)
class Reading:
    """The energy of one component in a window, whichever programs used it."""

    component: str
    """`package`, `dram`, `gpu`, `cpu` or `ram` (estimates), `psys`, `machine` (a wall meter, a
    plug or the management controller)."""
    scope: str
    """Which one: `package-0`, the UUID of a GPU, `host`."""
    kind: str
    """`counter`, `integrated`, `model` or `unavailable`, as for `Amount`."""
    attributed: bool
    """Whether it is part of the total. Other GPUs, and what contains other components, are only listed."""
    energy_j: float | None
    """Joules; None where not measured, with the reason."""
    low_j: float | None = None
    """Lower end of the sensor's interval, joules; None where the sensor does not state its accuracy."""
    high_j: float | None = None
    """Upper end of the sensor's interval, joules."""
    tick_s: float | None = None
    """Update period of the sensor, seconds; None where unknown."""
    publication_lag_s: float | None = None
    """How late the sensor publishes its values, which times were corrected for, seconds; None where unknown."""
    samples: int = 0
    """Sensor samples in the window."""
    reason: str | None = None
    """Why there is no value, or what weakens it."""
    sensor: str = ""
    """The sensor's name, such as `rapl` or `nvml`."""


class Measurement:
    """One window of a meter.

    The first use of any attribute but `duration_s` reads the sensors' trace. It waits until it covers the end of the
    window, about a tenth of a second.
    """

    def __init__(self, begin_s: float, end_s: float, resolve: Callable[[], None]) -> None:
        """Make a measurement that is not read yet.

        Args:
            begin_s: CLOCK_MONOTONIC at the start of the window, seconds.
            end_s: CLOCK_MONOTONIC at its end, seconds.
            resolve: Sets `result` of this measurement.
        """
        self.begin_s = begin_s
        self.end_s = end_s
        self.items: int | None = None
        """Items done in it; None where none were set."""
        self.result: Document | None = None
        self._resolve = resolve

    @property
    def duration_s(self) -> float:
        """Length of the window, seconds."""
        return self.end_s - self.begin_s

    @property
    def readings(self) -> tuple[Reading, ...]:
        """All readings, also those without a value and those that are not part of the total."""
        known = {field.name for field in fields(Reading)}
        return tuple(
            Reading(**{name: value for name, value in reading.items() if name in known})
            for reading in self._resolved()["readings"]
        )

    @property
    def energy(self) -> Amount:
        """IT energy: the sum of all attributed components, joules. Idle power is included.

        Where a sensor of the whole machine is all that measured, it is that sensor's.
        """
        return self._amount("energy")

    @property
    def facility_energy(self) -> Amount:
        """IT energy times the power usage effectiveness (PUE), joules."""
        return self._amount("facility_energy")

    @property
    def emissions(self) -> Amount:
        """Facility energy times the grid's carbon intensity, grams of CO2-equivalent."""
        return self._amount("emissions")

    @property
    def components(self) -> dict[str, float]:
        """Joules by component, of those that are attributed and measured; several of one kind are added up."""
        energy_j: dict[str, float] = {}
        for reading in self.readings:
            if reading.attributed and reading.energy_j is not None:
                energy_j[reading.component] = energy_j.get(reading.component, 0.0) + reading.energy_j
        return energy_j

    @property
    def intensity(self) -> Document:
        """The carbon intensity behind `emissions`: `g_per_kwh`, `source`, `zone` and more."""
        return dict(self._resolved()["intensity"])

    @property
    def scope(self) -> str:
        """What the total covers, in words: no sensor separates programs."""
        return str(self._resolved()["scope"])

    @property
    def source(self) -> str:
        """Where the total comes from, in words: `measured (nvml); host estimated, not in the sums`."""
        return str(self._resolved()["source"])

    @property
    def notices(self) -> tuple[str, ...]:
        """What may make the result misleading, with the remedy."""
        return tuple(f"{notice['message']} {notice['remedy']}" for notice in self._resolved()["notices"])

    def as_dict(self) -> Document:
        """Return everything as plain data, for a log or a JSON file."""
        return {"duration_s": self.duration_s, **self._resolved()}

    def __str__(self) -> str:
        return str(self._resolved()["text"])

    def _repr_html_(self) -> str:
        from joulemark.notebook.measurement_html import measurement_html

        return measurement_html(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _amount(self, name: str) -> Amount:
        values = self._resolved()[name]
        return Amount(**{**values, "ranges": {key: tuple(pair) for key, pair in values["ranges"].items()}})

    def _resolved(self) -> Document:
        if self.result is None:
            self._resolve()
        assert self.result is not None
        return self.result


def unavailable(reason: str, duration_s: float) -> Document:
    """Return the result of a window that could not be read."""
    amount: Document = {"value": None, "kind": "unavailable", "reason": reason, "ranges": {}}
    return {
        "readings": [],
        "energy": {**amount, "unit": "J"},
        "facility_energy": {**amount, "unit": "J"},
        "emissions": {**amount, "unit": "g"},
        "intensity": {},
        "pue": {},
        "scope": "nothing was measured",
        "source": "not measured",
        "text": f"{duration_s:.3g} s; energy not measured: {reason}",
        "notices": [],
    }
