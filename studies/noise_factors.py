"""What makes one process slower than the next: hash seeds, huge pages, NUMA; measured in turns on one case.

`python -m studies.noise_factors FILE [SECONDS]`: rounds for about SECONDS (540), written to FILE after each. A round
starts SERVERS fork servers for each arm, with other addresses each time and, but for `fixed hash seed`, another seed.
Of each, TRIALS trials run in random order, all with one thread on one core that is drawn for the round. The case is the
PyTorch training step of `cnn:small`. `studies.noise_factor_shares` says what each factor changes.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks import trials
from joulemark.suite.records import write_text
from joulemark.suite.trial.fork_server_client import ForkServer
from joulemark.suite.trial.request import Effort, Request

SERVERS, TRIALS = 2, 2
"""Fork servers of an arm in a round, and trials of each: what differs between two servers, and between two of their
trials, are known apart."""
EFFORT = Effort(window_s=0.4, warmup_s=0.1, max_warmup_s=0.4, guard_s=0.02)
CORES = frozenset(os.sched_getaffinity(0))
SYS = Path("/sys")
THP = "kernel/mm/transparent_hugepage/enabled"
HUGETLB = "kernel/mm/hugepages"


@dataclass(frozen=True)
class Factor:
    """A way to run the case."""

    variables: Mapping[str, str] = field(default_factory=dict)
    """On top of the environment of a trial."""
    cores: frozenset[int] | None = None
    """Where its processes may run; None: on the core of the round."""


BASE = "as set"
ARMS: dict[str, Factor] = {
    BASE: Factor(),
    "fixed hash seed": Factor({"PYTHONHASHSEED": "0"}),
    "transparent huge pages": Factor({"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}),
}
RESERVED = "reserved huge pages"
"""malloc takes pages that an administrator has set aside (hugetlb=2)."""
ANYWHERE, ONE_NODE = "any core", "cores of one NUMA node"
"""With them, two arms: memory is taken from the node of the core that first writes to it."""


def arms_here(sys: Path = SYS) -> tuple[dict[str, Factor], dict[str, str]]:
    """Return the arms that this machine can run, and why it cannot run others."""
    arms, left_out = dict(ARMS), {}
    enabled = thp(sys)
    if enabled == "never":
        del arms["transparent huge pages"]
        left_out["transparent huge pages"] = f"/sys/{THP} is never"
    pages = {path.parent.name: _number(path) for path in sorted((sys / HUGETLB).glob("*/nr_hugepages"))}
    if any(pages.values()):
        arms[RESERVED] = Factor({"GLIBC_TUNABLES": "glibc.malloc.hugetlb=2"})
    else:
        left_out[RESERVED] = f"none are reserved ({', '.join(pages) or 'the kernel has none'})"
    nodes = {
        path.parent.name: cores(path.read_text()) for path in sorted(sys.glob("devices/system/node/node*/cpulist"))
    }
    usable = {name: each & CORES for name, each in nodes.items() if each & CORES}
    if len(usable) > 1:
        arms |= {ANYWHERE: Factor(cores=CORES), ONE_NODE: Factor(cores=next(iter(usable.values())))}
    else:
        left_out[ONE_NODE] = f"this machine has {len(nodes) or 'no'} NUMA node{'s' if len(nodes) != 1 else ''}"
    return arms, left_out


def thp(sys: Path = SYS) -> str:
    """Return who gets transparent huge pages: `always`, `madvise` (who asks) or `never`; empty if unknown."""
    try:
        text = (sys / THP).read_text()
    except OSError:
        return ""
    return text.partition("[")[2].partition("]")[0]


def cores(text: str) -> frozenset[int]:
    """Return the cores of a list such as `0-3,8` (kernel Documentation/admin-guide/cputopology.rst)."""
    parts = [part.split("-") for part in text.strip().split(",") if part]
    return frozenset(core for ends in parts for core in range(int(ends[0]), int(ends[-1]) + 1))


def _number(path: Path) -> int:
    return int(path.read_text())


def main(target: Path, seconds: float) -> None:
    """Measure rounds for about `seconds`."""
    arms, left_out = arms_here()
    started, longest_s = time.monotonic(), 0.0
    study: dict[str, Any] = {"thp": thp(), "left_out": left_out, "arms": list(arms), "rounds": []}
    order = random.Random(target.name)
    print(f"{', '.join(arms)}; left out: {left_out}; transparent huge pages: {study['thp']}", flush=True)
    while time.monotonic() - started + longest_s < seconds:
        round_started = time.monotonic()
        study["rounds"].append(measure_round(arms, order))
        longest_s = max(longest_s, time.monotonic() - round_started)
        write_text(target, json.dumps(study) + "\n")  # a study that is cut off keeps its finished rounds
        print(f"{len(study['rounds'])} rounds in {time.monotonic() - started:.0f} s", flush=True)


def measure_round(arms: Mapping[str, Factor], order: random.Random) -> list[dict[str, Any]]:
    """Measure one round, and return its trials in the order in which they were measured."""
    core = order.choice(sorted(CORES))
    with contextlib.ExitStack() as stack:
        variables = stack.enter_context(trials.variables(1))
        servers: dict[tuple[str, int], ForkServer] = {}
        for name, arm in arms.items():
            for number in range(SERVERS):  # all import at the same time
                server = ForkServer("pytorch", {**variables, **arm.variables}, isolation="fork")
                stack.callback(server.close)
                servers[name, number] = server
        for (name, _), server in servers.items():
            server.wait_ready()
            os.sched_setaffinity(server.pid, arms[name].cores or {core})
        turns = [key for key in servers for _ in range(TRIALS)]
        return [_trial(servers[key], key) for key in order.sample(turns, len(turns))]


def _trial(server: ForkServer, key: tuple[str, int]) -> dict[str, Any]:
    before = _huge_pages()
    outcome = server.run(request(), 60.0)
    assert outcome.trial is not None, outcome.reason
    begin, end = outcome.trial["window"]
    return {
        "arm": key[0],
        "server": key[1],
        "step_s": float(f"{(end - begin) / outcome.trial['steps']:.6g}"),
        "huge_pages": _huge_pages() - before,
    }


def request() -> Request:
    """Return the request of every trial."""
    return replace(trials.request("pytorch"), batch_size=100, threads=1, effort=EFFORT)


def _huge_pages(vmstat: Path = Path("/proc/vmstat")) -> int:
    """Return how many transparent huge pages the kernel has given to all processes; 0 if it does not say."""
    try:
        lines = dict(line.split() for line in vmstat.read_text().splitlines())
    except OSError:
        return 0
    return int(lines.get("thp_fault_alloc", 0))


def load(path: Path) -> tuple[Sequence[Sequence[Mapping[str, Any]]], Mapping[str, str], str]:
    """Return the rounds of a study, why it lacks arms, and who got transparent huge pages."""
    study = json.loads(path.read_text())
    return study["rounds"], study["left_out"], study["thp"]


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 540.0)
