"""Open RAPL counters: their accuracy, their update period, and the sensor that reads them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from joulemark.suite.records import Channel
from joulemark.suite.sensors import update_period
from joulemark.suite.sensors.base import Finding, Sensor, median_cost_s, slowest_tick_s

MEASURE_S = 0.03
"""For how long the update periods are measured: 30 updates of a millisecond (Intel SDM vol. 3B, 15.10). Those that
hypervisors emulate take a second and more, which only a trace can show."""
# No vendor states an error. Package power follows the plug closely on Haswell and newer (Khan et al., "RAPL in action",
# ACM TOMPECS 3(2), 2018): taken to be as good as a GPU's sensor. DRAM has an offset that differs between systems,
# largest at idle (Desrochers, Paradis, Weaver, "A validation of DRAM RAPL power measurements", MEMSYS 2016).
ERROR_RANGES = {"package": (0.95, 1.05), "psys": (0.95, 1.05), "dram": (0.8, 1.2)}
"""True over reported energy, low and high, for each component."""
DUPLICATE_CHECKS = 10
DUPLICATE_PAUSE_S = 0.01
"""Between two checks: ten updates."""


@dataclass
class Counter:
    """One counter. `descriptor` is None if it could not be opened; `source` then says why."""

    component: str
    scope: str
    descriptor: int | None
    source: str
    counts_per_joule: float
    read_count: Callable[[int], int]
    """Reads the open counter. May raise OSError and ValueError."""
    wrap_j: float | None = None
    highest_limit_w: float | None = None

    def count(self) -> int | None:
        """Return what the counter shows; None if it cannot be read."""
        if self.descriptor is None:
            return None
        try:
            return self.read_count(self.descriptor)
        except (OSError, ValueError):
            return None

    def read_j(self) -> float | None:
        count = self.count()
        return None if count is None else count / self.counts_per_joule

    def close(self) -> None:
        """Close the counter. Does nothing the second time."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


class RaplSensor(Sensor):
    """The open counters of one machine."""

    def __init__(self, name: str, counters: Sequence[Counter]) -> None:
        self.name = name
        self._counters = counters
        readers = {str(n): counter.read_j for n, counter in enumerate(counters) if counter.descriptor is not None}
        periods_s = update_period.measure(readers, MEASURE_S, pause_s=0.0)
        channels = [
            Channel(
                component=counter.component,
                scope=counter.scope,
                unit="J",
                kind="counter",
                tick_s=periods_s.get(str(n)),
                highest_limit_w=counter.highest_limit_w,
                gain=ERROR_RANGES[counter.component],
                source=counter.source,
            )
            for n, counter in enumerate(counters)
        ]
        super().__init__(channels, [counter.wrap_j for counter in counters])

    def finding(self) -> Finding:
        """Return what is read, how often it changes, and what a read costs."""
        opened = (
            f"{counter.component} {counter.scope}" for counter in self._counters if counter.descriptor is not None
        )
        reason, cost_s = f"reads {', '.join(opened)}", median_cost_s(self.read)
        return Finding(self.name, True, True, reason=reason, tick_s=slowest_tick_s(self.channels), read_cost_s=cost_s)

    def read(self) -> list[float | None]:
        return [counter.read_j() for counter in self._counters]

    def close(self) -> None:
        for counter in self._counters:
            counter.close()


def error_source(component: str) -> str:
    """Return what the error range of a component rests on, in words."""
    low, high = ERROR_RANGES[component]
    return f"gain {low:g} to {high:g}, assumed: no vendor states it (Khan et al. 2018, Desrochers et al. 2016)"


def without_duplicates(counters: Sequence[Counter], max_difference: float = float("inf")) -> list[Counter]:
    """Return `counters` without those that show the same register as an earlier one, which are closed. On some CPUs
    (Threadripper) all dies of a package show the package's counter: its energy must be counted once."""
    distinct: list[Counter] = []
    for counter in counters:
        neighbours = [
            earlier
            for earlier in distinct
            if earlier.component == counter.component and socket(earlier.scope) == socket(counter.scope)
        ]
        if any(is_same_counter(earlier.count, counter.count, max_difference) for earlier in neighbours):
            counter.close()
        else:
            distinct.append(counter)
    return distinct


def is_same_counter(
    first: Callable[[], int | None], second: Callable[[], int | None], max_difference: float = float("inf")
) -> bool:
    """Return whether two counters show one register.

    Their difference is then constant, and a read of one between two reads of the other never contradicts that.
    `max_difference` is what they may differ by at most: infinity if each counts from its own opening.
    """
    least, most = -max_difference, max_difference
    for _ in range(DUPLICATE_CHECKS):
        before, between, after = first(), second(), first()
        if before is None or between is None or after is None:
            return False
        least, most = max(least, before - between), min(most, after - between)
        if least > most:
            return False
        time.sleep(DUPLICATE_PAUSE_S)
    return True


def socket(scope: str) -> str:
    """Return the package of `scope`: `package-0-die-1` -> `package-0`."""
    return scope.partition("-die-")[0]
