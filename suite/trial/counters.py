"""Counters of the operating system over a window, which tell noise from work.

Sources: getrusage(2); proc(5) for /proc/stat (steal) and /proc/PID/task/TID/schedstat (run-queue wait,
kernel Documentation/scheduler/sched-stats.rst).
"""

from __future__ import annotations

import os
import resource
from pathlib import Path

from joulemark.suite.trial import cgroup


def snapshot() -> dict[str, float]:
    """Return the totals of this process and machine so far. Counters that the system lacks are left out, never 0.

    Units: `*_s` seconds, the others counts.
    """
    usage = resource.getrusage(resource.RUSAGE_SELF)
    counts = {
        "page_faults": float(usage.ru_minflt),
        "major_page_faults": float(usage.ru_majflt),
        "context_switches_voluntary": float(usage.ru_nvcsw),
        "context_switches_involuntary": float(usage.ru_nivcsw),
        "user_s": usage.ru_utime,
        "system_s": usage.ru_stime,
    }
    busy_s, steal_s = _machine_s()
    optional = {
        # CPU time of all other processes.
        "other_cpu_s": None if busy_s is None else busy_s - usage.ru_utime - usage.ru_stime,
        "steal_s": steal_s,
        "run_queue_wait_s": _run_queue_wait_s(),
        "cgroup_throttled_s": cgroup.throttled_s(),
    }
    return counts | {name: value for name, value in optional.items() if value is not None}


def per_step(before: dict[str, float], after: dict[str, float], steps: int) -> dict[str, float | None]:
    """Return the counts between two snapshots divided by `steps`; None for a counter that is not in `after`."""
    return {name: (after[name] - before[name]) / steps if name in after else None for name in before}


def peak_host_bytes() -> int:
    """Return the peak resident set of this process, bytes (ru_maxrss is in KiB on Linux: getrusage(2))."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _machine_s() -> tuple[float | None, float | None]:
    """Return the busy time of all cores and the time that the hypervisor gave to other guests (steal), seconds."""
    try:
        fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        user, nice, system, _idle, _iowait, irq, softirq, steal = fields
    except (OSError, ValueError):
        return None, None
    ticks_per_s = os.sysconf("SC_CLK_TCK")
    return (user + nice + system + irq + softirq) / ticks_per_s, steal / ticks_per_s


def _run_queue_wait_s() -> float | None:
    """Return how long this process's threads were runnable but not running, seconds, without threads that ended."""
    try:
        waits = [int((task / "schedstat").read_text().split()[1]) for task in Path("/proc/self/task").iterdir()]
    except (OSError, IndexError, ValueError):
        return None
    return sum(waits) / 1e9
