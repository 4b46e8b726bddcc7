"""Cases, their trials, and the summaries of these."""

from __future__ import annotations

from typing import Literal

from joulemark.suite.records.base import (
    Amount,
    Count,
    Factor,
    Limits,
    Number,
    PositiveCount,
    PositiveSeconds,
    Record,
    Seconds,
    Share,
    Size,
    Time,
    Value,
    Window,
)
from joulemark.suite.records.energy import EnergyReading, Kind
from joulemark.suite.records.notice import Notice
from joulemark.suite.records.settings import ArmName

Status = Literal["ok", "failed", "skipped"]

NOT_ATTEMPTED = "not_attempted"
"""Reason code of a planned case without a trial."""


class Parameters(Record):
    """Number of parameters of a model."""

    total: Size
    trainable: Size


class Ranges(Record):
    """Factors (low, high) by which the sensor, the intensity and the PUE may be off.

    They are separate from `Quantity.low` and `.high`, which are the spread between trials and nothing else. None if
    that uncertainty does not affect the value, or is unknown.
    """

    sensor: Limits | None = None
    """Gain and sampling of the sensors: the second part narrows with the number of trials."""
    gain: Limits | None = None
    """The part of `sensor` that is the sensors' gain: the same in all trials, and in all cases on one device."""
    intensity: Limits | None = None
    pue: Limits | None = None


class Quantity(Record):
    """One number of a case, with its uncertainty and origin."""

    value: Value | None
    """Geometric mean over trials, in `unit`; None, with a reason, if not measured."""
    low: Value | None = None
    """Lower end of the 95 % interval between trials; None at n = 1."""
    high: Value | None = None
    unit: str
    n: Count
    """Number of trials that it is the mean of."""
    kind: Kind | None = None
    """Kind of the energy in it; None if it depends on the clock alone."""
    lower_bound: bool = False
    """Whether part of the energy is missing."""
    reason: str | None = None
    """Why `value` is None, or why there is no interval; None if there is nothing to say."""
    ranges: Ranges = Ranges()


class Summary(Record):
    """The results of a case over its trials."""

    throughput: Quantity
    """Items per second."""
    step_time_s: Quantity
    energy_per_item_j: Quantity
    """Gross IT energy of the attributed components, joules per item."""
    net_energy_per_item_j: Quantity
    """Gross energy less idle power x time, joules per item."""
    facility_energy_per_item_j: Quantity
    """Gross energy x PUE, joules per item."""
    power_w: Quantity
    """Mean gross power of the attributed components over the window, watts."""
    emissions_g_per_1000_items: Quantity
    """Facility energy x intensity, grams CO2-equivalent per 1,000 items."""


class Result(Record):
    """Proof that the work was done: one number for each output, at the first and the last step of the trial."""

    first: dict[str, Number]
    last: dict[str, Number]


class Latency(Record):
    """Percentiles of the durations of single steps, timed in a separate pass."""

    p50_s: PositiveSeconds
    p95_s: PositiveSeconds
    p99_s: PositiveSeconds
    steps: Size


class ResidentIdle(Record):
    """The idle machine with the program loaded on its device."""

    window_s: Window
    energy: tuple[EnergyReading, ...] = ()


class GpuBusy(Record):
    """How busy the GPU was in a step, from steps that the framework's profiler recorded after the window."""

    share: Share | None = None
    """Union of the times of kernels, copies and fills, over the time of a step without the profiler; 0 to 1."""
    doubled_batch_ratio: Factor | None = None
    """Throughput at twice the batch size over that of the case; None if the GPU was busy, and it was not measured."""
    reason: str | None = None
    """Why a value that should have been measured is None."""


