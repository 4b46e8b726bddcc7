"""What a sensor is, and the table of all sensors. A new sensor is one new file and one line here."""

from __future__ import annotations

import contextlib
import importlib
import statistics
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import cast

from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.records import Channel, GpuState

PERF_ROOT = "/sys/bus/event_source/devices/power"
"""Where Linux describes its energy events (Documentation/ABI/testing/sysfs-bus-event_source-devices-events)."""
CPU_ROOT = "/sys/devices/system/cpu"
"""Where Linux shows the package and die of each processor (Documentation/ABI/stable/sysfs-devices-system-cpu)."""
POWERCAP_ROOT = "/sys/class/powercap"
"""Where Linux shows RAPL (Documentation/power/powercap/powercap.rst)."""
DMI_ROOT = "/sys/class/dmi/id"
"""Where Linux shows the firmware's tables (Documentation/ABI/testing/sysfs-firmware-dmi-tables)."""
PROC_ROOT = "/proc"
COST_READS = 5


class Sensor(ABC):
    """A source of energy or power values, opened and read by one and the same thread."""

    name: str
    """The name of its trace: `rapl`, `nvml`, ..."""
    simulated: bool = False
    """Whether its values come from anything but this machine's hardware, now."""
    period_s: float = 0.093
    """The time between two reads, seconds. An expensive read is made less often. Reads must not keep step with updates
    of 20 or 100 ms: when these are would not be known (`suite.energy.update_times`)."""
    timestamp_s: float | None = None
    """CLOCK_MONOTONIC of the values last read; None for a sensor without timestamps, whose values are of the moment
    they are read."""

    def __init__(self, channels: Sequence[Channel], wrap_j: Sequence[float | None] | None = None) -> None:
        """`channels` are what it reads, with empty `values`. `wrap_j` has one entry for each channel: the joules at
        which its counter starts again from 0, None if it never does; without `wrap_j` none does."""
        self.channels = tuple(channels)
        self.wrap_j = (None,) * len(self.channels) if wrap_j is None else tuple(wrap_j)

    @abstractmethod
    def read(self) -> Sequence[float | None]:
        """Return one value for each channel, in its unit; None for a missed read. Counters are returned as they stand,
        wraps and resets included. Never raises for what a machine may do."""

    def states(self) -> Sequence[GpuState]:
        """Return the present state of each of its GPUs; the sampler fills in `t_s`. Most sensors have none."""
        return ()

    def close(self) -> None:  # noqa: B027 - most sensors hold nothing
        """Release all that it holds."""


@dataclass(frozen=True)
class Finding:
    """The outcome of looking for a sensor: one line of `joulemark doctor`."""

    name: str
    """The sensor, or one device of it: `rapl`, `nvml GPU-...`."""
    found: bool
    readable: bool
    reason: str | None = None
    """Why it is missing or unreadable, or what is read; None if there is nothing to say."""
    fix: str | None = None
    """What to do about it, a command where there is one; None if nothing helps."""
    tick_s: float | None = None
    """The update period of its value, seconds; None if it was not measured."""
    read_cost_s: float | None = None
    """The median time of one read, seconds; None if it was not read."""


class UnreadableError(UsageError):
    """A sensor that was named cannot be read: why, and what to do about it."""

    def __init__(self, reason: str, fix: str | None = None, present: bool = True, status: int | None = None) -> None:
        """`present`: whether there is such a sensor; `status`: that of the HTTP response, where it is the reason."""
        super().__init__(f"{reason}. {fix}" if fix else f"{reason}.")
        self.reason, self.fix, self.present, self.status = reason, fix, present, status

    def finding(self, name: str) -> Finding:
        """Return it as the finding of the sensor `name`."""
        return Finding(name, self.present, readable=False, reason=self.reason, fix=self.fix)


