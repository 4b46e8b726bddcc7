"""The cost of `joulemark watch`: the CPU time of its processes over their running time, as a share of one core.

Both are taken over the same time, the sampler included, once the first value is out: served and scraped each 5 s, lines
into a pipe and the view of a terminal each 2 s, with and without groups of processes. The sensors are three counters of
a tree on disk at 10 Hz; sysfs costs about the same. Goal: below 1 % of one core each.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from powercap import FakeZone, build

from benchmarks.ratios import report

WATCHED_S = 60.0
SCRAPE_PERIOD_S = 5.0
SETTLE_S = 5.0
GOAL = 0.01
ZONES = (
    FakeZone("intel-rapl:0", "package-0"),
    FakeZone("intel-rapl:0:0", "dram"),
    FakeZone("intel-rapl:1", "package-1", start_uj=9_000_000_000),
)
COMMAND = (sys.executable, "-P", "-m", "joulemark", "watch", "--offline", "--zone", "CH", "--sensor", "rapl")


@dataclass(frozen=True)
class Cost:
    """CPU time as a share of one core."""

    command: float
    sampler: float

    @property
    def all(self) -> float:
        return self.command + self.sampler


def cpu_s(process: psutil.Process) -> float:
    """Return the CPU time of a process and of its threads so far, seconds."""
    times = process.cpu_times()
    return float(times.user + times.system)


def cost(process: subprocess.Popen[bytes]) -> Cost:
    """Return the cost of the command over `WATCHED_S`, once it has settled."""
    time.sleep(SETTLE_S)
    command = psutil.Process(process.pid)
    (sampler,) = command.children()
    begin_s = time.monotonic()
    before = cpu_s(command), cpu_s(sampler)
    time.sleep(WATCHED_S)
    after = cpu_s(command), cpu_s(sampler)
    length_s = time.monotonic() - begin_s
    return Cost(*((last - first) / length_s for first, last in zip(before, after, strict=True)))


def served(environment: dict[str, str], arguments: Sequence[str]) -> Cost:
    """Return the cost while it is scraped."""
    with subprocess.Popen(
        [*COMMAND, "--serve", "0", *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        address = next(match[0] for line in process.stderr if (match := re.search(rb"http\S+", line)))
        ended = threading.Event()

        def scrape() -> None:
            while not ended.wait(SCRAPE_PERIOD_S):
                with urllib.request.urlopen(address.decode()) as answer:
                    answer.read()

        thread = threading.Thread(target=scrape)
        thread.start()
        try:
            return cost(process)
        finally:
            ended.set()
            thread.join()
            process.terminate()


def shown(environment: dict[str, str], arguments: Sequence[str], terminal: bool) -> Cost:
    """Return the cost while it writes to a pipe or to a terminal."""
    ours, theirs = pty.openpty() if terminal else os.pipe()
    with subprocess.Popen([*COMMAND, *arguments], env=environment, stdout=theirs, stderr=subprocess.DEVNULL) as process:
        os.close(theirs)
        os.read(ours, 1)
        thread = threading.Thread(target=_discard, args=(ours,))
        thread.start()
        try:
            return cost(process)
        finally:
            process.terminate()
            process.wait()
            thread.join()
            os.close(ours)


def _discard(descriptor: int) -> None:
    try:
        while os.read(descriptor, 1 << 16):
            pass
    except OSError:  # the other side of a terminal is closed
        pass


def main() -> bool:
    """Print the shares; return whether all meet the goal."""
    met = []
    with tempfile.TemporaryDirectory() as directory:
        root = build(Path(directory) / "tree", ZONES)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("JOULEMARK_")},
            "JOULEMARK_POWERCAP_ROOT": str(root),
            "JOULEMARK_HOME": directory,
            "COLUMNS": "100",
            "TERM": "xterm",
        }
        group = ("--pid", f"benchmark={os.getpid()}")
        for name, found in (
            ("served, scraped each 5 s", served(environment, ())),
            ("served, with a group of processes", served(environment, group)),
            ("lines into a pipe each 2 s", shown(environment, (), terminal=False)),
            ("a terminal each 2 s, all process groups", shown(environment, (), terminal=True)),
        ):
            text = f"{found.all:.2%} of one core ({found.command:.2%}, and the sampler {found.sampler:.2%})"
            met.append(report(f"watch: {name}", text, f"< {GOAL:.0%}", found.all < GOAL))
    processes = len(psutil.pids())
    report("processes of this machine meanwhile", f"{processes}")
    return all(met)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
