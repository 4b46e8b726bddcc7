"""Requests and fork servers, for benchmarks and studies that run whole trials."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from joulemark.suite.trial import environment
from joulemark.suite.trial.fork_server_client import ForkServer, Isolation
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.trial.request import Effort, Request

THREADS = len(os.sched_getaffinity(0))
BATCH_SIZE = 16


@contextlib.contextmanager
def variables(threads: int = THREADS) -> Iterator[dict[str, str]]:
    """Yield the environment variables of a run's trials; their scratch directory is deleted afterwards."""
    with tempfile.TemporaryDirectory() as scratch:
        yield dict(environment.build(os.environ, threads, Path(scratch)).variables)


def request(framework: str, size: str = "small", window_s: float = 1.0, allocator: str = "retain") -> Request:
    """Return a request for the training step of the cnn."""
    return Request(
        workload="cnn",
        size=size,
        phase="training",
        framework=framework,
        mode=FRAMEWORKS[framework].default_mode,
        device="cpu",
        precision="fp32",
        batch_size=BATCH_SIZE,
        threads=THREADS,
        allocator=allocator,
        seed=1,
        effort=Effort(window_s=window_s, warmup_s=0.3, max_warmup_s=2.0, guard_s=0.05),
    )


@contextlib.contextmanager
def fork_server(framework: str, variables: Mapping[str, str], isolation: Isolation = "fork") -> Iterator[ForkServer]:
    """Yield a fork server that is ready, and close it afterwards."""
    server = ForkServer(framework, variables, isolation=isolation)
    try:
        server.wait_ready()
        yield server
    finally:
        server.close()
