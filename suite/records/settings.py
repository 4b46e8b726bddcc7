"""What was asked for, as it stands in a run file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, StrictBool

from joulemark.suite.records.base import PositiveCount, Real, Record

ArmName = Literal["a", "b"]


class ProfileSettings(Record):
    """A profile of the user's own: what differs from the one it is based on. None: as there."""

    base: str
    title: str = ""
    workloads: tuple[str, ...] | None = None
    size: str | None = None
    rounds: PositiveCount | None = None
    window_s: Real | None = Field(default=None, gt=0)
    """Length of the window on every kind of device, seconds."""
    idle_s: Real | None = Field(default=None, ge=0)
    timeout_s: Real | None = Field(default=None, gt=0)
    optimised: StrictBool | None = None
    """Whether the compiled modes are measured beside the default ones."""


class ArmSettings(Record):
    """What one arm of an A/B run has for itself. None: as in the rest of the settings."""

    python: str | None = None
    """Interpreter of this arm's trials, for every framework."""
    mode: str | None = None
    precision: str | None = None
    batch_size: PositiveCount | None = None
    threads: PositiveCount | None = None
    allocator: Literal["retain", "default"] | None = None

    def axes(self) -> dict[str, str | int]:
        """The execution settings that this arm sets, by the name of the case's field."""
        return self.model_dump(exclude={"python"}, exclude_none=True)


class Settings(Record):
    """One frozen record of all that a user can set. `suite.settings` fills it in."""

    profile: str = "quick"
    profiles: dict[str, ProfileSettings] = {}
    """Profiles of the user's own, from the settings file."""
    workload: tuple[str, ...] = ()
    """Replaces the profile's workloads; empty: the profile's. So do the next seven."""
    size: tuple[str, ...] = ()
    phase: tuple[str, ...] = ()
    framework: tuple[str, ...] = ()
    mode: tuple[str, ...] = ()
    device: tuple[str, ...] = ()
    precision: tuple[str, ...] = ()
    batch_size: tuple[PositiveCount, ...] = ()
    keyword: str | None = None
    """Filters case ids, in pytest's `-k` grammar."""
    threads: PositiveCount | None = None
    """Threads of each framework; None: as many as the cores that this process may use."""
    allocator: Literal["retain", "default"] = "retain"
    """`retain`: glibc keeps freed memory, for both frameworks alike; `default`: as users' programs run."""
    rounds: PositiveCount | None = None
    """Trials of each case; None: the profile's."""
    max_rounds: PositiveCount | None = None
    """Trials at most of the pairs of an A/B run that `rounds` leave undecided; None: no more than `rounds`."""
    arms: dict[ArmName, ArmSettings] = {}
    """The two arms of an A/B run; empty for any other."""
    latency: StrictBool = False
    """Whether each trial also times single steps, for percentiles."""
    python: dict[str, str] = {}
    """Interpreter of a framework by its name; the one that runs joulemark where not given."""
    zone: str | None = None
    """Grid zone, such as CH; None: the world's average."""
    coordinates: str | None = None
    """Place as `LATITUDE,LONGITUDE` in degrees, instead of a zone."""
    data_center: str | None = None
    """Place as `PROVIDER:REGION`, such as gcp:europe-west6, instead of a zone."""
    emission_factors: Literal["lifecycle", "direct"] = "lifecycle"
    """What an intensity covers: the whole life of power plants, or only what they emit in operation."""
    offline: StrictBool = False
    """Whether to ask nothing of a network."""
    intensity: Real | str | None = None
    """The user's own carbon intensity: g/kWh, `LOW..VALUE..HIGH`, or the path of a CSV of times and values."""
    pue: Real | str | None = None
    """Power usage effectiveness: a number, `LOW..VALUE..HIGH`, or a preset; None: 1.0, one's own machine."""
    psf: Real = 1.0
    embodied: Real | str | None = None
    """Embodied emissions to charge: kg CO2-equivalent of the computer, `LOW..VALUE..HIGH`, or `assumed`; None: none."""
    lifespan_years: Real = Field(default=4.0, gt=0)
    """Years that the hardware is in use, for embodied emissions."""
    sensor: tuple[str, ...] = ()
    """Sensors to read, such as `rapl`, `replay:FILE` or `meter:FILE`; empty: all that can be read."""
    second_opinion: StrictBool = False
    """Whether another tool's tracker runs beside the run."""
    allow_estimates: StrictBool = False
    """Whether energy from a model may be ranked, among its like and against measurements."""
    strict: StrictBool = False

    def varied(self) -> tuple[str, ...]:
        """Fields of a case that the arms set: what may differ in a pair beside the environment."""
        return tuple(dict.fromkeys(axis for arm in self.arms.values() for axis in arm.axes()))
