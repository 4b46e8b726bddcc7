"""The processor's energy by groups of processes: apportioned by CPU time, an estimate.

No sensor tells programs apart. A group has the share of the processor's energy that its CPU time is of the time of all
logical processors; the time in which they were idle has the rest.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from joulemark.suite.errors import UsageError
from joulemark.suite.watch.process_times import TICKS_PER_S, ProcessKey, ProcessTimes, read, scan, used_ticks
from joulemark.suite.watch.snapshot import GroupState

CPU_SHARE = 0.002
"""The share of one core that reading the times of processes may take: with many processes it is done less often."""
SCAN_PERIOD_S = 2.0
MAX_GROUPS = 50
"""Process groups that are kept; the energy of those with the least goes to the others."""
OTHERS = "other programs"
IDLE = "idle"
"""The time in which logical processors did nothing, or worked for no process that could be seen."""


@dataclass
class _Group:
    name: str
    energy_j: float = 0.0
    emissions_g: float = 0.0
    power_w: float = 0.0
    cpu_s: float = 0.0
    processes: int = 0

    def state(self) -> GroupState:
        return GroupState(self.name, self.energy_j, self.power_w, self.emissions_g, self.cpu_s, self.processes)


class ProcessGroups:
    """The groups, since the start: those named by a process with all that it starts, else all process groups."""

    def __init__(
        self,
        named: Mapping[str, int] | None = None,
        proc_root: str = "/proc",
        processors: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the times at the start.

        Args:
            named: A process id by name of the group. Without, each process group of the machine is a group.
            proc_root: Where the kernel shows processes.
            processors: Number of logical processors; 0: those of this machine.
            clock: In seconds.

        Raises:
            UsageError: where one of the processes does not exist.
        """
        self._clock = clock
        self._proc_root, self._processors = proc_root, processors or os.cpu_count() or 1
        self._named = bool(named)
        self._roots: dict[ProcessKey, str] = {}
        for name, pid in (named or {}).items():
            process = read(proc_root, pid)
            if process is None:
                raise UsageError(f"--pid got {pid}, and there is no such process. `ps -e` lists those that run.")
            self._roots[process[0]] = name
        self._members = dict(self._roots)
        self._groups = {name: _Group(name) for name in named or {}}
        self._others, self._idle = _Group(OTHERS), _Group(IDLE)
        self._energy_j = self._emissions_g = 0.0
        self._period_s = SCAN_PERIOD_S
        self._scanned_s = clock()
        self._processes = scan(proc_root)
        self._assign(self._processes)

    def is_due(self) -> bool:
        """Return whether it is time for the next `update`."""
        return self._clock() - self._scanned_s >= self._period_s

    def update(self, energy_j: float, emissions_g: float) -> None:
        """Apportion what was added since the last update to `energy_j` and `emissions_g`, the processor's totals."""
        begin_cpu_s = time.thread_time()
        now_s, processes = self._clock(), scan(self._proc_root)
        length_s = now_s - self._scanned_s
        if length_s <= 0:
            return
        used = used_ticks(self._processes, processes)
        names = self._assign(processes)
        ticks: dict[str, int] = {}
        for key, count in used.items():
            ticks[names[key]] = ticks.get(names[key], 0) + count
        all_ticks = max(self._processors * length_s * TICKS_PER_S, sum(ticks.values()))
        added = energy_j - self._energy_j, emissions_g - self._emissions_g
        self._credit(ticks, all_ticks, added, length_s)
        self._processes, self._scanned_s = processes, now_s
        self._energy_j, self._emissions_g = energy_j, emissions_g
        self._period_s = max(SCAN_PERIOD_S, (time.thread_time() - begin_cpu_s) / CPU_SHARE)

    def states(self) -> tuple[GroupState, ...]:
        """Return the groups, those with the most power first; at the end the others, and idle time."""
        groups = sorted(self._groups.values(), key=lambda group: -group.power_w)
        return tuple(group.state() for group in (*groups, self._others, self._idle))

    def _credit(self, ticks: Mapping[str, int], all_ticks: float, added: tuple[float, float], length_s: float) -> None:
        energy_j, grams = added
        everyone = [*self._groups.values(), self._others]
        shares = {group.name: ticks.get(group.name, 0) / all_ticks for group in everyone}
        shares[IDLE] = max(0, all_ticks - sum(ticks.get(group.name, 0) for group in everyone)) / all_ticks
        for group in (*everyone, self._idle):
            share = shares[group.name]
            group.energy_j += share * energy_j
            group.emissions_g += share * grams
            group.power_w = share * energy_j / length_s
            group.cpu_s += share * all_ticks / TICKS_PER_S
        if not self._named and len(self._groups) > MAX_GROUPS:
            for group in sorted(self._groups.values(), key=lambda each: each.energy_j)[:-MAX_GROUPS]:
                self._others.energy_j += group.energy_j
                self._others.emissions_g += group.emissions_g
                self._others.cpu_s += group.cpu_s
                self._others.processes += group.processes
                del self._groups[group.name]

    def _assign(self, processes: Mapping[ProcessKey, ProcessTimes]) -> dict[ProcessKey, str]:
        """Return the name of the group of each process, and count the processes of each group."""
        names = self._names_by_root(processes) if self._named else self._names_by_process_group(processes)
        counts: dict[str, int] = {}
        for name in names.values():
            counts[name] = counts.get(name, 0) + 1
            if name != OTHERS:
                self._groups.setdefault(name, _Group(name))
        for group in (*self._groups.values(), self._others):
            group.processes = counts.get(group.name, 0)
        return names

    def _names_by_process_group(self, processes: Mapping[ProcessKey, ProcessTimes]) -> dict[ProcessKey, str]:
        """Return for each process the program that leads its process group, with the group's id."""
        leaders = {key[0]: times.name for key, times in processes.items() if key[0] == times.group}
        return {
            key: f"{leaders.get(times.group, times.name)} ({times.group})" if times.group > 0 else "kernel"
            for key, times in processes.items()
        }

    def _names_by_root(self, processes: Mapping[ProcessKey, ProcessTimes]) -> dict[ProcessKey, str]:
        """Return for each process the group of its nearest ancestor that has one. Members stay so without parents."""
        keys = {key[0]: key for key in processes}
        members = {key: name for key, name in self._members.items() if key in processes}
        names: dict[ProcessKey, str] = {}
        for key in processes:
            line: list[ProcessKey] = []
            current = key
            while current not in names and current not in members and len(line) <= len(processes):
                line.append(current)
                parent = keys.get(processes[current].parent)
                if parent is None or parent == current:
                    break
                current = parent
            name = names.get(current) or members.get(current) or OTHERS
            names.update(dict.fromkeys((*line, key), name))
        self._members = {key: name for key, name in names.items() if name != OTHERS}
        return names
