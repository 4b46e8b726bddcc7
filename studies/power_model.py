"""How far the power model can be believed: each machine with published power left out, and estimated from the others.

`python -m studies.power_model SERVERS INSTANCES PROFILES LEVELS` writes our statistics over these published files
(docs/power.md says where they are) to `suite/sensors/power_model/data` and prints the tables of docs/power.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from joulemark.suite.sensors.power_model.aggregates import RAM_W_PER_GB, ThreadPower, memory_w
from studies import power_model_data
from studies.left_out import Machine, evaluate, is_covered, lower_bound, rounded, score
from studies.power_model_data import HOST_LOADS, LEVELS, Host, Profile, Server, architecture_of_name

ROOT = Path(__file__).parent.parent
DATA = ROOT / "suite" / "sensors" / "power_model" / "data"
FEWEST = 5
"""Servers of an architecture from which its power is taken."""
W_PER_GB = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.392)
STEPS = {
    "instance": ("EC2 host, from the other hosts", "package"),
    "architecture": ("server, from other processors of its architecture", "wall"),
    "codecarbon": ("machine, by codecarbon's model", "package"),
}
CCF = "table of Cloud Carbon Footprint, ccf-coefficients b0032d92, Apache-2.0"
SOURCES = {
    "servers": f"our medians over SPECpower_ssj2008 results of spec.org as of 2026-03-09 ({CCF})",
    "ec2": f"our medians over Teads' measurements of EC2 hosts, 2021 ({CCF})",
    "load_shape": "our median over SPECpower_ssj2008 results of spec.org (table of spec-power-model of "
    "green-coding-solutions 9739f29c, AGPL-3.0)",
    "codecarbon": "our ratios to codecarbon's load profiles of 2025-01-14 (mlco2/codecarbon b05965e4, MIT)",
}


@dataclass(frozen=True)
class Sources:
    """What the published files hold."""

    servers: list[Server]
    hosts: list[Host]
    profiles: list[Profile]
    curves: list[tuple[float, ...]]
    """The power of each result at eleven loads."""
    levels: list[Server]
    """Those of them whose processor and size are known."""


def main(paths: Sequence[str]) -> None:
    """Write the statistics and print the tables."""
    sources = read(paths)
    document = study(sources)
    for name, content in (("aggregates.json", aggregates(sources)), ("ranges.json", document)):
        (DATA / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(tables(document))


def read(paths: Sequence[str]) -> Sources:
    """Return what the files SERVERS INSTANCES PROFILES LEVELS hold."""
    servers, instances, profiles, levels = map(Path, paths)
    return Sources(
        power_model_data.read_servers(servers),
        power_model_data.read_hosts(instances),
        power_model_data.read_profiles(profiles),
        *power_model_data.read_levels(levels),
    )


def aggregates(sources: Sources) -> dict[str, Any]:
    """Return what the package estimates from."""
    by_architecture: dict[str, list[Server]] = {}
    for server in sources.servers:
        by_architecture.setdefault(server.architecture, []).append(server)
    enough = {name: thread_power(same) for name, same in sorted(by_architecture.items()) if len(same) >= FEWEST}
    return {
        "servers": {
            "source": SOURCES["servers"],
            "architectures": {
                name: {key: rounded(value) if isinstance(value, float) else value for key, value in vars(row).items()}
                for name, row in enough.items()
            },
        },
        "ec2": {
            "source": SOURCES["ec2"],
            "machines": len(sources.hosts),
            "architectures": sorted({architecture_of_name(host.cpu) or "" for host in sources.hosts}),
            "loads": list(HOST_LOADS.values()),
            "w_per_vcpu": [rounded(watts) for watts in host_power(sources.hosts)],
        },
        "load_shape": {
            "source": SOURCES["load_shape"],
            "machines": len(sources.curves),
            "share_at_half_load": half_load(sources.curves),
        },
    }


def study(sources: Sources) -> dict[str, Any]:
    """Return the range, coverage and interval score of each step, and that of servers over watts per GB of memory."""
    machines = {
        "instance": left_out_hosts(sources.hosts),
        "architecture": left_out_servers(sources.servers),
        "codecarbon": codecarbon_machines(sources.profiles),
    }
    steps = {step: evaluate(left_out) for step, left_out in machines.items()}
    for step, kind in (("instance", "ec2"), ("architecture", "servers"), ("codecarbon", "codecarbon")):
        steps[step]["source"] = SOURCES[kind]
    return {
        "steps": steps,
        "memory": [
            {"w_per_gb": watts, "score": rounded(score(left_out_servers(sources.servers, _twins, watts)))}
            for watts in W_PER_GB
        ],
        "all_loads": all_loads(sources, steps["architecture"]),
    }


def thread_power(servers: Sequence[Server]) -> ThreadPower:
    """Return what a thread has in `servers`: the median over processors of the median over their machines."""
    by_cpu: dict[str, list[Server]] = {}
    for server in servers:
        by_cpu.setdefault(server.cpu, []).append(server)

    def middle(quantity: Callable[[Server], float | None]) -> float:
        groups = ([value for server in same if (value := quantity(server)) is not None] for same in by_cpu.values())
        return median([median(group) for group in groups if group] or [0.0])

    return ThreadPower(
        machines=len(servers),
        idle_w=middle(lambda server: server.idle_w / server.threads),
        full_w=middle(lambda server: server.full_w / server.threads),
        memory_gb=middle(lambda server: server.memory_gb and server.memory_gb / server.threads),
        threads_per_core=round(middle(lambda server: server.threads / server.cores)),
    )


def host_power(hosts: Sequence[Host]) -> list[float]:
    """Return the power of a virtual CPU at each load: the median over `hosts`."""
    return [median(watts) for watts in zip(*(host.watts for host in hosts), strict=True)]


def half_load(curves: Iterable[tuple[float, ...]]) -> float:
    """Return how much of the way from idle to full power is gone at half load: the median, to 0.01."""
    middle = LEVELS.index(50)
    return round(median((w[middle] - w[0]) / (w[-1] - w[0]) for w in curves if w[-1] > w[0]), 2)


Choice = Callable[[Server, Iterable[Server]], list[Server]]


def _twins(server: Server, table: Iterable[Server]) -> list[Server]:
    """Return the others with its processor."""
    return [other for other in table if other.cpu == server.cpu and other is not server]


def _relatives(server: Server, table: Iterable[Server]) -> list[Server]:
    """Return those of its architecture with other processors."""
    others = [other for other in table if other.architecture == server.architecture and other.cpu != server.cpu]
    return others if len(others) >= FEWEST else []


def left_out_servers(
    table: Sequence[Server], choose: Choice = _relatives, w_per_gb: float = RAM_W_PER_GB
) -> list[Machine]:
    """Return each server that others estimate."""
    machines = []
    for server in table:
        if others := choose(server, table):
            ratios = _ratios((server.idle_w, server.full_w), estimated_w(server, others, w_per_gb))
            machines.append(Machine(f"{server.vendor} {server.system}, {server.cpu}", server.architecture, ratios))
    return machines


def estimated_w(server: Server, others: Sequence[Server], w_per_gb: float = RAM_W_PER_GB) -> tuple[float, float]:
    """Return the power of `server` idle and at full load as `others` estimate it, with its memory."""
    power = thread_power(others)
    extra_w = 0.0 if server.memory_gb is None else memory_w(power, server.threads, server.memory_gb, w_per_gb)
    return server.threads * power.idle_w + extra_w, server.threads * power.full_w + extra_w


def left_out_hosts(hosts: Sequence[Host]) -> list[Machine]:
    """Return each of Teads' hosts, estimated from the others."""
    return [
        Machine(
            host.cpu,
            f"EC2, {host.cpu.split()[-1]}",
            _ratios(host.watts, host_power([other for other in hosts if other is not host])),
        )
        for host in hosts
    ]


