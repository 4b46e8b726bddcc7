"""Cases, and the summaries of their trials."""

from __future__ import annotations

from joulemark.suite.records.base import Amount, Count, Number, PositiveCount, Record, Size
from joulemark.suite.records.notice import Notice
from joulemark.suite.records.settings import ArmName
from joulemark.suite.records.summaries.across_gpus import AcrossGpus
from joulemark.suite.records.summaries.distributed import Distributed, Efficiency, Scaling
from joulemark.suite.records.summaries.quantity import Quantity
from joulemark.suite.records.trial import Status, Trial

NOT_ATTEMPTED = "not_attempted"
"""Reason code of a planned case without a trial."""


class Parameters(Record):
    """Number of parameters of a model."""

    total: Size
    trainable: Size


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


class Percentiles(Record):
    """Percentiles within trials, each as the mean over trials."""

    p50: Quantity
    p95: Quantity
    p99: Quantity


class TokenRates(Record):
    """Tokens per second, over all sequences of the batch."""

    prompt: Quantity
    """Of prompts that are read, over the window of prefill."""
    output: Quantity
    """Of tokens after the first, over the window of decoding."""


class ResponseEnergy(Record):
    """Gross IT energy of the attributed components, joules, under four names that are never the same."""

    per_prompt_token: Quantity
    """Prefill: joules per token of the prompts, over its own window."""
    per_output_token: Quantity
    """Decoding: joules per token after the first, over its own window."""
    per_response: Quantity
    """One response to one request, prefill and decoding, over the window of whole responses."""
    response_per_output_token: Quantity
    """The same per new token: what leaderboards print, the case's `energy_per_item_j`."""


class Closure(Record):
    """The energy of a response that its parts, replayed in windows of their own, leave over."""

    energy_j: Number | None
    """Response - prefill - decoding, joules per response: mean over trials. None, with a reason, if not measured."""
    low_j: Number | None = None
    """Lower end of the 95 % interval between trials; None at n = 1."""
    high_j: Number | None = None
    sensor_low_j: Number | None = None
    """How low it may be by the errors of sampling of the sensors, whose gain is the same in all windows; None if
    unknown."""
    sensor_high_j: Number | None = None
    share: Number | None = None
    """`energy_j` as a share of the energy of a response."""
    n: Count
    reason: str | None = None
    """Why there is no value, or no interval; None if there is nothing to say."""


class Response(Record):
    """What a response is made of and, once it is measured, its times and energy."""

    prompt_tokens: PositiveCount
    """Tokens of each request's prompt."""
    new_tokens: PositiveCount
    """Tokens of each response. The first comes from prefill, the others are decoded one by one."""
    context_tokens: Amount | None = None
    """Tokens that a decoded token attends to, its own included: the mean over a response. None where none is."""
    ttft_s: Percentiles | None = None
    """Time to first token, seconds, over responses. None if no trial is ok, as are all below."""
    tpot_s: Percentiles | None = None
    """Time per output token, seconds, over tokens after the first; None if there are none."""
    tokens_per_s: TokenRates | None = None
    energy_j: ResponseEnergy | None = None
    closure: Closure | None = None


class Case(Record):
    """One combination of workload, size, phase, framework, mode, device, precision and batch size."""

    id: str
    """`workload[.variant]:size/phase/framework/mode/device/precision/bN[+key=value]`"""
    workload: str
    variant: str | None = None
    workload_version: str
    """Changes whenever the work in this framework changes: its results of different versions are never compared."""
    spec_version: str = ""
    """Changes whenever the work in every framework does: results of two frameworks must share it to be compared. Empty
    if it is not known."""
    size: str
    phase: str
    framework: str
    mode: str
    device: str
    precision: str
    batch_size: PositiveCount
    threads: PositiveCount
    allocator: str
    power_limit_w: PositiveCount | None = None
    """Power limit of its device in its trials, watts; None if the run sets none."""
    clock_mhz: PositiveCount | None = None
    """The same of a GPU's clock, megahertz; None if it is not locked."""
    ranks: PositiveCount | None = None
    """Processes or devices that work on it together; None: it is not distributed. `batch_size` and `threads` are those
    of one rank, but with strong scaling the batch is that of all together."""
    nodes: PositiveCount | None = None
    """Nodes that the ranks are divided among. Trials, and what follows from them, are of the ranks on this one: the job
    has the others. None: all are on this one."""
    strategy: str | None = None
    """How the ranks share their work, by the framework's name; None: each trains for itself, at the same time."""
    scaling: Scaling | None = None
    """None without ranks."""
    efficiency: Efficiency | None = None
    """None without a strategy, and if no trial is ok."""
    distributed: Distributed | None = None
    """None without ranks, and if no trial is ok."""
    across_gpus: AcrossGpus | None = None
    """None but for a case on all GPUs at once (`--device all`) that the run has on each of them alone too."""
    sweep_default: bool = False
    """Whether it has the default settings that those of a sweep are compared with."""
    arm: ArmName | None = None
    """Arm of an A/B run that it belongs to; None in other runs."""
    item: str
    """What throughput counts: `image`, `matrix product`, `token`, ..."""
    flops_per_item: Amount | None = None
    """Floating-point operations (not multiply-adds) of one item; None if there is no formula."""
    bytes_per_item: Amount | None = None
    """Compulsory memory traffic of one item in the case's precision, bytes; None if there is no formula."""
    unfused_bytes_per_item: Amount | None = None
    """Memory traffic of one item where each operator of a step reads its inputs and writes its outputs once, bytes.
    None if it was not counted."""
    parameters: Parameters = Parameters(total=0, trainable=0)
    response: Response | None = None
    """None outside of phase `response`."""
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
    def charged_devices(self) -> str:
        """The devices that it is charged with, joined by `+`: its own or, on GPUs, one for each rank from there on."""
        kind, _, first = self.device.partition(":")
        if kind == "cpu" or not self.ranks:
            return self.device
        return "+".join(f"{kind}:{int(first or 0) + rank}" for rank in range(self.local_ranks or 0))

    @property
    def local_ranks(self) -> int | None:
        """Ranks on this node; None without ranks."""
        return self.ranks // (self.nodes or 1) if self.ranks is not None else None

    @property
    def prompt_tokens(self) -> int | None:
        """Tokens of each prompt; None outside of phase `response`."""
        return self.response.prompt_tokens if self.response is not None else None

    @property
    def new_tokens(self) -> int | None:
        """Tokens of each response; None outside of phase `response`."""
        return self.response.new_tokens if self.response is not None else None

    @property
    def workload_id(self) -> str:
        """`workload[.variant]`, as workloads are listed and selected."""
        return f"{self.workload}.{self.variant}" if self.variant else self.workload
