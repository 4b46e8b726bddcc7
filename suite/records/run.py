"""The run file: one JSON document for one invocation."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from joulemark.suite.records.base import (
    Amount,
    Count,
    PositiveCount,
    PositiveSeconds,
    Record,
    Seconds,
    Size,
    Time,
    Window,
)
from joulemark.suite.records.case import Case
from joulemark.suite.records.energy import EnergyReading, SecondOpinion, Trace
from joulemark.suite.records.machine import FrameworkInfo, Machine, Node
from joulemark.suite.records.notice import Notice
from joulemark.suite.records.settings import ArmName, Settings
from joulemark.suite.units import MAX_G_PER_KWH, MAX_PSF, MAX_PUE

SCHEMA_VERSION: Final = 1
# Versions: 1, 2026-11, the first.

MAX_ANALYSES: Final = 100
"""Maximum interim analyses of a pair: the level of each is computed from those before it, a millisecond each."""

GramsPerKwh = Annotated[float, Field(ge=0, le=MAX_G_PER_KWH)]
Hours = Annotated[float, Field(gt=0, le=1e12)]
Effectiveness = Annotated[float, Field(ge=1, le=MAX_PUE)]


def _not_true(version: object) -> object:
    return None if version is True else version  # which is 1 in Python


class Segment(Record):
    """Maps a start or a resume of the run to the machine's monotonic clock."""

    at_s: Time
    """Seconds since `run.started_at`."""
    monotonic_s: Seconds
    """CLOCK_MONOTONIC at that moment, seconds."""
    boot_id: str = ""
    """The boot that the clock belongs to."""


class Run(Record):
    """The invocation."""

    id: str
    started_at: str
    """ISO 8601, UTC."""
    finished_at: str | None
    """ISO 8601, UTC; None if the run was interrupted."""
    segments: tuple[Segment, ...]
    command: tuple[str, ...]
    profile: str
    suite_version: str
    complete: bool
    """Whether every planned trial was attempted."""
    order_seed: Size
    rounds: Count = 1
    """Planned trials of each case that can be run."""
    max_rounds: PositiveCount | None = None
    """Maximum trials of a pair that `rounds` leave inconclusive, a multiple of `rounds`, at most `MAX_ANALYSES` times
    as many: an interim analysis follows each `rounds` more. None if there are no extra rounds."""
    environment: dict[str, str] = {}
    """Environment variables of the trials that joulemark set, or kept from the user's because they can change
    performance."""


class ArmRecord(Record):
    """One arm of an A/B run, as it was at the start of the run; a case says which arm it belongs to."""

    interpreter: str
    """Path of the Python that ran its trials."""
    python: str
    """Version of that Python."""
    suite_version: str
    """Version of the joulemark in it."""
    frameworks: dict[str, FrameworkInfo] = {}
    packages: dict[str, str] = {}
    """Versions of packages that can change a result."""
    environment: dict[str, str] = {}
    """Environment variables that joulemark set for its trials only; `run.environment` has those of both arms."""


class Idle(Record):
    """Energy of the idle machine."""

    when: Literal["before", "after"]
    """Before the first round, or after the last."""
    window_s: Window
    """Seconds since `run.started_at`."""
    energy: tuple[EnergyReading, ...] = ()


class Floor(Record):
    """Durations of a short fixed loop, run throughout the session: how much the machine itself varies."""

    at_s: Time
    """Seconds since `run.started_at`."""
    arithmetic_s: PositiveSeconds
    copy_s: PositiveSeconds
    loops: tuple[PositiveCount, PositiveCount] | None = None
    """Number of loops of each kind that these are the mean durations of; None for a single one, which is too short to
    compare runs by."""
    reference: str | None = None
    """What the loops were made of, with versions: runs are compared by them only where it is equal. None for a single
    loop."""


class Probe(Record):
    """What one framework reached on one device with a large matrix product and with a large copy."""

    framework: str
    device: str
    precision: str
    threads: PositiveCount
    flops_per_s: Amount | None
    """None if the product could not be measured."""
    bytes_per_s: Amount | None
    """Bytes read and written; None if the copy could not be measured."""
    reason: str | None = None
    """Why one of them is None."""


