"""What an estimate of this machine's power rests on: the chain of evidence, strongest first.

1. `instance`: EC2 instances on hosts like those that Teads measured.
2. `architecture`: servers with processors of its architecture, in published results.

Where neither fits, only codecarbon's model is left (`codecarbon`). The range of each step is that of the machines it
was tested on, each left out in turn (`aggregates`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from joulemark.suite.sensors.power_model import aggregates
from joulemark.suite.sensors.power_model.aggregates import RAM_W_PER_GB, Hosts, ThreadPower
from joulemark.suite.sensors.power_model.architectures import architecture_of
from joulemark.suite.sensors.power_model.host import EC2, Host

RAM_SOURCE = (
    f"{RAM_W_PER_GB:g} W/GB, with which SPECpower_ssj2008 results agree best, for memory that the evidence on the "
    "processor leaves out; up to 0.392 W/GB is published"
)


@dataclass(frozen=True)
class Evidence:
    """This machine's power over its load, where that comes from, and how far it can be believed."""

    step: Literal["instance", "architecture"]
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
    """Return the strongest evidence on `host`; None where nothing that was measured is like it."""
    architecture = architecture_of(host.cpu_name, host.cpu_numbers)
    hosts = aggregates.hosts()
    if host.provider == EC2 and architecture in hosts.architectures:
        return _of_instance(host, hosts)
    power = aggregates.servers().get(architecture or "")
    return _of_servers(host, f"{architecture} processors", power) if power else None


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


def _of_servers(host: Host, kind: str, power: ThreadPower) -> Evidence:
    low, high = aggregates.ranges()["architecture"]
    threads, division = float(host.threads), "hardware threads, of which this machine has all"
    if host.is_guest:
        division = "hardware threads, of which each virtual CPU is one"
        if host.threads_per_core < power.threads_per_core:
            high *= power.threads_per_core
            division += " (a whole core is within the range)"
    else:
        threads *= power.threads_per_core / host.threads_per_core
    loads, shares = aggregates.load_shape()
    memory_w = aggregates.memory_w(power, threads, host.memory_gb)
    idle_w, full_w = (threads * watts + min(0.0, memory_w) for watts in (power.idle_w, power.full_w))
    return Evidence(
        step="architecture",
        subject=f"{power.machines} servers with {kind} at the wall",
        covers=(
            f"Under a Java load, with {power.memory_gb:.2g} GB of memory a thread, and idle power included, divided "
            f"evenly among {division}; {_as_loaded(host)}."
        ),
        source=f"{aggregates.source('servers')}.",
        loads=loads,
        watts=tuple(idle_w + (full_w - idle_w) * share for share in shares),
        gain=(low, high),
        ram_w=max(0.0, memory_w),
    )


def _as_loaded(host: Host) -> str:
    place = f"in {host.provider}, " if host.provider else ""
    return f"{place}as if all of the host were loaded like this guest" if host.is_guest else "this is the whole machine"