class Trial(Record):
    """One fresh process that measures one case once. Times of an unfinished trial are None."""

    round: Count
    status: Status
    reason_code: str | None = None
    """Why it is not ok, as a code: `out_of_memory`, `timeout`, `killed`, `crashed`, `raised`, `not_finite`, ..."""
    reason: str | None = None
    """The same as text; None if it is ok."""
    started_s: Time | None = None
    """Seconds since `run.started_at`."""
    ended_s: Time | None = None
    """When its process ended, seconds since `run.started_at`."""
    isolation: Literal["fork", "spawn"] | None = None
    context_s: Seconds | None = None
    """Part of `load_s` that it took to set up the framework and wake the device (on a GPU, its context), seconds."""
    load_s: Seconds | None = None
    """Time from the start of the process until the program is built and its inputs are on the device, seconds."""
    resident_idle: ResidentIdle | None = None
    """Idle power with context and model loaded; None except in the first round on a GPU."""
    first_call_s: PositiveSeconds | None = None
    """Duration of the first step, with whatever it traces or compiles, seconds."""
    compile_cache: Literal["cold", "warm"] | None = None
    """State of the run's own compile cache; None if nothing is compiled."""
    warmup_steps: Size = 0
    steady: Literal["steady", "drifting", "unknown"] | None = None
    """Verdict on the blocks of the window."""
    steps_per_block: Size = 0
    block_s: tuple[Seconds, ...] = ()
    """Duration of each block of `steps_per_block` steps in the window, seconds."""
    window_s: Window | None = None
    """Interval over which throughput and energy are measured, seconds since `run.started_at`."""
    last_step_s: Time | None = None
    """When the device had finished the last step of all, seconds since `run.started_at`: power falls there. None if
    nothing waited for the device."""
    steps: Size = 0
    """Number of steps in the window."""
    items: Size = 0
    """Number of items in the window: steps x batch size x items of one sample."""
    result: Result | None = None
    latency: Latency | None = None
    """None without `--latency`."""
    peak_memory_bytes: dict[str, Size | None] = {}
    """`host`: peak resident set size of the process; `device`: peak of the framework's allocator in the window, None on
    the CPU."""
    counters: dict[str, Number | None] = {}
    """Counts of the operating system over the window, per step: `page_faults`, `context_switches`, ..."""
    environment: dict[str, str] = {}
    """Settings read back: threads, precision and versions as the framework reports them, the allocator's policy, and
    `affinity`, the cores that the trial's main thread could run on at its end."""
    energy: tuple[EnergyReading, ...] = ()
    gpu_busy: GpuBusy | None = None
    """None except in the first round on a GPU."""
    notices: tuple[Notice, ...] = ()

    @property
    def window_length_s(self) -> float:
        """Length of the window, seconds; 0 if there is none."""
        return self.window_s[1] - self.window_s[0] if self.window_s is not None else 0.0

    @property
    def is_usable(self) -> bool:
        """Whether a rate can be computed: the trial is ok, and its window has a length, steps and items."""
        return self.status == "ok" and self.window_length_s > 0 and self.items > 0 and self.steps > 0


class Case(Record):
    """One combination of workload, size, phase, framework, mode, device, precision and batch size."""

    id: str
    """`workload[.variant]:size/phase/framework/mode/device/precision/bN[+key=value]`"""
    workload: str
    variant: str | None = None
    workload_version: str
    """Changes whenever the work changes: results of different versions are never compared."""
    size: str
    phase: str
    framework: str
    mode: str
    device: str
    precision: str
    batch_size: PositiveCount
    threads: PositiveCount
    allocator: str
    arm: ArmName | None = None
    """Arm of an A/B run that it belongs to; None in other runs."""
    item: str
    """What throughput counts: `image`, `matrix product`, `token`, ..."""
    flops_per_item: Amount | None = None
    """Floating-point operations (not multiply-adds) of one item; None if there is no formula."""
    bytes_per_item: Amount | None = None
    """Compulsory memory traffic of one item in the case's precision, bytes; None if there is no formula."""
    parameters: Parameters = Parameters(total=0, trainable=0)
    status: Status
    reason_code: str | None = None
    reason: str | None = None
    """Why the case failed or was skipped; None if it is ok."""
    notices: tuple[Notice, ...] = ()
    trials: tuple[Trial, ...] = ()
    summary: Summary | None = None
    """None if no trial is ok."""

    @property
    def ok_trials(self) -> tuple[Trial, ...]:
        """The trials that succeeded."""
        return tuple(trial for trial in self.trials if trial.status == "ok")

    @property
    def workload_id(self) -> str:
        """`workload[.variant]`, as workloads are listed and selected."""
        return f"{self.workload}.{self.variant}" if self.variant else self.workload
