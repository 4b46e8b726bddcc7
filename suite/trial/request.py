"""What a trial is asked to do: plain JSON, so that it can be sent to another interpreter."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Effort:
    """How long each stage of a trial takes, seconds."""

    window_s: float
    warmup_s: float
    max_warmup_s: float
    guard_s: float
    """Steady load before and after the window, for as long as the slowest sensor averages or lags."""
    min_blocks: int = 5
    """Fewest blocks in a window, however long they take."""
    latency_s: float = 0.0
    """Length of a separate pass that times single steps; 0: no such pass."""
    resident_idle_s: float = 0.0
    """Idle time between load and first call, with context and model on the device; 0: none."""
    profiled_s: float = 0.0
    """Length of the steps after the window in which a profiler records when the GPU is busy; 0: none."""
    turn_s: float = 0.0
    """Length of each turn that the trial takes after its window, with its partner in another process; 0: none."""
    counted: bool = False
    """Whether to count, after all that is measured, what one step does."""


@dataclass(frozen=True)
class Request:
    """One case to be measured once."""

    workload: str
    """`workload[.variant]`"""
    size: str
    phase: str
    framework: str
    mode: str
    device: str
    precision: str
    batch_size: int
    threads: int
    allocator: str
    seed: int
    """Seed of inputs and initial weights; the same in every trial of a run."""
    effort: Effort
    prompt: int | None = None
    """Prompt tokens of each request in phase `response`; None: the default of the size, as in other phases."""
    new_tokens: int | None = None
    """New tokens of each response; None: the default of the size."""
    one_batch: bool = False
    """Whether all steps take the same batch, rather than several in turn."""
    ranks: int | None = None
    """Processes or devices that train together; None: the case is not distributed."""
    nodes: int = 1
    """Nodes that they are divided among; the trial is of those on this node."""
    meeting: str = ""
    """What tells the trial from all others of the job, where its ranks are on several nodes."""
    strategy: str | None = None
    """How they share their work; None: they do not, but train at the same time, each for itself."""
    strong: bool = False
    """Whether `batch_size` is that of all ranks together, rather than of each."""
    host_limit_bytes: int | None = None
    """Address space that the trial may use (RLIMIT_AS); None: no limit."""

    @property
    def rank_batch_size(self) -> int:
        """Batch size of one rank."""
        return self.batch_size // self.ranks if self.ranks is not None and self.strong else self.batch_size

    def to_json(self) -> dict[str, Any]:
        """Return the request as plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Request:
        """Return the request that `to_json` gave as `data`."""
        return cls(**{**data, "effort": Effort(**data["effort"])})


def protocol() -> str:
    """Return 8 hex digits that identify the fields of a request.

    Interpreters whose digits differ cannot run trials for each other. A trial's result needs no such check: it is
    validated by the run file's own record of a trial.
    """
    lines = [f"{cls.__name__}.{field.name}: {field.type}" for cls in (Request, Effort) for field in fields(cls)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:8]
