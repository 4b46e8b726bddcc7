"""The sensor `power_model`: this machine's power from its load and the best evidence there is, a second opinion beside.

The load is the share of time that the logical processors are busy, the machine's and not a container's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from joulemark.suite.energy.components import SECOND_OPINION
from joulemark.suite.records import Channel
from joulemark.suite.sensors.base import Finding, FindResult, Sensor, SensorOptions, median_cost_s
from joulemark.suite.sensors.power_model import codecarbon
from joulemark.suite.sensors.power_model.aggregates import RAM_RANGE
from joulemark.suite.sensors.power_model.codecarbon import PERIOD_S, SHORTEST_S
from joulemark.suite.sensors.power_model.evidence import RAM_SOURCE, Evidence, best_evidence, rated_evidence
from joulemark.suite.sensors.power_model.host import Host, describe

NAME = "power_model"


class PowerModel(Sensor):
    """The power of this machine by `evidence`, and by codecarbon's model beside it."""

    name = NAME
    period_s = PERIOD_S

    def __init__(self, evidence: Evidence, load: Callable[[], float], second: codecarbon.Model | None) -> None:
        """`load` returns the mean load since its last call, 0 to 1; `second` is None where codecarbon's model fails."""
        super().__init__(_channels(evidence, second))
        self._evidence, self._load, self._second = evidence, load, second
        self._last_s = time.monotonic()

    def read(self) -> tuple[float | None, ...]:
        now_s = time.monotonic()
        by_load: tuple[float | None, float | None] = None, None
        if now_s - self._last_s >= SHORTEST_S:
            self._last_s = now_s
            by_load = self._evidence.power_w(self._load()), self._second.cpu_w() if self._second else None
        ram_w = (self._evidence.ram_w,) if self._evidence.ram_w else ()
        second = (by_load[1], self._second.ram_w) if self._second else ()
        return by_load[0], *ram_w, *second


class BusyShare:
    """The share of time that the logical processors were busy since the last call.

    Time that the hypervisor gave to other guests counts as idle: this guest's threads then drew nothing.
    """

    def __init__(self) -> None:
        self._busy_s, self._all_s = self._times()

    def __call__(self) -> float:
        last = self._busy_s, self._all_s
        self._busy_s, self._all_s = self._times()
        passed_s = self._all_s - last[1]
        return min(1.0, max(0.0, (self._busy_s - last[0]) / passed_s)) if passed_s > 0 else 0.0

    @staticmethod
    def _times() -> tuple[float, float]:
        import psutil

        times = psutil.cpu_times()
        # `user` and `nice` contain the time of guests (Documentation/filesystems/proc.rst).
        busy_s = sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq"))
        return busy_s, busy_s + sum(getattr(times, name, 0.0) for name in ("idle", "iowait", "steal"))


def find(options: SensorOptions) -> FindResult:
    """Look for evidence, and set up codecarbon's model beside it; without evidence, that model alone."""
    host = describe(options.dmi_root, options.proc_root)
    evidence = best_evidence(host)
    second, opinion = _second_opinion()
    evidence = evidence or by_rated_power(host, second)
    if evidence is None:
        only = codecarbon.result_of(second) if second else codecarbon.find(options)
        return FindResult(only.sensor, (_without_evidence(host), *only.findings))
    sensor = PowerModel(evidence, BusyShare(), second)
    low, high = RAM_RANGE
    memory = f" Memory beyond that: {evidence.ram_w:.2g} W, times {low:g} to {high:g}." if evidence.ram_w else ""
    reason = f"an estimate from {evidence.text()}{memory} {opinion}"
    finding = Finding(NAME, found=True, readable=True, reason=reason, read_cost_s=median_cost_s(sensor.read))
    return FindResult(sensor, (finding,))


def by_rated_power(host: Host, second: codecarbon.Model | None) -> Evidence | None:
    """Return the evidence on a whole machine whose processors codecarbon knows by name; None on others."""
    return rated_evidence(host, second.cpu, second.tdp_w) if second and second.known and not host.is_guest else None


def _without_evidence(host: Host) -> Finding:
    reason = f"no measured server or cloud host is like this machine ({host.cpu_name or 'its processor has no name'})"
    return Finding(NAME, found=False, readable=False, reason=reason)


def _second_opinion() -> tuple[codecarbon.Model | None, str]:
    """Return codecarbon's model, and what it says in words, or why it says nothing."""
    try:
        model = codecarbon.load_model()
    except (ImportError, codecarbon.ModelError) as error:
        return None, f"No second opinion by codecarbon: {error}."
    origin = "" if model.known else ", for a processor that it does not know"
    opinion = f"Second opinion, by codecarbon: up to {model.tdp_w:.3g} W{origin}, and {model.ram_w:.3g} W for memory."
    return model, opinion


def _channels(evidence: Evidence, second: codecarbon.Model | None) -> list[Channel]:
    model = partial(Channel, scope="host", unit="W", kind="model")
    of_cpu = {"source": evidence.text(), "evidence": evidence.subject}
    channels = [model(component="cpu", average_s=PERIOD_S, gain=evidence.gain, **of_cpu)]
    if evidence.ram_w:
        channels.append(model(component="ram", gain=RAM_RANGE, source=RAM_SOURCE, evidence=evidence.memory))
    if second is not None:
        channels += second.channels(*SECOND_OPINION)
    return channels
