"""The settings of a run, as they stand in its run file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, TypeVar

from pydantic import Discriminator, Field, StrictBool, Tag

from joulemark.suite.records.base import Count, PositiveCount, Real, Record

ArmName = Literal["a", "b"]

DeviceKind = Literal["cpu", "cuda"]

SweepKey = Literal["power-limit", "clock", "batch-size", "threads", "precision", "mode"]
"""What a sweep can vary, as in `--over KEY=RANGE`."""

SWEPT_FIELDS: Final[Mapping[SweepKey, str]] = {
    "power-limit": "power_limit_w",
    "clock": "clock_mhz",
    "batch-size": "batch_size",
    "threads": "threads",
    "precision": "precision",
    "mode": "mode",
}
"""The field of a case that holds each of them."""

FORMS: Final = ("one for all", "by device")
"""The two forms of a `ByDevice`, as validation errors name them."""


def _form(value: object) -> str:
    return FORMS[isinstance(value, Mapping)]


MAX_RANKS: Final = 1 << 20
"""No cluster has as many GPUs or cores."""

MAX_NODES: Final = MAX_RANKS

MAX_WINDOW_S: Final = 3600.0
"""Of what is longer, a typing error is the likeliest cause."""

T = TypeVar("T")
ByDevice = Annotated[Annotated[T, Tag(FORMS[0])] | Annotated[dict[DeviceKind, T], Tag(FORMS[1])], Discriminator(_form)]
"""A value for every kind of device, or one for each that is named."""


class ProfileSettings(Record):
    """A profile of the user's own: what differs from its base. None: as in the base."""

    base: str
    title: str = ""
    workloads: ByDevice[tuple[str, ...]] | None = None
    size: ByDevice[str] | None = None
    precisions: ByDevice[tuple[str, ...]] | None = None
    rounds: PositiveCount | None = None
    window_s: ByDevice[Annotated[Real, Field(gt=0)]] | None = None
    """Length of the window, seconds."""
    idle_s: Real | None = Field(default=None, ge=0)
    timeout_s: Real | None = Field(default=None, gt=0)
    optimised: StrictBool | None = None
    """Whether the compiled modes are measured beside the default ones."""
    server_rounds: PositiveCount | None = None
    """Rounds whose trials the same fork servers start."""
    turns: Count | None = None
    """Turns that the two trials of a pair take after their windows."""


class ArmSettings(Record):
    """The settings that apply to one arm of an A/B run only. None: as in the rest of the settings."""

    python: str | None = None
    """Interpreter of this arm's trials, for every framework."""
    mode: str | None = None
    precision: str | None = None
    batch_size: PositiveCount | None = None
    threads: PositiveCount | None = None
    allocator: Literal["retain", "default"] | None = None

    def axes(self) -> dict[str, str | int]:
        """Return the execution settings of this arm, by the name of the case's field."""
        return self.model_dump(exclude={"python"}, exclude_none=True)


