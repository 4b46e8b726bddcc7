"""Trials: what one fresh process reports of one case."""

from __future__ import annotations

from typing import Literal

from joulemark.suite.records.base import (
    Count,
    Factor,
    Number,
    PositiveCount,
    PositiveSeconds,
    Record,
    Seconds,
    Share,
    Size,
    Time,
    Window,
)
from joulemark.suite.records.energy import EnergyReading
from joulemark.suite.records.notice import Notice
from joulemark.suite.records.summaries.distributed import RankWindow
from joulemark.suite.records.work import Work

Status = Literal["ok", "failed", "skipped"]


class Result(Record):
    """Proof that the work was done: one number for each output, at the first and the last step of the trial.

    Both steps are on the same inputs, the first of the trial's batches.
    """

    first: dict[str, Number]
    last: dict[str, Number]


class Ends(Record):
    """A number before the first step of a trial, and after the last."""

    first: Number
    last: Number

    @property
    def change(self) -> float:
        """Return by how much they differ, relative to the larger one."""
        return abs(self.last - self.first) / (max(abs(self.first), abs(self.last)) or 1.0)


class TrainingState(Record):
    """Whether the steps of a training were alike from first to last.

    Computed after all that is measured, on the first of the trial's batches: at the weights that the trial ended with,
    and at its initial weights, drawn once more.
    """

    learning_rate_factor: Share | None = None
    """What the workload's learning rate is multiplied by, so that weights stay where they are."""
    loss: Ends | None = None
    """None where the workload has no loss: forward and backward of one layer."""
    gradient_norm: Ends | None = None
    """Root of the sum of squares of all gradients, without the loss scale of fp16."""
    reason: str | None = None
    """Why it was not computed; None if it was."""


class Latency(Record):
    """Percentiles of the durations of single steps, timed in a separate pass."""

    p50_s: PositiveSeconds
    p95_s: PositiveSeconds
    p99_s: PositiveSeconds
    steps: Size


class TokenTimes(Record):
    """When the tokens of the responses in the window were on the host."""

    ttft: Latency
    """Time to first token: from the call that reads the prompts to their first new tokens. `steps`: responses."""
    tpot: Latency | None = None
    """Time per output token: from one token of a sequence to its next one. `steps`: tokens after the first, each of all
    sequences of the batch. None where a response has one token."""


class Part(Record):
    """A part of the step, repeated alone in a window of its own after that of the whole step."""

    window_s: Window
    """Seconds since `run.started_at`."""
    steps: Size
    """Repetitions in the window."""
    items: Size
    """What it counts: of a response, prompt tokens for `prefill` and tokens after the first for `decode`."""
    energy: tuple[EnergyReading, ...] = ()


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
    input_batches: PositiveCount | None = None
    """Number of batches that the steps take in turn; None for trials that had one."""
    input_bytes: Size | None = None
    """Size of all of them on the device, which `peak_memory_bytes` includes."""
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
    turns_s: tuple[PositiveSeconds, ...] = ()
    """Mean step time in each of the turns that the trial took with its partner in the other arm, after both windows,
    seconds. Empty outside of A/B runs, and where a pair was measured one trial after the other."""
    result: Result | None = None
    latency: Latency | None = None
    """None without `--latency`."""
    token_times: TokenTimes | None = None
    """None outside of phase `response`."""
    parts: dict[str, Part] = {}
    """The parts of a response, `prefill` and `decode`; empty in other phases."""
    ranks: tuple[RankWindow, ...] = ()
    """What each rank did, where they are processes; empty in other cases, and where one process drives all devices."""
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
    training: TrainingState | None = None
    """None outside of training, and where nothing is trained."""
    work: Work | None = None
    """What one step does; None in rounds in which it is not counted."""
    notices: tuple[Notice, ...] = ()

    @property
    def window_length_s(self) -> float:
        """Length of the window, seconds; 0 if there is none."""
        return self.window_s[1] - self.window_s[0] if self.window_s is not None else 0.0

    @property
    def is_usable(self) -> bool:
        """Whether a rate can be computed: the trial is ok, and its window has a length, steps and items."""
        return self.status == "ok" and self.window_length_s > 0 and self.items > 0 and self.steps > 0
