"""The CPU time of every process, and who used how much between two moments.

Linux gives the time of a process that has ended to its parent, once that has waited for it (proc(5), cutime): processes
that begin and end between two moments are found there.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
STAT_BYTES = 1024
"""More than a line of /proc/PID/stat has."""

ProcessKey = tuple[int, int]
"""Process id and start time, clock ticks since boot: ids are used again."""


class ProcessTimes(NamedTuple):
    """One process."""

    name: str
    """The program's, at most 15 characters."""
    parent: int
    group: int
    """The id of its process group: a shell makes one for each job."""
    own: int
    """CPU time of its own, clock ticks."""
    children: int
    """CPU time of those of its children that it has waited for, and of theirs, clock ticks."""


def scan(proc_root: str) -> dict[ProcessKey, ProcessTimes]:
    """Return all processes that can be seen."""
    processes = {}
    for name in os.listdir(proc_root):
        if name.isdigit() and (found := read(proc_root, int(name))) is not None:
            processes[found[0]] = found[1]
    return processes


def read(proc_root: str, pid: int) -> tuple[ProcessKey, ProcessTimes] | None:
    """Return the process `pid`; None where there is none."""
    try:
        descriptor = os.open(f"{proc_root}/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        line = os.read(descriptor, STAT_BYTES).decode("utf-8", "replace")
    except OSError:  # it has ended meanwhile
        return None
    finally:
        os.close(descriptor)
    # The name is in parentheses and may contain some. Field numbers are those of proc(5), less 3 after the name.
    begin, end = line.index("("), line.rindex(")")
    fields = line[end + 2 :].split()
    own, children = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
    times = ProcessTimes(line[begin + 1 : end], int(fields[1]), int(fields[2]), own, children)
    return (pid, int(fields[19])), times


def used_ticks(
    before: Mapping[ProcessKey, ProcessTimes], after: Mapping[ProcessKey, ProcessTimes]
) -> dict[ProcessKey, int]:
    """Return the CPU time that each process of `after` used since `before`, clock ticks.

    It includes what its children used that have ended meanwhile, as far as that was not counted before.
    """
    counted: dict[ProcessKey, int] = defaultdict(int)
    living = {key[0]: key for key in after if key in before}
    parents = {key[0]: times.parent for key, times in before.items()}
    for key, times in before.items():
        if key not in after:
            ancestor = times.parent
            while ancestor in parents and ancestor not in living:
                ancestor = parents[ancestor]
            if ancestor in living:
                counted[living[ancestor]] += times.own + times.children
    used = {}
    for key, times in after.items():
        known = before.get(key)
        own = times.own - (known.own if known is not None else 0)
        children = times.children - (known.children if known is not None else 0)
        used[key] = max(0, own) + max(0, children - counted[key])
    return used