class Intensity(Record):
    """Carbon intensity of electricity, with its provenance."""

    g_per_kwh: GramsPerKwh
    """Grams CO2-equivalent per kilowatt-hour."""
    source: str
    zone: str | None
    """None for the world average and for the user's own value."""
    interval_start: str | None = None
    """ISO 8601, UTC; None for a yearly value."""
    retrieved_at: str | None = None
    """ISO 8601, UTC; None for a value that was not fetched."""
    is_estimated: bool | None = None
    """Whether the source itself calls the value an estimate; None if it does not say."""
    basis: Literal["lifecycle", "direct", "unknown"] = "unknown"
    signal: Literal["average", "marginal", "unknown"] = "unknown"
    vintage: Count | None = None
    """Year of the data; None for a live value and for the user's own."""
    fallback: bool = False
    """Whether another source was preferred."""
    reason: str | None = None
    """Why the preferred source was not used; None if it was."""
    low: GramsPerKwh | None = None
    """Low end of the value's range, g/kWh; None if unknown."""
    high: GramsPerKwh | None = None
    granularity: str | None = None
    """Length of the interval of the value, in the source's words: `hourly`, `yearly`; None if unknown."""
    method: str | None = None
    """How the source estimated the value, in its own words; None if it did not, or does not say."""
    updated_at: str | None = None
    """When the source last changed the value, ISO 8601, UTC; None if it does not say."""


class GridInterval(Record):
    """The grid's carbon intensity over part of the run, as finely as the source resolves it."""

    start: str
    """ISO 8601, UTC."""
    end: str
    g_per_kwh: GramsPerKwh
    is_estimated: bool | None = None
    nearest: bool = False
    """Whether the source has no value for this interval, and the nearest one stands in."""


class Embodied(Record):
    """Assumed emissions of making the hardware, charged by time in use over life span, separately from operation."""

    host_g: Amount
    """For the computer without its GPUs, grams CO2-equivalent."""
    host_low_g: Amount
    host_high_g: Amount
    board_g: Amount
    """For each GPU that a case uses, grams CO2-equivalent."""
    board_low_g: Amount
    board_high_g: Amount
    lifespan_h: Hours
    lifespan_low_h: Hours
    lifespan_high_h: Hours
    source: str


class Pue(Record):
    """Power usage effectiveness: facility energy over IT energy."""

    value: Effectiveness
    source: str
    low: Effectiveness | None = None
    """Low end of its range; None if unknown."""
    high: Effectiveness | None = None


class Emissions(Record):
    """What the grams of this file were computed with. All of it can be replaced afterwards."""

    intensity: Intensity
    pue: Pue
    psf: Annotated[float, Field(gt=0, le=MAX_PSF)] = 1.0
    """Pragmatic scaling factor: how often the computation is repeated. Multiplies a run's totals only."""
    intervals: tuple[GridInterval, ...] = ()
    """The grid over the run by hour, if the source has it; `intensity` is then its mean over the run's energy. All
    cases are computed with `intensity`, so they can be ranked; the run's totals are computed with these."""
    embodied: Embodied | None = None
    """None unless requested."""


class RunFile(Record):
    """A run file, schema version 1. Times are seconds since `run.started_at` unless a name says otherwise."""

    schema_version: Annotated[Literal[1], BeforeValidator(_not_true)] = SCHEMA_VERSION
    """Version of this format."""
    run: Run
    """When and how it was run."""
    machine: Machine
    """What it ran on."""
    node: Node | None = None
    """None unless the run is a part of a job of several nodes or ranks."""
    arms: dict[ArmName, ArmRecord] = {}
    """The two arms of an A/B run; empty for other runs."""
    settings: Settings
    """What was asked for."""
    cases: tuple[Case, ...]
    """What was measured, with all trials and a summary."""
    idle: tuple[Idle, ...] = ()
    """Idle windows before and after, with their energy, joules."""
    floor: tuple[Floor, ...] = ()
    """Times of a fixed loop without a framework, which show how steady the machine is."""
    probes: tuple[Probe, ...] = ()
    """What the machine can reach: the roofline that cases are compared with."""
    traces: tuple[Trace, ...] = ()
    """Samples of the power sensors; empty where they were left out."""
    second_opinion: SecondOpinion | None = None
    """None unless requested."""
    notices: tuple[Notice, ...] = ()
    """What can make the whole run misleading; cases and trials have their own."""
    emissions: Emissions
    """The carbon intensity, PUE and PSF behind the grams."""
