"""The components of this machine, from the lines that a sampler writes: which count, and their totals. Pure.

The rules are those of a measured window (`suite.energy.window_energy`), for all of the machine: processor, memory and
every GPU are counted. Only where none of them is measured are the estimates of processor and memory counted instead, or
what a sensor of the whole machine shows. All else is listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joulemark.suite.carbon.accounting import emissions_g, facility_energy_j
from joulemark.suite.energy.components import HOST_MEASURED, HOST_MODELLED, MACHINE, SECOND_OPINION, component_named
from joulemark.suite.records import Channel, Emissions, Gpu, GpuState
from joulemark.suite.watch.channel_energy import ChannelEnergy
from joulemark.suite.watch.snapshot import ComponentState, SourceKind, Temperature

Entry = Mapping[str, Any]
Key = tuple[str, str]
"""Component and scope."""


@dataclass
class _Sensor:
    """The line of a sensor, and its reads that have not been added yet."""

    name: str
    simulated: bool
    channels: tuple[Channel, ...]
    wrap_j: tuple[float | None, ...]
    reads: list[tuple[float, Sequence[float | None]]]

    @classmethod
    def of(cls, entry: Entry) -> _Sensor:
        channels = tuple(Channel.model_validate(channel) for channel in entry["channels"])
        return cls(entry["name"], entry["simulated"], channels, tuple(entry["wrap_j"]), [])

    def has_value(self, number: int) -> bool:
        """Return whether a read so far has a value of the channel `number`."""
        return any(values[number] is not None for _, values in self.reads)


@dataclass
class _Component:
    """One component, and the channel that its energy is taken from."""

    sensor: _Sensor
    number: int
    energy: ChannelEnergy
    counted: bool = False
    emissions_g: float = 0.0
    has_value: bool = False
    """Whether it had one at the start."""

    @property
    def channel(self) -> Channel:
        return self.energy.channel

    @property
    def source(self) -> SourceKind:
        if self.channel.kind == "model":
            return "estimated"
        return "simulated" if self.sensor.simulated else "measured"

    @property
    def is_part(self) -> bool:
        """Whether it is a part of the machine that is measured."""
        return component_named(self.channel.component).charged and self.source != "estimated"


class MachineEnergy:
    """All components and their totals."""

    def __init__(self, gpus: Sequence[Gpu], span_s: float) -> None:
        """Begin with none: the first lines say what is read. `span_s` is what watts are the mean over, seconds."""
        self._gpus = {gpu.uuid: gpu for gpu in gpus}
        self._span_s = span_s
        self._sensors: dict[int, _Sensor] = {}
        self._components: dict[Key, _Component] = {}
        self._states: dict[str, GpuState] = {}
        self.begin_s: float | None = None
        """When the totals begin, seconds since the sampler's origin; None without a sensor."""

    def add(self, entries: Iterable[Entry], emissions: Emissions) -> None:
        """Add the lines of a trace file; their energy has the intensity and PUE of `emissions`.

        The first call must have the lines of all sensors, and a read of each: the totals begin at its end.
        """
        for entry in entries:
            if "sensor" in entry:
                self._sensors[entry["sensor"]] = _Sensor.of(entry)
            elif "t" in entry:
                self._sensors[entry["i"]].reads.append((entry["t"], entry["v"]))
            elif "state" in entry:
                state = GpuState.model_validate(entry["state"])
                self._states[state.scope] = state
        if not self._components:
            self._begin()
        for component in self._components.values():
            self._raise_limit(component.energy)
            before_j = component.energy.energy_j
            component.energy.add((t, values[component.number]) for t, values in component.sensor.reads)
            added_j = facility_energy_j(component.energy.energy_j - before_j, emissions.pue.value)
            component.emissions_g += emissions_g(added_j, emissions.intensity.g_per_kwh)
        for sensor in self._sensors.values():
            sensor.reads.clear()

    def states(self, now_s: float) -> tuple[ComponentState, ...]:
        """Return the components, those that count first."""
        states = [self._state(component, now_s) for component in self._components.values()]
        return tuple(sorted(states, key=lambda state: not state.counted))

    def temperatures(self) -> tuple[Temperature, ...]:
        """Return the last temperature of each GPU that reports one."""
        return tuple(
            Temperature(self._gpus.get(uuid), uuid, state.temperature_c)
            for uuid, state in self._states.items()
            if state.temperature_c is not None
        )

    def missing(self) -> tuple[str, ...]:
        """Return what the totals lack, each with the reason; nothing where they are an estimate of the whole."""
        counted = [component for component in self._components.values() if component.counted]
        if not counted or any(not component.is_part for component in counted):
            return ()
        present = {component.channel.component for component in counted}
        reasons = {"package": "no readable sensor of the processor", "dram": "no readable sensor of memory"}
        absent = [f"{name}: {reasons[name]}" for name in HOST_MEASURED if name not in present]
        read = {component.channel.scope for component in counted}
        absent += [f"GPU {gpu.index}: no readable sensor" for gpu in self._gpus.values() if gpu.uuid not in read]
        silent = [component for component in counted if not component.has_value and component.energy.energy_j == 0]
        return (*absent, *(f"{c.channel.component} {c.channel.scope}: its sensor gives no value" for c in silent))

    def _begin(self) -> None:
        """Choose the channels. Totals begin at the last read of each sensor: some were ready seconds before others."""
        self._components = {key: self._chosen(key) for key in self._keys()}
        self._decide_what_counts()
        for sensor in self._sensors.values():
            del sensor.reads[:-1]
        for component in self._components.values():
            component.energy.begin_s = next((time_s for time_s, _ in component.sensor.reads), None)
        self.begin_s = min((time_s for sensor in self._sensors.values() for time_s, _ in sensor.reads), default=None)

    def _keys(self) -> list[Key]:
        """Return the components and scopes that sensors read, once each, without another model's estimates."""
        channels = (channel for sensor in self._sensors.values() for channel in sensor.channels)
        keys = dict.fromkeys((channel.component, channel.scope) for channel in channels)
        return [key for key in keys if key[0] not in SECOND_OPINION]

    def _chosen(self, key: Key) -> _Component:
        """Return the component with its best channel: one that has values, and a counter rather than a power.

        The counter of a GPU in a module may be that of the module (`suite.energy.module_scope`), and that of a whole
        machine may move by watt-hours: power is preferred there.
        """
        of_module = ("module", key[1]) in self._keys()
        best_unit = "W" if key[0] == MACHINE or of_module else "J"
        _, sensor, number = max(
            (
                ((sensor.has_value(number), channel.unit == best_unit, -order), sensor, number)
                for order, sensor in enumerate(self._sensors.values())
                for number, channel in enumerate(sensor.channels)
                if (channel.component, channel.scope) == key
            ),
            key=lambda candidate: candidate[0],
        )
        energy = ChannelEnergy(sensor.channels[number], sensor.wrap_j[number], self._span_s)
        return _Component(sensor, number, energy, has_value=sensor.has_value(number))

    def _decide_what_counts(self) -> None:
        components = self._components.values()
        parts = [component for component in components if component.is_part]
        wholes = [c for c in components if c.channel.component == MACHINE and c.has_value]
        models = [c for c in components if c.channel.component in HOST_MODELLED]
        chosen = parts if any(part.has_value for part in parts) else wholes[:1] or models
        for component in chosen:
            component.counted = True

    def _raise_limit(self, energy: ChannelEnergy) -> None:
        """Follow a GPU's power limit where it is raised: more than before can then be believed."""
        state, highest_w = self._states.get(energy.channel.scope), energy.channel.highest_limit_w
        limit_w = None if state is None else state.power_limit_w
        if limit_w is not None and highest_w is not None and limit_w > highest_w:
            energy.channel = energy.channel.model_copy(update={"highest_limit_w": limit_w})

    def _state(self, component: _Component, now_s: float) -> ComponentState:
        channel, energy = component.channel, component.energy
        silent_s = energy.silent_s(now_s)
        return ComponentState(
            component=channel.component,
            scope=channel.scope,
            gpu=self._gpus.get(channel.scope),
            sensor=component.sensor.name,
            source=component.source,
            counted=component.counted,
            energy_j=energy.energy_j,
            power_w=energy.power_w() if silent_s is None else None,
            emissions_g=component.emissions_g,
            unmeasured_s=energy.unmeasured_s,
            silent_s=silent_s,
        )
