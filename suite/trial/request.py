"""What the conductor asks of a trial: plain JSON, so that it can cross into another interpreter."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, fields
from typing import Any

from joulemark.suite.trial.effort import Effort


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
    """Of inputs and initial weights; the same in every trial of a run."""
    effort: Effort
    host_limit_bytes: int | None = None
    """Address space that the trial may use (RLIMIT_AS); None: no limit."""

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Request:
        """From plain data."""
        return cls(**{**data, "effort": Effort(**data["effort"])})


def protocol() -> str:
    """8 hex digits that change with what a trial is asked: interpreters that differ in it do not understand each other.

    What a trial answers is held against the run file's own record of one.
    """
    asked = [f"{one.__name__}.{field.name}: {field.type}" for one in (Request, Effort) for field in fields(one)]
    return hashlib.sha256("\n".join(asked).encode()).hexdigest()[:8]
