"""Requests and fork servers for the benchmarks that run whole trials."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from joulemark.suite.trial import environment
from joulemark.suite.trial.fork_server_client import ForkServer
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.trial.request import Effort, Request

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
        effort=Effort(window_s=window_s, warmup_s=0.3, max_warmup_s=2.0, guard_s=0.05),
    )


@contextlib.contextmanager
def fork_server(framework: str, environment: dict[str, str], isolation: str = "fork") -> Iterator[ForkServer]:
    """Start a fork server, wait until it is ready, and close it at the end of the block."""
    server = ForkServer(framework, environment, isolation=isolation)
    try:
        server.wait_ready()
        yield server
    finally:
        server.close()