@dataclass(frozen=True)
class SensorOptions:
    """What opening a sensor depends on."""

    powercap_root: str = POWERCAP_ROOT
    perf_root: str = PERF_ROOT
    cpu_root: str = CPU_ROOT
    argument: str = ""
    """What follows the colon: the file of `replay:FILE`."""
    dmi_root: str = DMI_ROOT
    proc_root: str = PROC_ROOT
    update_periods: str = ""
    """The file that measured update periods are kept in; empty: they are not kept."""
    origin_monotonic_s: float = 0.0
    """CLOCK_MONOTONIC at `run.started_at`, seconds."""
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The variables with the credentials of sensors on the network."""
    calibrations: str = ""
    """The file of calibration records; empty: there is none."""


@dataclass(frozen=True)
class FindResult:
    """An open sensor, or None if it cannot be read, and findings that say why."""

    sensor: Sensor | None
    findings: tuple[Finding, ...] = ()


Find = Callable[[SensorOptions], FindResult]

SENSORS: Mapping[str, str] = MappingProxyType(
    {
        "rapl": "joulemark.suite.sensors.rapl.powercap",
        "perf": "joulemark.suite.sensors.rapl.perf_events",
        "nvml": "joulemark.suite.sensors.gpus.nvml",
        "amdsmi": "joulemark.suite.sensors.gpus.amd_smi",
        "power_model": "joulemark.suite.sensors.power_model.sensor",
        "codecarbon": "joulemark.suite.sensors.power_model.codecarbon",
        "simulated": "joulemark.suite.sensors.simulated",
        "replay": "joulemark.suite.sensors.replay",
        "meter": "joulemark.suite.sensors.wall_meter.sensor",
        "redfish": "joulemark.suite.sensors.node.redfish",
        "ipmi": "joulemark.suite.sensors.node.ipmi",
        "plug": "joulemark.suite.sensors.node.plug",
    }
)
"""The module of each sensor. It has `find(options: SensorOptions) -> FindResult` and, if the sensor takes an argument,
`check(argument: str)`, which raises UsageError for one that it cannot use."""
DEFAULT_SENSORS = ("rapl", "nvml", "amdsmi")
"""Opened unless a sensor is named."""
IPMI = "ipmi"
WHOLE_NODE = ("plug", "redfish", IPMI)
"""Live sensors of the whole node."""
ADDITIONAL = frozenset({"meter", *WHOLE_NODE})
"""Opened in addition to the default sensors when named, not in place of them: each measures the whole machine."""
MODELS = frozenset({"power_model", "codecarbon"})
"""Sensors that estimate."""
FALLBACKS = ("perf", "power_model")
"""Tried in this order as long as no sensor reads the CPU: another way to its counters, then an estimate."""


def finder(name: str) -> Find:
    """Return the function that opens the sensor called `name`. Raises UsageError for an unknown name."""
    if name not in SENSORS:
        raise unknown("sensor", name, SENSORS)
    return cast(Find, importlib.import_module(SENSORS[name]).find)


def split_request(request: str) -> tuple[str, str]:
    """Split `replay:FILE` into `replay` and `FILE`; the argument of a bare name is empty."""
    name, _, argument = request.partition(":")
    return name, argument


def check_request(request: str) -> None:
    """Raise UsageError if `request` has an unknown name, or an argument that its sensor cannot use."""
    name, argument = split_request(request)
    if name not in SENSORS:
        raise unknown("sensor", name, SENSORS)
    check_argument = getattr(importlib.import_module(SENSORS[name]), "check", None)
    if check_argument is not None:
        check_argument(argument)
    elif argument:
        raise UsageError(f"sensor {name} takes no argument, found {argument!r}. Give --sensor {name}.")


def credentials_for(requests: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of `environment` that the requested sensors log in with: `JOULEMARK_REDFISH_PASSWORD`."""
    prefixes = tuple(f"JOULEMARK_{name.upper()}_" for name in {split_request(r)[0] for r in requests} & {*WHOLE_NODE})
    return {name: value for name, value in environment.items() if prefixes and name.startswith(prefixes)}


def sensors_to_open(requests: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    """Return the sensors to open for `requests`, and whether fallbacks may follow if none of them reads the CPU."""
    if all(split_request(request)[0] in ADDITIONAL for request in requests):
        return (*DEFAULT_SENSORS, *requests), True
    return tuple(requests), False


def slowest_tick_s(channels: Sequence[Channel]) -> float | None:
    """Return the longest update period of `channels`, seconds; None where one of them is unknown."""
    ticks_s = [channel.tick_s for channel in channels]
    return max((tick_s for tick_s in ticks_s if tick_s is not None), default=None) if None not in ticks_s else None


def median_cost_s(read: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the median time of one call of `read` on `clock`, seconds. A read that fails costs time too."""
    costs_s = []
    for _ in range(COST_READS):  # the first may load libraries
        begin_s = clock()
        with contextlib.suppress(Exception):
            read()
        costs_s.append(clock() - begin_s)
    return statistics.median(costs_s)
