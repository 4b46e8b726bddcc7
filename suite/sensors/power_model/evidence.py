"""What an estimate of this machine's power rests on: the chain of evidence, by interval score the best first.

1. `model`: servers with processors of its architecture, in published results, scaled to the rated power of its own.
2. `instance`: EC2 instances on hosts like those that Teads measured.
3. `architecture`: the same servers as for `model`, by hardware thread.
4. `rated`: Teads' curve, scaled to the rated power of a processor of any kind.

Where none fits, only codecarbon's model is left (`codecarbon`). The range of each step is that of the machines it was
tested on, each left out in turn (`aggregates`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from joulemark.suite.sensors.power_model import aggregates
from joulemark.suite.sensors.power_model.aggregates import RAM_W_PER_GB, Hosts, UnitPower
from joulemark.suite.sensors.power_model.architectures import architecture_of
from joulemark.suite.sensors.power_model.host import EC2, Host
from joulemark.suite.sensors.power_model.rated_power import rated_share_w, short_name, source

RAM_SOURCE = (
    f"{RAM_W_PER_GB:g} W/GB, with which SPECpower_ssj2008 results agree best, for memory that the evidence on the "
    "processor leaves out; up to 0.392 W/GB is published"
)


CURVE: Final = ((0.0, 0.1, 0.5, 1.0), (0.12, 0.32, 0.75, 1.02))
"""Loads, and the share of its rated power that a processor draws at each (Davy 2021, Teads: Building an AWS EC2 Carbon
Emissions Dataset)."""


@dataclass(frozen=True)
class Evidence:
    """This machine's power over its load, where that comes from, and how far it can be believed."""

    step: Literal["model", "instance", "architecture", "rated"]
    subject: str
    """What was measured, and where: `26 servers with EPYC 9005 processors at the wall`."""
    covers: str
    """Under which load it was measured, what is in it, and how it is divided."""
    source: str
    """Who published it, and its licence."""
    loads: tuple[float, ...]
    watts: tuple[float, ...]
    """This machine's power at each of `loads`."""
    gain: tuple[float, float]
    """Low and high limits of true over estimated power."""
    ram_w: float
    """The power of memory that `watts` do not include, at any load; 0 if they include all."""

    @property
    def memory(self) -> str:
        """What `ram_w` rests on, in short."""
        return f"{RAM_W_PER_GB:g} W/GB"

    def power_w(self, load: float) -> float:
        """Return the power at `load`, the share of time that the logical processors are busy: linear in between."""
        for (low, low_w), (high, high_w) in pairwise(zip(self.loads, self.watts, strict=True)):
            if load <= high:
                return low_w + (high_w - low_w) * max(0.0, load - low) / (high - low)
        return self.watts[-1]

    def text(self) -> str:
        """Return all of it in words."""
        low, high = self.gain
        idle_w, full_w = self.watts[0], self.watts[-1]
        power = f"{idle_w:.2g} W idle to {full_w:.2g} W at full load, times {low:.2g} to {high:.2g}"
        return f"{self.subject}: {power}. {self.covers} Source: {self.source}"


def best_evidence(host: Host) -> Evidence | None:
    """Return the strongest evidence on `host`; None where no server that was measured is like it."""
    architecture = architecture_of(host.cpu_name, host.cpu_numbers) or ""
    rated, hosts = aggregates.servers("rated_w").get(architecture), aggregates.hosts()
    rated_w = rated_share_w(host, rated.threads_per_core) if rated else None
    if rated and rated_w:
        return _of_model(host, architecture, rated, rated_w)
    if host.provider == EC2 and architecture in hosts.architectures:
        return _of_instance(host, hosts)
    power = aggregates.servers("thread").get(architecture)
    return _of_architecture(host, architecture, power) if power else None


def rated_evidence(host: Host, cpu: str, rated_w: float) -> Evidence:
    """Return the evidence on a machine, no guest, of which the rated power of all processors is known."""
    return Evidence(
        step="rated",
        subject=f"Teads' curve for the rated power of {cpu}, {rated_w:.3g} W",
        covers=(
            "It is the package power of EC2's hosts (RAPL) under an all-core stress test, without memory, board, fans "
            "and power supply."
        ),
        source="Teads, 2021; rated power by codecarbon (MIT licence).",
        loads=CURVE[0],
        watts=tuple(rated_w * share for share in CURVE[1]),
        gain=aggregates.ranges()["rated"],
        ram_w=RAM_W_PER_GB * host.memory_gb,
    )


def _of_instance(host: Host, hosts: Hosts) -> Evidence:
    return Evidence(
        step="instance",
        subject=f"package power of {hosts.machines} hosts like {host.instance or 'this EC2 instance'}'s",
        covers=(
            f"Under an all-core stress test (RAPL), with {' or '.join(hosts.architectures)} processors, without "
            f"memory, board, fans and power supply, divided evenly among the hosts' virtual CPUs; {_as_loaded(host)}."
        ),
        source=f"{aggregates.source('ec2')}.",
        loads=hosts.loads,
        watts=tuple(host.threads * watts for watts in hosts.watts),
        gain=aggregates.ranges()["instance"],
        ram_w=RAM_W_PER_GB * host.memory_gb,
    )


def _of_model(host: Host, architecture: str, power: UnitPower, rated_w: float) -> Evidence:
    servers = f"{power.machines} servers with {architecture} processors at the wall"
    return _of_servers(
        host,
        "model",
        power,
        rated_w,
        subject=f"{servers}, scaled to the rated power of {short_name(host.cpu_name)}",
        unit="rated watt",
        division=f"{rated_w:.3g}" + (", a hardware thread for each virtual CPU" if host.is_guest else ""),
        source=f"{aggregates.source('servers')}; {source()}.",
    )


def _of_architecture(host: Host, architecture: str, power: UnitPower) -> Evidence:
    threads = float(host.threads)
    if not host.is_guest:
        threads *= power.threads_per_core / host.threads_per_core
    return _of_servers(
        host,
        "architecture",
        power,
        threads,
        subject=f"{power.machines} servers with {architecture} processors at the wall",
        unit="hardware thread",
        division="one for each virtual CPU" if host.is_guest else "all",
        source=f"{aggregates.source('servers')}.",
    )


def _of_servers(
    host: Host,
    step: Literal["model", "architecture"],
    power: UnitPower,
    units: float,
    *,
    subject: str,
    unit: str,
    division: str,
    source: str,
) -> Evidence:
    """Return the power of `units` of such servers. `division` says how many of them this machine has."""
    low, high = aggregates.ranges()[step]
    if host.is_guest and host.threads_per_core < power.threads_per_core:
        high *= power.threads_per_core
        division += " (a whole core is within the range)"
    loads, shares = aggregates.load_shape()
    memory_w = aggregates.memory_w(power, units, host.memory_gb)
    idle_w, full_w = (units * watts + min(0.0, memory_w) for watts in (power.idle_w, power.full_w))
    return Evidence(
        step=step,
        subject=subject,
        covers=(
            f"Under a Java load, with {power.memory_gb:.2g} GB of memory a {unit}, and idle power included, divided "
            f"evenly among {unit}s, of which this machine has {division}; {_as_loaded(host)}."
        ),
        source=source,
        loads=loads,
        watts=tuple(idle_w + (full_w - idle_w) * share for share in shares),
        gain=(low, high),
        ram_w=max(0.0, memory_w),
    )


def _as_loaded(host: Host) -> str:
    place = f"in {host.provider}, " if host.provider else ""
    return f"{place}as if all of the host were loaded like this guest" if host.is_guest else "this is the whole machine"