class Settings(Record):
    """Everything that a user can set; filled in by `suite.settings`."""

    profile: str = "quick"
    profiles: dict[str, ProfileSettings] = {}
    """The user's own profiles, from the settings file."""
    workload: tuple[str, ...] = ()
    """Replaces the profile's workloads, unless empty; so do the next seven for their axes."""
    size: tuple[str, ...] = ()
    phase: tuple[str, ...] = ()
    framework: tuple[str, ...] = ()
    mode: tuple[str, ...] = ()
    device: tuple[str, ...] = ()
    precision: tuple[str, ...] = ()
    batch_size: tuple[PositiveCount, ...] = ()
    prompt: PositiveCount | None = None
    """Prompt tokens of each request in phase `response`; None: the default of the workload's size."""
    new_tokens: PositiveCount | None = None
    """New tokens of each response; None: the default of the workload's size."""
    keyword: str | None = None
    """Filters case ids, in the grammar of pytest's `-k`."""
    threads: PositiveCount | None = None
    """Threads of each framework; None: as many as the cores that this process may use."""
    allocator: Literal["retain", "default"] = "retain"
    """`retain`: glibc keeps freed memory, for all frameworks; `default`: as in users' own programs."""
    rounds: PositiveCount | None = None
    """Trials of each case; None: the profile's number."""
    window_s: ByDevice[Annotated[Real, Field(gt=0, le=MAX_WINDOW_S)]] | None = None
    """Length of a trial's window, seconds; None: the profile's."""
    warmup_s: ByDevice[Annotated[Real, Field(ge=0, le=MAX_WINDOW_S)]] | None = None
    """Shortest warm-up of a trial, seconds; None: the profile's."""
    effort_source: str | None = None
    """Where window, warm-up and rounds come from that the user did not give: a calibration of this machine, by its date
    and its runs; None: from the profile. Not for users to set."""
    max_rounds: PositiveCount | None = None
    """Maximum trials of the pairs of an A/B run that `rounds` leave inconclusive; None: no more than `rounds`."""
    arms: dict[ArmName, ArmSettings] = {}
    """The two arms of an A/B run; empty for other runs."""
    over: dict[SweepKey, tuple[PositiveCount | str, ...]] = {}
    """What a sweep varies, with its values: watts, megahertz, numbers or names; empty for other runs."""
    slowdown: Annotated[Real, Field(ge=0, lt=1)] = 0.05
    """The share of the default's speed that a sweep's best setting may lose."""
    host_watts: Annotated[Real, Field(ge=0, le=1e6)] | None = None
    """What a sweep assumes of the rest of the machine, beyond what is measured, watts; None: nothing."""
    ranks: tuple[Annotated[PositiveCount, Field(le=MAX_RANKS)], ...] = ()
    """Numbers of ranks that training cases are measured with; empty: none is distributed."""
    strategy: tuple[str, ...] = ()
    """How the ranks share their work; empty: each framework's default."""
    scaling: Literal["weak", "strong"] | None = None
    """Whether the batch of each rank is fixed or that of all; None: weak."""
    nodes: Annotated[PositiveCount, Field(le=MAX_NODES)] | None = None
    """Nodes that the ranks of a case are divided among; None: this one has all."""
    latency: StrictBool = False
    """Whether each trial also times single steps, for percentiles."""
    python: dict[str, str] = {}
    """Interpreter of each framework by name; a framework that is not named uses the one that runs joulemark."""
    zone: str | None = None
    """Grid zone, such as CH; None: the world average."""
    coordinates: str | None = None
    """Location as `LATITUDE,LONGITUDE` in degrees, instead of a zone."""
    data_center: str | None = None
    """Location as `PROVIDER:REGION`, such as gcp:europe-west6, instead of a zone."""
    emission_factors: Literal["lifecycle", "direct"] = "lifecycle"
    """What an intensity includes: the whole life cycle of power plants, or only their direct emissions."""
    offline: StrictBool = False
    """Whether to make no network requests."""
    intensity: Real | str | None = None
    """The user's own carbon intensity: g/kWh, `LOW..VALUE..HIGH`, or the path of a CSV file of times and values."""
    pue: Real | str | None = None
    """Power usage effectiveness: a number, `LOW..VALUE..HIGH`, or a preset; None: 1.0, a machine of one's own."""
    psf: Real = 1.0
    embodied: Real | str | None = None
    """Embodied emissions of the computer: kg CO2-equivalent, `LOW..VALUE..HIGH`, or `assumed`; None: not included."""
    lifespan_years: Annotated[Real, Field(gt=0, le=1000)] = 4.0
    """Years that the hardware is in use, for embodied emissions."""
    sensor: tuple[str, ...] = ()
    """Sensors to read, such as `rapl`, `replay:FILE` or `meter:FILE`; empty: all that are readable."""
    second_opinion: StrictBool = False
    """Whether another tool's tracker runs alongside."""
    allow_estimates: StrictBool = False
    """Whether modelled energy may be ranked, with its like and with measured energy."""
    strict: StrictBool = False

    def varied(self) -> tuple[str, ...]:
        """Return the fields of a case that the arms set: what may differ in a pair beside the environment."""
        return tuple(dict.fromkeys(axis for arm in self.arms.values() for axis in arm.axes()))
