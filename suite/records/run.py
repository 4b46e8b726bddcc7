"""The run file: one JSON document for one invocation."""

from __future__ import annotations

from typing import Final, Literal

from joulemark.suite.records.base import Count, PositiveCount, Record
from joulemark.suite.records.case import Case
from joulemark.suite.records.energy import EnergyReading, SecondOpinion, Trace
from joulemark.suite.records.machine import FrameworkInfo, Machine
from joulemark.suite.records.notice import Notice
from joulemark.suite.records.settings import ArmName, Settings

SCHEMA_VERSION: Final = 1
# History of the run file, one line a version:
# 1  2026-11  first


class Segment(Record):
    """Maps a start or a resume of the run to the machine's monotonic clock."""

    at_s: float
    """Seconds since `run.started_at`."""
    monotonic_s: float
    """CLOCK_MONOTONIC at that moment, seconds."""
    boot_id: str = ""
    """The boot that the clock belongs to."""


class Run(Record):
    """The invocation."""

    id: str
    started_at: str
    """ISO 8601, UTC."""
    finished_at: str | None
    """ISO 8601, UTC; None where the run was interrupted."""
    segments: tuple[Segment, ...]
    command: tuple[str, ...]
    profile: str
    suite_version: str
    complete: bool
    """Whether every planned trial was attempted."""
    order_seed: int
    rounds: Count = 1
    """Trials planned for each case that can be run."""
    max_rounds: PositiveCount | None = None
    """Trials at most of a pair that `rounds` left undecided, a multiple of them: after each `rounds` more it is looked
    at once. None where nothing was to go on."""
    environment: dict[str, str] = {}
    """Variables of the trials' environment that were set by us, or kept from the user's and can move performance."""


class ArmRecord(Record):
    """One arm of an A/B run, as it was found: cases say which they belong to."""

    interpreter: str
    """Path of the Python that ran its trials."""
    python: str
    """Version of that Python."""
    suite_version: str
    """Version of the joulemark in it."""
    frameworks: dict[str, FrameworkInfo] = {}
    packages: dict[str, str] = {}
    """Versions of the packages that can change a result."""
    environment: dict[str, str] = {}
    """Variables of its trials that were set by us and are its own: `run.environment` has what both arms share."""


class Idle(Record):
    """Energy of the machine at rest."""

    when: Literal["before", "after"]
    window_s: tuple[float, float]
    energy: tuple[EnergyReading, ...] = ()


class Floor(Record):
    """A short fixed loop, run through the whole session: how much the machine itself varies."""

    at_s: float
    arithmetic_s: float
    copy_s: float


class Probe(Record):
    """What one framework reached on one device with a large matrix product and with a large copy."""

    framework: str
    device: str
    precision: str
    threads: int
    flops_per_s: float | None
    """None where the product could not be measured."""
    bytes_per_s: float | None
    """Read and written; None where the copy could not be measured."""
    reason: str | None = None
    """Why one of them is None."""


class Intensity(Record):
    """Carbon intensity of electricity, with its pedigree."""

    g_per_kwh: float
    """Grams CO2-equivalent per kilowatt-hour."""
    source: str
    zone: str | None
    """None for the world's average and for a user's own value."""
    interval_start: str | None = None
    """ISO 8601, UTC; None for a yearly value."""
    retrieved_at: str | None = None
    """None for a value that was not fetched."""
    is_estimated: bool | None = None
    """Whether the source itself calls the value an estimate; None where it does not say."""
    basis: Literal["lifecycle", "direct", "unknown"] = "unknown"
    signal: Literal["average", "marginal", "unknown"] = "unknown"
    vintage: int | None = None
    """Year of the data; None for a live value and for a user's own."""
    fallback: bool = False
    """Whether another source was asked for first."""
    reason: str | None = None
    """Why this source and not the one asked for; None where it is the one asked for."""
    low: float | None = None
    """Low end of the value's range, g/kWh; None where unknown."""
    high: float | None = None
    granularity: str | None = None
    """Length of the interval that the value is of, in the source's words: `hourly`, `yearly`; None where unknown."""
    method: str | None = None
    """How the source estimated the value, in its own words; None where it was not estimated or it does not say."""
    updated_at: str | None = None
    """When the source last changed the value, ISO 8601, UTC; None where it does not say."""


class GridInterval(Record):
    """The grid over a part of the run, as far as the source resolves it."""

    start: str
    """ISO 8601, UTC."""
    end: str
    g_per_kwh: float
    is_estimated: bool | None = None
    nearest: bool = False
    """Whether the source has no value for this interval, so that the nearest one's stands in."""


class Embodied(Record):
    """Emissions of making the hardware, assumed. Charged by time in use over life span, never mixed with operation."""

    host_g: float
    """Of the computer without its boards, grams CO2-equivalent."""
    host_low_g: float
    host_high_g: float
    board_g: float
    """Of each board that a case uses, grams CO2-equivalent."""
    board_low_g: float
    board_high_g: float
    lifespan_h: float
    lifespan_low_h: float
    lifespan_high_h: float
    source: str


class Pue(Record):
    """Power usage effectiveness: facility energy over IT energy."""

    value: float
    source: str
    low: float | None = None
    """Low end of its range; None where unknown."""
    high: float | None = None


class Emissions(Record):
    """What the grams of this file were computed with. Any of it can be replaced afterwards."""

    intensity: Intensity
    pue: Pue
    psf: float = 1.0
    """Pragmatic scaling factor: how often the computation is repeated. Multiplies a run's totals only."""
    intervals: tuple[GridInterval, ...] = ()
    """The grid over the run by hour, where the source has that; `intensity` is then its mean over the run's energy.
    Cases are all computed with `intensity`, so that they can be ranked; the run's totals with these."""
    embodied: Embodied | None = None
    """None unless it was asked for."""


class RunFile(Record):
    """A run file, schema version 1. Times are seconds since `run.started_at` unless a name says otherwise."""

    schema_version: Literal[1] = SCHEMA_VERSION
    run: Run
    machine: Machine
    arms: dict[ArmName, ArmRecord] = {}
    """The two arms of an A/B run; empty for any other."""
    settings: Settings
    cases: tuple[Case, ...]
    idle: tuple[Idle, ...] = ()
    floor: tuple[Floor, ...] = ()
    probes: tuple[Probe, ...] = ()
    """What the machine was seen to reach: the roofline that cases are held against."""
    traces: tuple[Trace, ...] = ()
    second_opinion: SecondOpinion | None = None
    """None unless it was asked for."""
    notices: tuple[Notice, ...] = ()
    emissions: Emissions
