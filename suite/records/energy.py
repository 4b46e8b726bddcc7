"""Power traces, and the energy readings computed from them."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from joulemark.suite.records.base import (
    Amount,
    Count,
    Factor,
    Gain,
    Number,
    Period,
    PositiveCount,
    Record,
    Seconds,
    Share,
    Time,
    Value,
    Watts,
    Window,
)

Kind = Literal["counter", "integrated", "model", "unavailable"]
"""How an energy was obtained, best first: from a hardware energy counter; from power samples integrated over time; from
a model of load and TDP; not at all."""

KINDS: tuple[Kind, ...] = ("counter", "integrated", "model", "unavailable")


class PublicationLag(Record):
    """How late a sensor publishes its values, as found from steps of the load."""

    lag_s: Time
    """From the moment of an update to when it can be read, seconds."""
    error_s: Seconds
    """95 % limit of its error, seconds."""
    steps: PositiveCount
    """Number of steps of the load that it is the median of."""
    method: str
    """How it was found: which steps, and where their times come from."""


class GainCalibration(Record):
    """What a meter of the whole machine showed of the gain of another sensor (`joulemark calibrate --meter`).

    A meter of the same extent gives the gain itself. For a part of the machine it bounds the gain from above: what the
    meter shows beyond it went into the power supply, fans and other parts.
    """

    sensor: str
    """The sensor whose channel was calibrated: `rapl`, `nvml`, `redfish`."""
    component: str
    scope: str
    call: str = ""
    """How the channel was read."""
    machine: str
    """Which machine: 12 hex digits."""
    made_at: str
    """ISO 8601, UTC."""
    meter: str
    """The sensor that it was compared with, and what that reads."""
    meter_identity: str = ""
    """Serial number or hardware address of the meter; empty if it gives none."""
    meter_gain: Gain
    """Limits of true over shown of the meter itself, which are part of the others here."""
    same_extent: bool
    """Whether both measure the whole machine."""
    gain: Gain
    """Low and high limits of true over reported; the low one of a part is the sensor's own."""
    machine_w_per_w: tuple[Factor, Factor] | None = None
    """By how many watts the machine's power rises for one that a part reports: 95 % interval; None for the same extent,
    and where the load did not vary."""
    load_w: tuple[Watts, Watts]
    """Lowest and highest power that the sensor reported meanwhile, watts."""
    windows: PositiveCount
    """Number of windows that were compared."""
    runs: tuple[str, ...] = ()
    """Ids of their runs."""
    unused: str | None = None
    """Why it was not used; None if it was."""


class Channel(Record):
    """One quantity that a sensor measures."""

    component: str
    """What uses the power: `package`, `dram`, `psys`, `gpu`, `module`, `cpu`, `ram` or `machine`."""
    scope: str
    """Which one: `package-0`, a GPU's UUID, or `host`."""
    unit: Literal["J", "W"]
    """`J`: cumulative energy since the trace began, with wraps and resets already undone; `W`: power."""
    kind: Kind
    """Kind of a reading made from this channel: `counter` for J, `integrated` or `model` for W."""
    tick_s: Period | None = None
    """Update period of the value, seconds; None if it was not measured."""
    average_s: Period = 0.0
    """Length of the boxcar filter that the sensor averages over, seconds; 0 if it does not average."""
    coverage: Share = 1.0
    """Share of each update period that the sensor observes: 0.25 if it observes 25 of every 100 ms."""
    publication_lag: PublicationLag | None = None
    """None if unknown: times are then not corrected for it."""
    limit_w: Watts | None = None
    """Power limit when the trace began, watts; None if unknown."""
    highest_limit_w: Watts | None = None
    """The highest power limit that can be set, watts; None if unknown."""
    gain: Gain = (1.0, 1.0)
    """Low and high limits of true over reported energy: a sensor's systematic error, constant on one device; or a
    model's error, which changes with the load."""
    source: str = ""
    """Where the value is read and where `gain` comes from."""
    evidence: str = ""
    """What a model's values rest on, in short; empty for a sensor's."""
    identity: str = ""
    """Serial number or hardware address of the instrument; empty if it gives none."""
    calibration: GainCalibration | None = None
    """The calibration record of this channel; None if it was not calibrated."""
    resets_s: tuple[Time, ...] = ()
    """When the counter was found to have restarted, or jumped for good, seconds: what it had counted since the read
    before is interpolated."""
    implausible_s: tuple[Time, ...] = ()
    """When the sensor showed what its hardware cannot have drawn or counted, seconds: that is left out of `values`."""
    values: tuple[Watts | None, ...] = ()
    """One value for each time in `Trace.t_s`, in `unit`; None if the read was missed."""

    @property
    def call(self) -> str:
        """How it is read: the call, file or register, in words."""
        return self.source.partition(";")[0]


