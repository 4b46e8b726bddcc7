"""The start of a trial, from the request to the first step ready (cnn, tiny, training): fork against a cold process.

Goal: at most 0.15, in both frameworks.
"""

from __future__ import annotations

import sys
import time

from benchmarks import trials
from benchmarks.ratios import interleaved, report
from joulemark.suite.trial.fork_server_client import ForkServer

ROUNDS = 8


def main() -> bool:
    """Print the ratios; whether all goals are met."""
    met = True
    with trials.variables() as variables:
        for framework in ("pytorch", "tensorflow"):
            with trials.fork_server(framework, variables) as server:

                def forked(server: ForkServer = server, framework: str = framework) -> float:
                    return ready_s(server, framework, time.monotonic())

                def cold(framework: str = framework) -> float:
                    start = time.monotonic()
                    with trials.fork_server(framework, variables, "spawn") as process:
                        return ready_s(process, framework, start)

                ratio = interleaved(forked, cold, ROUNDS)
                met &= report(
                    f"start of a trial, {framework}: fork / cold process", ratio, "<= 0.15", ratio.median <= 0.15
                )
    return met


def ready_s(server: ForkServer, framework: str, start: float) -> float:
    """Seconds from `start` until the trial says that its first call begins."""
    first_calls: list[float] = []
    request = trials.request(framework, "tiny", window_s=0.01)

    def on_stage(stage: str) -> None:
        if stage == "first_call":
            first_calls.append(time.monotonic())

    outcome = server.run(request, 60.0, on_stage)
    assert outcome.trial is not None, outcome.reason
    return first_calls[0] - start


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