def codecarbon_machines(profiles: Iterable[Profile]) -> list[Machine]:
    """Return each of codecarbon's machines under its model, TDP x (0.1 + 0.9 load^3), against RAPL."""
    machines = []
    for profile in profiles:
        estimates = [profile.tdp_w * (0.1 + 0.9 * load**3) for load, _ in profile.points]
        machines.append(Machine(profile.name, profile.name, _ratios([w for _, w in profile.points], estimates)))
    return machines


def all_loads(sources: Sources, limits: dict[str, Any]) -> dict[str, Any]:
    """Return how often the range covers a server at all of eleven loads, estimated without its own system."""
    half = half_load(sources.curves)
    covered = []
    for server in sources.levels:
        table = [other for other in sources.servers if other.system.casefold() != server.system.casefold()]
        if others := _relatives(server, table):
            idle_w, full_w = estimated_w(server, others)
            shares = (half * x / 50 if x <= 50 else half + (1 - half) * (x - 50) / 50 for x in LEVELS)
            ratios = _ratios(server.levels_w, [idle_w + (full_w - idle_w) * share for share in shares])
            covered.append(is_covered(Machine("", "", ratios), (limits["low"], limits["high"])))
    bound = lower_bound(sum(covered), len(covered))
    return {"machines": len(covered), "covered": sum(covered), "coverage_low": rounded(bound)}


def _ratios(measured: Sequence[float], estimates: Sequence[float]) -> tuple[float, ...]:
    return tuple(true_w / watts for true_w, watts in zip(measured, estimates, strict=True))


def tables(document: dict[str, Any]) -> str:
    """Return the tables of docs/power.md."""
    lines = [
        "| left out, and estimated | scope | machines | pairs | true over estimated | covered | at least | score |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for step, row in document["steps"].items():
        title, scope = STEPS[step]
        lines.append(
            f"| {title} | {scope} | {row['machines']} | {row['pairs']} | {row['low']:.2f} to {row['high']:.2f} "
            f"| {row['covered']} ({row['covered'] / row['machines']:.0%}) | {row['coverage_low']:.1%} "
            f"| {row['interval_score']:.2f} |"
        )
    lines += ["", "| W/GB of memory | " + " | ".join(f"{row['w_per_gb']:g}" for row in document["memory"]) + " |"]
    lines.append("|---" * (len(document["memory"]) + 1) + "|")
    lines.append("| score | " + " | ".join(f"{row['score']:.2f}" for row in document["memory"]) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit("python -m studies.power_model SERVERS INSTANCES PROFILES LEVELS: see docs/power.md")
    main(sys.argv[1:])
