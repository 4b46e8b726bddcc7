"""Collect the pool of trials that the gate is studied on: one case, and the same with more work, measured in many ways.

`python -m studies.gate_pool DIRECTORY [SECONDS]`: one session of rounds, each with new fork servers, written to
DIRECTORY after each round. Sessions that start 10 minutes apart stand for separate runs of one machine. The case is the
PyTorch training step of `cnn:small`, eager; more work is more images in its batch. A round measures, in random order:

- `threads`: trials with a thread a core;
- `unpinned`: trials with one thread, wherever the kernel puts it;
- `pinned`: trials with one thread, on one core in each round;
- `alternate` and `duet`: pairs of resident processes (`studies.gate_pairs`), one thread each;
- `rebuilds`: one process that builds the case several times;
- `reference`: a trial of a matrix product, a control whose work never changes.

The older pool, `docs/results/gate-pool-2-cores.json.gz`, has trials with a thread a core alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks import trials
from joulemark.suite.records import write_text
from joulemark.suite.trial.fork_server_client import ForkServer
from joulemark.suite.trial.request import Effort, Request
from studies import gate_pairs

ARMS = {"base": 100, "+2 %": 102, "+5 %": 105, "+10 %": 110}
"""Images in a batch, by arm; the work of a step is proportional to them."""
SOLO = ("base", "base", "+2 %", "+5 %", "+10 %")
"""Trials of a round; the base has two, so it can be compared with itself within a round."""
PAIRED = ("base", "+5 %")
"""What is measured against the base in pairs."""
ROUND = (
    *(("threads", arm) for arm in SOLO),
    *(("pinned", arm) for arm in 2 * SOLO),
    *(("unpinned", arm) for arm in ("base", "base")),
    *((how, arm) for how in ("alternate", "duet") for arm in PAIRED),
    ("rebuilds", "base"),
    ("reference", "base"),
)
EFFORT = Effort(window_s=0.5, warmup_s=0.1, max_warmup_s=0.4, guard_s=0.02)
CORES = sorted(os.sched_getaffinity(0))
TURNS, TURN_S = 6, 0.06
BUILDS, BUILD_S = 4, 0.2


def main(directory: Path, seconds: float) -> None:
    """Run one session of rounds for about `seconds`."""
    started = time.monotonic()
    stamp = datetime.now(UTC)
    target = directory / f"{stamp:%Y%m%dT%H%M%SZ}.json"
    directory.mkdir(parents=True, exist_ok=True)
    session: dict[str, Any] = {"started_at": stamp.isoformat(timespec="seconds"), "rounds": []}
    order = random.Random(target.name)
    longest_s = 0.0
    while time.monotonic() - started + longest_s < seconds:
        round_started = time.monotonic()
        session["rounds"].append(_round(order, started))
        longest_s = max(longest_s, time.monotonic() - round_started)
        write_text(target, json.dumps(session) + "\n")  # a session that is cut off keeps its finished rounds
        print(f"{len(session['rounds'])} rounds in {time.monotonic() - started:.0f} s", flush=True)


@dataclass(frozen=True)
class Processes:
    """What a round measures with."""

    all_cores: ForkServer
    one_core: ForkServer
    pairs: ProcessPoolExecutor
    core: int


def _round(order: random.Random, started: float) -> list[dict[str, Any]]:
    """Measure one round, and return its results in the order in which they were measured."""
    core = order.choice(CORES)
    with contextlib.ExitStack() as stack:
        one_thread = stack.enter_context(trials.variables(1))
        processes = Processes(
            stack.enter_context(trials.fork_server("pytorch", stack.enter_context(trials.variables()))),
            stack.enter_context(trials.fork_server("pytorch", one_thread)),
            stack.enter_context(ProcessPoolExecutor(1, get_context("spawn"), _begin, (dict(one_thread),))),
            core,
        )
        processes.pairs.submit(_import).result()
        results = []
        for how, arm in order.sample(ROUND, len(ROUND)):
            at_s = time.monotonic() - started
            result = MEASURE[how](processes, how, arm)
            results.append(
                {"how": how, "arm": arm, "core": core, "at_s": round(at_s, 3), **result}
                | {"took_s": round(time.monotonic() - started - at_s, 3)}
            )
    return results


def _trial(processes: Processes, how: str, arm: str) -> dict[str, Any]:
    """Run a trial of `arm` and return what the study needs."""
    server = processes.all_cores if how == "threads" else processes.one_core
    os.sched_setaffinity(server.pid, {processes.core} if how in ("pinned", "reference") else CORES)
    outcome = server.run(request(arm, how), 60.0)
    assert outcome.trial is not None, outcome.reason
    trial = outcome.trial
    begin, end = trial["window"]
    counters = ("run_queue_wait_s", "other_cpu_s", "steal_s", "context_switches_involuntary")
    return {
        "step_s": (end - begin) / trial["steps"],
        "block_s": [float(f"{block / trial['steps_per_block']:.6g}") for block in trial["block_s"]],
        "counters": {name: trial["counters"].get(name) for name in counters},
    }


def _pair(processes: Processes, how: str, arm: str) -> dict[str, Any]:
    """Measure a pair of resident processes, the base and `arm`; return step times by turn, seconds."""
    requests = [request("base", how), request(arm, how)]
    seed = random.randrange(1 << 30)
    if how == "duet":
        cores = CORES[:2]
        times = processes.pairs.submit(gate_pairs.duet, requests, TURNS, TURN_S, cores).result()
    else:
        times = processes.pairs.submit(
            gate_pairs.alternate, requests, TURNS, TURN_S, processes.core, random.Random(seed)
        ).result()
    return {"turns_s": [[float(f"{value:.6g}") for value in turn] for turn in times]}


def _rebuilds(processes: Processes, how: str, arm: str) -> dict[str, Any]:
    """Measure one process that builds the case several times; return step times by build, seconds."""
    order = random.Random(random.randrange(1 << 30))
    arguments = (request(arm, how), BUILDS, BUILD_S, processes.core, order)
    return {"builds_s": processes.pairs.submit(gate_pairs.rebuilds, *arguments).result()}


MEASURE: Mapping[str, Callable[[Processes, str, str], dict[str, Any]]] = {
    **dict.fromkeys(("threads", "unpinned", "pinned", "reference"), _trial),
    **dict.fromkeys(("alternate", "duet"), _pair),
    "rebuilds": _rebuilds,
}


def request(arm: str, how: str) -> Request:
    """Return the request for a trial of `arm`."""
    threads = trials.THREADS if how == "threads" else 1
    case = replace(trials.request("pytorch"), batch_size=ARMS[arm], threads=threads, effort=EFFORT)
    if how == "reference":
        return replace(case, workload="matmul", phase="inference", batch_size=1, effort=replace(EFFORT, window_s=0.2))
    return case


def _begin(variables: Mapping[str, str]) -> None:
    os.environ.update(variables)


def _import() -> None:
    import torch  # noqa: F401


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 250.0)
