"""A snapshot as Prometheus metrics: served, or in a file for node_exporter. prometheus_client writes the format.

Energy is a counter, since a gauge of watts loses what happens between two scrapes. Nothing here says who runs what: no
host, user, command or path; groups of processes have the names that the user gave them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server, write_to_textfile
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from joulemark import __version__
from joulemark.suite.errors import MeasurementError, UsageError
from joulemark.suite.watch.process_groups import IDLE, OTHERS
from joulemark.suite.watch.snapshot import ComponentState, GroupState, Snapshot, Temperature

COMPONENT_LABELS: Final = ("component", "scope", "gpu", "uuid", "sensor", "source")
GROUP_LABELS: Final = ("group", "source")


def families(snapshot: Snapshot) -> Iterator[Metric]:
    """Yield the metrics of a snapshot. A component whose sensor is silent has none, until it has a value again."""
    spoken = [component for component in snapshot.components if component.silent_s is None]
    counted = [component for component in spoken if component.counted]
    yield _components("joulemark_energy_joules", "Energy of the parts of this machine.", counted, _energy_j)
    yield _power("joulemark_power_watts", "Mean power of the parts over the last interval.", counted)
    yield _components(
        "joulemark_emissions_grams", "CO2e of that energy, PUE included.", counted, lambda each: each.emissions_g
    )
    yield _components(
        "joulemark_unmeasured_seconds",
        "Time whose energy joulemark_energy_joules_total lacks, all or in part.",
        [component for component in snapshot.components if component.counted],
        lambda each: each.unmeasured_s,
    )
    listed = [component for component in spoken if not component.counted]
    also = "what contains those parts, or is estimated beside what is measured. Never add the two."
    yield _components("joulemark_listed_energy_joules", f"Energy of {also}", listed, _energy_j)
    yield _power("joulemark_listed_power_watts", f"Mean power of {also}", listed)
    yield from _groups([group for group in snapshot.groups if group.name not in (OTHERS, IDLE)])
    yield _temperatures(snapshot.temperatures)
    yield from _grid(snapshot)


def _energy_j(component: ComponentState) -> float:
    return component.energy_j


def _component_labels(component: ComponentState) -> list[str]:
    gpu = component.gpu
    which = [component.scope, "", ""] if gpu is None else ["", str(gpu.index), gpu.uuid]
    return [component.component, *which, component.sensor, component.source]


def _components(
    name: str, text: str, components: list[ComponentState], value: Callable[[ComponentState], float]
) -> Metric:
    family = CounterMetricFamily(name, text, labels=COMPONENT_LABELS)
    for component in components:
        family.add_metric(_component_labels(component), value(component))
    return family


def _power(name: str, text: str, components: list[ComponentState]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=COMPONENT_LABELS)
    for component in components:
        if component.power_w is not None:
            family.add_metric(_component_labels(component), component.power_w)
    return family


def _groups(groups: list[GroupState]) -> Iterator[Metric]:
    text = "of the processor, apportioned to a group of processes by CPU time."
    energy = CounterMetricFamily("joulemark_group_energy_joules", f"Energy {text}", labels=GROUP_LABELS)
    power = GaugeMetricFamily("joulemark_group_power_watts", f"Mean power {text}", labels=GROUP_LABELS)
    grams = CounterMetricFamily("joulemark_group_emissions_grams", f"CO2e {text}", labels=GROUP_LABELS)
    for group in groups:
        labels = [group.name, "estimated"]
        energy.add_metric(labels, group.energy_j)
        power.add_metric(labels, group.power_w)
        grams.add_metric(labels, group.emissions_g)
    yield from (energy, power, grams)


def _temperatures(temperatures: tuple[Temperature, ...]) -> Metric:
    family = GaugeMetricFamily(
        "joulemark_temperature_celsius", "Temperature of a GPU.", labels=("component", "gpu", "uuid")
    )
    for each in temperatures:
        index = "" if each.gpu is None else str(each.gpu.index)
        family.add_metric(["gpu", index, each.uuid], each.celsius)
    return family


def _grid(snapshot: Snapshot) -> Iterator[Metric]:
    intensity = GaugeMetricFamily(
        "joulemark_carbon_intensity_grams_per_kwh",
        "CO2e per kilowatt-hour of electricity that emissions are computed with at present.",
        labels=("zone",),
    )
    record = snapshot.emissions.intensity
    intensity.add_metric([record.zone or ""], record.g_per_kwh)
    yield intensity
    yield GaugeMetricFamily("joulemark_pue_ratio", "Power usage effectiveness.", value=snapshot.emissions.pue.value)
    version = GaugeMetricFamily("joulemark_build_info", "The version of joulemark.", labels=("version",))
    version.add_metric([__version__], 1)
    yield version


class SnapshotCollector(Collector):
    """Takes a snapshot for each scrape."""

    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        """`snapshot` may be called from any thread."""
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of the moment; none once nothing is measured any more, as the command is about to end."""
        try:
            snapshot = self._snapshot()
        except MeasurementError:
            return
        yield from families(snapshot)


def registry(snapshot: Callable[[], Snapshot]) -> CollectorRegistry:
    """Return a registry with these metrics and no others."""
    metrics = CollectorRegistry(auto_describe=True)  # for queries by ?name[]=
    metrics.register(SnapshotCollector(snapshot))
    return metrics


def serve(metrics: CollectorRegistry, host: str, port: int) -> WSGIServer:
    """Answer scrapes in a thread, in the format that they accept. UsageError where `port` of `host` cannot be had."""
    try:
        server, _ = start_http_server(port, addr=host, registry=metrics)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"--serve cannot listen on port {port} of {host}: {reason}. Give another, or port 0 for any that is free."
        ) from None
    return server


def textfile_writer(path: Path | None) -> Callable[[Snapshot], None]:
    """Return a function that replaces the file at `path`, if any, in one step.

    It raises UsageError where the file cannot be written.
    """

    def write(snapshot: Snapshot) -> None:
        if path is not None:
            try:
                write_to_textfile(str(path), registry(lambda: snapshot))
            except OSError as error:
                raise UsageError(f"--textfile cannot write {str(path)!r}: {error.strerror}.") from None

    return write
