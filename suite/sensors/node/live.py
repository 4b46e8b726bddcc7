"""What the live sensors of the whole node share: their channels, their first read, and how they are looked for."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from joulemark.suite.energy.components import MACHINE
from joulemark.suite.energy.plausibility import CEILING_W
from joulemark.suite.errors import UsageError
from joulemark.suite.records import Channel
from joulemark.suite.sensors.base import Finding, FindResult, Sensor, SensorOptions, UnreadableError

PERIOD_S: Final = 0.93
"""Controllers and plugs update about once a second, or more seldom; reads do not keep step with that."""
# ENERGY STAR's programme for servers (version 3.0, section 5.3) wants input power within 5 %, over 30 s at most: twice
# that is allowed, as for a meter of class 1.
CONTROLLER_GAIN: Final = (0.90, 1.10)
CONTROLLER_GAIN_SOURCE: Final = "gain +-10 % (ENERGY STAR's 5 %, twice)"
PLUG_GAIN: Final = (0.98, 1.02)
PLUG_GAIN_SOURCE: Final = "gain +-2 % (class 1 meter, twice)"


class LiveSensor(Sensor):
    """The power or the energy of the whole node, asked for at each read."""

    period_s = PERIOD_S

    def __init__(self, channels: Sequence[Channel], read: Callable[[], Sequence[float | None]], what: str) -> None:
        """`read` returns a value for each channel, and raises UnreadableError where there is none; `what` is read."""
        super().__init__(channels)
        self._read, self.what = read, what

    def read(self) -> Sequence[float | None]:
        return self._read()


Open = Callable[[str, Mapping[str, str]], LiveSensor]
"""(argument, environment) -> sensor. UsageError for what is no argument, UnreadableError where nothing can be read."""


def machine_channels(
    units: Sequence[str], scope: str, source: str, gain: tuple[float, float], identity: str
) -> list[Channel]:
    """Return the channels of a sensor of the whole machine: joules where it counts them, and watts."""
    return [
        Channel(
            component=MACHINE,
            scope=scope,
            unit="J" if unit == "J" else "W",
            kind="counter" if unit == "J" else "integrated",
            coverage=1.0 if unit == "J" else 0.0,  # nothing says what a value is the mean of
            gain=gain,
            source=source,
            identity=identity,
        )
        for unit in units
    ]


def look_for(name: str, opened: Open, options: SensorOptions) -> FindResult:
    """Return the sensor called `name`, or why it cannot be read."""
    try:
        sensor = opened(options.argument, options.credentials)
    except UnreadableError as error:
        return FindResult(None, (error.finding(name),))
    except UsageError as error:
        return FindResult(None, (Finding(name, found=False, readable=False, reason=str(error)),))
    return FindResult(sensor, (Finding(name, found=True, readable=True, reason=f"reads {sensor.what}"),))


@functools.lru_cache(maxsize=16)
def check_use(opened: Open, argument: str) -> None:
    """Raise UsageError unless the sensor can be read now: before anything runs, not at its end.

    Once in a process: a slow controller takes seconds, and each of several steps asks.
    """
    opened(argument, os.environ).close()


def checked(sensor: LiveSensor) -> LiveSensor:
    """Return `sensor` if it shows what a computer may draw. UnreadableError otherwise, and where there is no value."""
    values = sensor.read()
    for channel, value in zip(sensor.channels, values, strict=True):
        if value is None or not value >= 0 or (channel.unit == "W" and not 0 < value <= CEILING_W):
            sensor.close()
            shown = "no value" if value is None else f"{value:g} {channel.unit}"
            raise UnreadableError(f"{sensor.what} shows {shown}, which cannot be of a computer that is on")
    return sensor
