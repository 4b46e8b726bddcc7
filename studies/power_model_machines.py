"""Machines with published power, each estimated from the others: what the study of the power model compares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median

import numpy as np

from joulemark.suite.sensors.power_model.aggregates import RAM_W_PER_GB, UnitPower, data, memory_w
from joulemark.suite.sensors.power_model.evidence import CURVE
from joulemark.suite.sensors.power_model.rated_power import FILE
from studies.left_out import Machine
from studies.power_model_data import LEVELS, Host, Profile, Server

FEWEST = 5
"""Servers of an architecture from which its power is taken."""
Unit = Callable[[Server], float | None]
Choice = Callable[[Server, Iterable[Server]], list[Server]]


def threads(server: Server) -> float:
    """Return the hardware threads of a server."""
    return server.threads


def rated_w(server: Server) -> float | None:
    """Return the rated power of a server's processors, watts; None where it is not in the package's table."""
    watts = data(FILE)["rated_w"].get(server.cpu)
    return None if watts is None else float(watts * server.chips)


UNITS: Mapping[str, Unit] = {"thread": threads, "rated_w": rated_w}


def with_unit(table: Iterable[Server], unit: Unit) -> list[tuple[Server, float]]:
    """Return the servers whose number of units is known, with that number."""
    return [(server, units) for server in table if (units := unit(server)) is not None]


def unit_power(servers: Sequence[Server], unit: Unit = threads) -> UnitPower:
    """Return what a unit has in `servers`: the median over processors of the median over their machines."""
    by_cpu: dict[str, list[tuple[Server, float]]] = {}
    for server, units in with_unit(servers, unit):
        by_cpu.setdefault(server.cpu, []).append((server, units))

    def middle(quantity: Callable[[Server, float], float | None]) -> float:
        groups = ([value for pair in same if (value := quantity(*pair)) is not None] for same in by_cpu.values())
        return median([median(group) for group in groups if group] or [0.0])

    return UnitPower(
        machines=sum(map(len, by_cpu.values())),
        idle_w=middle(lambda server, units: server.idle_w / units),
        full_w=middle(lambda server, units: server.full_w / units),
        memory_gb=middle(lambda server, units: server.memory_gb and server.memory_gb / units),
        threads_per_core=round(middle(lambda server, _: server.threads / server.cores)),
    )


def host_power(hosts: Sequence[Host]) -> list[float]:
    """Return the power of a virtual CPU at each load: the median over `hosts`."""
    return [median(watts) for watts in zip(*(host.watts for host in hosts), strict=True)]


def half_load(curves: Iterable[tuple[float, ...]]) -> float:
    """Return how much of the way from idle to full power is gone at half load: the median, to 0.01."""
    middle = LEVELS.index(50)
    return round(median((w[middle] - w[0]) / (w[-1] - w[0]) for w in curves if w[-1] > w[0]), 2)


def twins(server: Server, table: Iterable[Server]) -> list[Server]:
    """Return the others with its processor."""
    return [other for other in table if other.cpu == server.cpu and other is not server]


def relatives(server: Server, table: Iterable[Server]) -> list[Server]:
    """Return those of its architecture with other processors."""
    others = [other for other in table if other.architecture == server.architecture and other.cpu != server.cpu]
    return others if len(others) >= FEWEST else []


def left_out_servers(
    table: Sequence[Server], unit: Unit = threads, choose: Choice = relatives, w_per_gb: float = RAM_W_PER_GB
) -> dict[Server, Machine]:
    """Return each server that others estimate."""
    known = [server for server, _ in with_unit(table, unit)]
    machines = {}
    for server in known:
        if others := choose(server, known):
            machines[server] = compared(server, estimated_w(server, others, unit, w_per_gb))
    return machines


def compared(server: Server, estimates: Sequence[float]) -> Machine:
    """Return a server beside estimates of its power idle and at full load."""
    name = f"{server.vendor} {server.system}, {server.cpu}"
    return Machine(name, server.architecture, ratios((server.idle_w, server.full_w), estimates))


def estimated_w(
    server: Server, others: Sequence[Server], unit: Unit = threads, w_per_gb: float = RAM_W_PER_GB
) -> tuple[float, float]:
    """Return the power of `server` idle and at full load as `others` estimate it, with its memory."""
    power, units = unit_power(others, unit), unit(server) or 0.0
    extra_w = 0.0 if server.memory_gb is None else memory_w(power, units, server.memory_gb, w_per_gb)
    return units * power.idle_w + extra_w, units * power.full_w + extra_w


def left_out_hosts(hosts: Sequence[Host]) -> list[Machine]:
    """Return each of Teads' hosts, estimated from the others."""
    return [
        Machine(
            host.cpu,
            f"EC2, {host.cpu.split()[-1]}",
            ratios(host.watts, host_power([other for other in hosts if other is not host])),
        )
        for host in hosts
    ]


def codecarbon_machines(profiles: Iterable[Profile]) -> list[Machine]:
    """Return each of codecarbon's machines under its model, TDP x (0.1 + 0.9 load^3), against RAPL."""
    return _profiled(profiles, lambda load: 0.1 + 0.9 * load**3)


def rated_machines(profiles: Iterable[Profile]) -> list[Machine]:
    """Return each of codecarbon's machines under Teads' curve, TDP x the share at its load, against RAPL."""
    return _profiled(profiles, lambda load: float(np.interp(load, *CURVE)))


def _profiled(profiles: Iterable[Profile], share: Callable[[float], float]) -> list[Machine]:
    machines = []
    for profile in profiles:
        estimates = [profile.tdp_w * share(load) for load, _ in profile.points]
        machines.append(Machine(profile.name, profile.name, ratios([w for _, w in profile.points], estimates)))
    return machines


def ratios(measured: Sequence[float], estimates: Sequence[float]) -> tuple[float, ...]:
    """Return measured over estimated power, pair by pair."""
    return tuple(true_w / watts for true_w, watts in zip(measured, estimates, strict=True))
