"""Power traces and the readings made from them."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from joulemark.suite.records.base import Record

Kind = Literal["counter", "integrated", "model", "unavailable"]
"""How an energy came about, best first: a hardware energy counter; power samples integrated over time; a model of
load and TDP; not at all."""

KINDS: tuple[Kind, ...] = ("counter", "integrated", "model", "unavailable")


class Channel(Record):
    """One quantity that a sensor reads."""

    component: str
    """What draws the power: `package`, `dram`, `psys`, `gpu`, `module`, `cpu`, `ram` or `machine`."""
    scope: str
    """Which one of them: `package-0`, a board's UUID, or `host`."""
    unit: Literal["J", "W"]
    """`J`: cumulative energy since the trace began, wraps and resets already undone; `W`: power."""
    kind: Kind
    """The kind of a reading made from this channel: `counter` for J, `integrated` or `model` for W."""
    tick_s: float | None = None
    """The time between two updates of the value, seconds; None where it was not probed."""
    average_s: float = 0.0
    """The length of the boxcar that the sensor averages over, seconds; 0 where it does not."""
    coverage: float = 1.0
    """The share of each tick that the sensor looks at: 0.25 where it sees 25 of every 100 ms."""
    limit_w: float | None = None
    """The most power that may be drawn here, watts: a board's power limit when the trace began; None where unknown."""
    gain: tuple[float, float] = (1.0, 1.0)
    """True energy over reported energy, low and high: the sensor's systematic error, constant on one device; or what a
    model may be off by, which changes with the load."""
    source: str = ""
    """Where the value is read and where `gain` comes from, in words."""
    resets_s: tuple[float, ...] = ()
    """When the counter was found to have started anew, seconds; what it had counted since the read before is lost."""
    values: tuple[float | None, ...] = ()
    """One value a time in `Trace.t_s`, in `unit`; None where a read was missed."""


class BoardState(Record):
    """The state of one board at one moment: what its power depends on beside the load."""

    t_s: float
    """Seconds since `run.started_at`."""
    scope: str
    """The board's UUID."""
    temperature_c: float | None = None
    """None where the board does not say; so are the next four."""
    sm_clock_mhz: float | None = None
    memory_clock_mhz: float | None = None
    power_limit_w: float | None = None
    throttled: tuple[str, ...] | None = None
    """Why its clocks were held down: `power_cap`, `thermal`, `power_brake`, `slowdown`; empty where they were not, None
    where the board does not say."""
    processes: int | None = None
    """Processes that compute on it, of any user; None where the driver does not tell."""


class Trace(Record):
    """All that one sensor saw in a run."""

    sensor: str
    simulated: bool = False
    t_s: tuple[float, ...] = ()
    """When each value was read (the middle of the read), seconds since `run.started_at`, increasing."""
    read_cost_s: float | None = None
    """Median time that one read took, seconds; None before the first read."""
    missed_deadlines: int = 0
    """How many reads came later than one period after their deadline."""
    cpu_s: float | None = None
    """CPU time that the sampler's thread spent on this sensor over the whole run, seconds; None where unknown."""
    channels: tuple[Channel, ...] = ()
    states: tuple[BoardState, ...] = ()
    """The boards about each second; empty for sensors without any."""

    @model_validator(mode="after")
    def _lengths_match(self) -> Trace:
        for channel in self.channels:
            if len(channel.values) != len(self.t_s):
                raise ValueError(
                    f"channel {channel.component} of {self.sensor} has {len(channel.values)} values "
                    f"for {len(self.t_s)} times"
                )
        return self


class EnergyReading(Record):
    """A reading: the energy of one component over one window, and how far it can be believed."""

    component: str
    scope: str
    kind: Kind
    attributed: bool
    """Whether the case is charged with it; other boards' energy is listed, not attributed."""
    energy_j: float | None
    """Joules in the window; None where not measured, with the reason."""
    low_j: float | None = None
    """Lower end of the sensor's interval (gain and quantisation; not the spread between trials), joules."""
    high_j: float | None = None
    gain: tuple[float, float] = (1.0, 1.0)
    """The sensor's gain in `low_j` and `high_j`, true over reported energy: the part of the interval that scales. What
    else they hold is joules that add."""
    tick_s: float | None = None
    samples: int = 0
    """Reads that fell into the window."""
    reason: str | None = None
    """Why `energy_j` is None, or what weakens it; None where there is nothing to say."""
    sensor: str = ""
    """The sensor whose trace this reading was made from."""
    residual: float | None = None
    """Power samples of the same part, integrated over the window, over the counter, less 1; None without both."""
    in_step: bool = False
    """Whether the load keeps step with a sensor that looks away for a part of the time: it may see one phase only."""

    @model_validator(mode="after")
    def _null_has_a_reason(self) -> EnergyReading:
        if self.energy_j is None and not self.reason:
            raise ValueError(f"energy of {self.component} is null without a reason")
        if (self.energy_j is None) != (self.kind == "unavailable"):
            raise ValueError(f"energy of {self.component} is {self.energy_j} but its kind is {self.kind}")
        return self


class SecondOpinion(Record):
    """What another tool made of the whole run, in a process of its own beside ours."""

    tool: str
    version: str
    window_s: tuple[float, float]
    """The interval it saw, seconds since `run.started_at`."""
    energy_j: dict[str, float | None]
    """Joules of `cpu`, `ram` and `gpu` over the interval; None where it has no figure (its own output says 0)."""
    methods: dict[str, str]
    """How it came by each, in words."""
    ours: tuple[EnergyReading, ...] = ()
    """Our own readings over the same interval."""
    differences: tuple[str, ...] = ()
    """Why the figures differ, in words."""
    reason: str | None = None
    """Why there is no figure at all; None where there is one."""
