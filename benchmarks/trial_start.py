"""The start of a trial, from the request to its first step (cnn, tiny, training): fork over cold process.

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
    """Print the ratios; return whether all meet the goal."""
    met = True
    with trials.variables() as variables:
        for framework in ("pytorch", "tensorflow"):
            with trials.fork_server(framework, variables) as server:

                def forked(server: ForkServer = server, framework: str = framework) -> float:
                    return start_s(server, framework, time.monotonic())

                def cold(framework: str = framework) -> float:
                    start = time.monotonic()
                    with trials.fork_server(framework, variables, "spawn") as process:
                        return start_s(process, framework, start)

                ratio = interleaved(forked, cold, ROUNDS)
                name = f"start of a trial, {framework}: fork / cold process"
                met &= report(name, ratio, "<= 0.15", ratio.median <= 0.15)
    return met


def start_s(server: ForkServer, framework: str, start: float) -> float:
    """Return the seconds from `start` until the stage `first_call` of a trial begins."""
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
