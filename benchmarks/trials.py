"""Requests and zygotes for the benchmarks that run whole trials."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from joulemark.suite.trial import environment
from joulemark.suite.trial.effort import Effort
from joulemark.suite.trial.fork_server_client import Zygote
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.trial.request import Request

THREADS = len(os.sched_getaffinity(0))
BATCH = 16


@contextlib.contextmanager
def variables() -> Iterator[dict[str, str]]:
    """The built environment of a run, with a scratch directory that goes with it."""
    with tempfile.TemporaryDirectory() as scratch:
        yield dict(environment.build(os.environ, THREADS, Path(scratch)).variables)


def request(framework: str, size: str = "small", window_s: float = 1.0, allocator: str = "retain") -> Request:
    """A training step of the cnn."""
    return Request(
        workload="cnn",
        size=size,
        phase="training",
        framework=framework,
        mode=FRAMEWORKS[framework].default_mode,
        device="cpu",
        precision="fp32",
        batch_size=BATCH,
        threads=THREADS,
        allocator=allocator,
        seed=1,
        effort=Effort(window_s=window_s, warmup_s=0.3, warmup_most_s=2.0, border_s=0.05),
    )


@contextlib.contextmanager
def zygote(framework: str, environment: dict[str, str], how: str = "fork") -> Iterator[Zygote]:
    """A zygote that is ready."""
    started = Zygote(framework, environment, how=how)
    try:
        started.wait_ready()
        yield started
    finally:
        started.close()