class GpuState(Record):
    """The state of one GPU at one moment: what its power depends on beside the load."""

    t_s: Time
    """Seconds since `run.started_at`."""
    scope: str
    """UUID of the GPU."""
    temperature_c: Number | None = None
    """None if the GPU does not report it; so are the next four."""
    sm_clock_mhz: Amount | None = None
    memory_clock_mhz: Amount | None = None
    power_limit_w: Watts | None = None
    throttled: tuple[str, ...] | None = None
    """Why its clocks were reduced: `power_cap`, `thermal`, `power_brake`, `slowdown`; empty if they were not."""
    processes: Count | None = None
    """Compute processes on it, of any user; None if the driver does not report them."""


class Trace(Record):
    """Everything that one sensor measured in a run."""

    sensor: str
    simulated: bool = False
    t_s: tuple[Time, ...] = ()
    """When each value was read (the middle of the read), seconds since `run.started_at`, increasing."""
    read_cost_s: Seconds | None = None
    """Median duration of a read, seconds; None before the first read."""
    missed_deadlines: Count = 0
    """Number of reads that were more than one period late."""
    cpu_s: Seconds | None = None
    """CPU time that the sampler's thread spent on this sensor in the whole run, seconds; None if unknown."""
    channels: tuple[Channel, ...] = ()
    states: tuple[GpuState, ...] = ()
    """The GPUs about once a second; empty for sensors without any."""

    @model_validator(mode="after")
    def _check_lengths(self) -> Trace:
        for channel in self.channels:
            if len(channel.values) != len(self.t_s):
                raise ValueError(
                    f"channel {channel.component} of {self.sensor} has {len(channel.values)} values "
                    f"for {len(self.t_s)} times"
                )
        return self


class EnergyReading(Record):
    """The energy of one component in one window, with its uncertainty."""

    component: str
    scope: str
    kind: Kind
    attributed: bool
    """Whether the energy is attributed to the case; that of GPUs it does not use is listed only."""
    energy_j: Amount | None
    """Joules in the window; None, with a reason, if not measured."""
    low_j: Value | None = None
    """Lower end of the sensor's interval (gain and quantisation, not the spread between trials), joules."""
    high_j: Value | None = None
    gain: Gain = (1.0, 1.0)
    """The sensor's gain in `low_j` and `high_j`, true over reported energy: the part of the interval that scales. The
    rest of it is in joules, and adds."""
    repeated_error_j: Value = 0.0
    """The part of that rest that is the same in every trial, joules: the publication lag, where power steps at an end
    of the window. What remains is from sampling and differs from trial to trial."""
    publication_lag_s: Time | None = None
    """Publication lag that the sensor's times were corrected for, seconds; None if unknown."""
    tick_s: Period | None = None
    """Update period of the sensor, seconds; None if it was not measured."""
    time_error_s: Seconds | None = None
    """How far either end of the window may be off against the sensor's updates, seconds: half an update period where
    their times are not known."""
    samples: Count = 0
    """Sensor samples in the window."""
    implausible: Count = 0
    """Those of them that were left out, since the hardware cannot have shown them."""
    calibration: str | None = None
    """The calibration record that `gain` follows from, or why one was not used; None if there is none."""
    reason: str | None = None
    """Why `energy_j` is None, or what weakens it; None if there is nothing to say."""
    sensor: str = ""
    """Sensor whose trace the reading was made from."""
    residual: Number | None = None
    """Integrated power samples of the same component over the counter, less 1; None unless both exist."""
    in_step: bool = False
    """Whether the load may alias with a sensor that observes only part of each update period."""
    evidence: str = ""
    """What a model's value rests on, in short; empty for a sensor's."""

    @model_validator(mode="after")
    def _check_reason_and_kind(self) -> EnergyReading:
        if self.energy_j is None and not self.reason:
            raise ValueError(f"energy of {self.component} is null without a reason")
        if (self.energy_j is None) != (self.kind == "unavailable"):
            raise ValueError(f"energy of {self.component} is {self.energy_j} but its kind is {self.kind}")
        return self


class SecondOpinion(Record):
    """What another tool measured over the whole run, in a process of its own."""

    tool: str
    version: str
    window_s: Window
    """Interval that it covered, seconds since `run.started_at`."""
    energy_j: dict[str, Amount | None]
    """Joules of `cpu`, `ram` and `gpu` over the interval; None if it has no value (its own output says 0)."""
    methods: dict[str, str]
    """How it obtained each value."""
    ours: tuple[EnergyReading, ...] = ()
    """Joulemark's own readings over the same interval."""
    differences: tuple[str, ...] = ()
    """Why the values differ."""
    reason: str | None = None
    """Why it has no values at all; None if it has."""
