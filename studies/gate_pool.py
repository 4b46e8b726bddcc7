"""Collect the pool of trials that the gate is studied on: real trials of one case, and of the same with more work.

`python -m studies.gate_pool DIRECTORY [SECONDS]`: one session of interleaved rounds, each with a new fork server,
written to DIRECTORY after each round. Sessions that start 10 minutes apart stand for separate runs of one machine. The
case is the PyTorch training step of `cnn:small`, eager; more work is more images in its batch.
"""

from __future__ import annotations

import json
import random
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import trials
from joulemark.suite.records import write_text
from joulemark.suite.trial.fork_server_client import ForkServer
from joulemark.suite.trial.request import Effort, Request

ARMS = {"base": 20, "+5 %": 21, "+10 %": 22, "+20 %": 24}
"""Images in a batch, by arm; the work of a step is proportional to them."""

ROUND = (*["base"] * 4, "+5 %", "+10 %", "+20 %")
"""Trials of a round, in a new order each time. The base has several, so it can be compared with itself within a round.
(The first five sessions of the kept pool have two.)"""

EFFORT = Effort(window_s=0.5, warmup_s=0.2, max_warmup_s=0.6, guard_s=0.02)


def main(directory: Path, seconds: float) -> None:
    """Run one session of rounds for about `seconds`."""
    started = time.monotonic()
    stamp = datetime.now(UTC)
    target = directory / f"{stamp:%Y%m%dT%H%M%SZ}.json"
    directory.mkdir(parents=True, exist_ok=True)
    session: dict[str, Any] = {"started_at": stamp.isoformat(timespec="seconds"), "rounds": []}
    order = random.Random(target.name)
    longest_s = 0.0
    with trials.variables() as variables:
        while time.monotonic() - started + longest_s < seconds:
            round_started = time.monotonic()
            with trials.fork_server("pytorch", variables) as server:
                session["rounds"].append([_trial(server, arm, started) for arm in order.sample(ROUND, len(ROUND))])
            longest_s = max(longest_s, time.monotonic() - round_started)
            write_text(target, json.dumps(session) + "\n")  # a session that is cut off keeps its finished rounds
    print(f"{target}: {len(session['rounds'])} rounds in {time.monotonic() - started:.0f} s")


def _trial(server: ForkServer, arm: str, started: float) -> dict[str, Any]:
    """Run a trial of `arm` and return what the study needs."""
    at_s = time.monotonic() - started
    outcome = server.run(request(arm), 60.0)
    assert outcome.trial is not None, outcome.reason
    trial = outcome.trial
    begin, end = trial["window"]
    counters = ("run_queue_wait_s", "other_cpu_s", "steal_s", "context_switches_involuntary")
    return {
        "arm": arm,
        "at_s": round(at_s, 3),
        "step_s": (end - begin) / trial["steps"],
        "steps": trial["steps"],
        "block_s": [float(f"{block / trial['steps_per_block']:.5g}") for block in trial["block_s"]],
        "counters": {name: trial["counters"].get(name) for name in counters},
    }


def request(arm: str) -> Request:
    """Return the request for a trial of `arm`."""
    return replace(trials.request("pytorch"), batch_size=ARMS[arm], effort=EFFORT)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 110.0)
