"""What is known at one moment. Plain data, for a terminal, for JSON and for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from joulemark.suite.records import Emissions, Gpu

SourceKind = Literal["measured", "estimated", "simulated"]
"""Where energy comes from, in the words of `suite.energy.energy_source`."""


@dataclass(frozen=True)
class ComponentState:
    """One component that a sensor reads."""

    component: str
    """`package`, `dram`, `gpu`, ... (`suite.energy.components`)."""
    scope: str
    """Which one: `package-0`, `host`; for a GPU its UUID."""
    gpu: Gpu | None
    """The GPU, where it is one that is known."""
    sensor: str
    source: SourceKind
    counted: bool
    """Whether it is in the totals. What contains others, or is estimated beside what is measured, is not."""
    energy_j: float
    """Joules since the start. Never falls."""
    power_w: float | None
    """Mean power over the last interval, watts; None where the sensor is silent or has only begun."""
    emissions_g: float
    """Grams CO2e since the start, by the intensity at each moment. Never falls."""
    unmeasured_s: float
    """Seconds whose energy is not, or not all, in `energy_j`."""
    silent_s: float | None
    """For how long the sensor has given no value, seconds; None where it works."""


@dataclass(frozen=True)
class GroupState:
    """The part of the processor's energy that a group of processes is apportioned by CPU time: an estimate."""

    name: str
    energy_j: float
    power_w: float
    emissions_g: float
    cpu_s: float
    """CPU time since the start, seconds."""
    processes: int
    """Processes in it now."""


@dataclass(frozen=True)
class Temperature:
    """The temperature of a GPU."""

    gpu: Gpu | None
    uuid: str
    celsius: float


@dataclass(frozen=True)
class Snapshot:
    """All of it."""

    at: datetime
    duration_s: float
    components: tuple[ComponentState, ...]
    groups: tuple[GroupState, ...]
    temperatures: tuple[Temperature, ...]
    emissions: Emissions
    """The present intensity and PUE."""
    missing: tuple[str, ...]
    """What the totals lack, each with the reason."""

    @property
    def counted(self) -> tuple[ComponentState, ...]:
        """The components in the totals."""
        return tuple(each for each in self.components if each.counted)

    @property
    def energy_j(self) -> float | None:
        """Joules of all that is counted; None without any."""
        return total(each.energy_j for each in self.counted)

    @property
    def emissions_g(self) -> float | None:
        """Grams of all that is counted; None without any."""
        return total(each.emissions_g for each in self.counted)

    @property
    def power_w(self) -> float | None:
        """Watts of all that is counted and has a present value; None without any."""
        return total(each.power_w for each in self.counted if each.power_w is not None)

    @property
    def is_estimated(self) -> bool:
        """Whether the totals are, or contain, estimates."""
        return any(each.source == "estimated" for each in self.counted)

    @property
    def is_lower_bound(self) -> bool:
        """Whether the totals lack a component, or some time of one."""
        has_gap = any(each.unmeasured_s or each.silent_s is not None for each in self.counted)
        return bool(self.counted) and (has_gap or bool(self.missing))

    def document(self) -> dict[str, Any]:
        """Return the snapshot for `--json`."""
        names = "energy_j", "power_w", "emissions_g"
        return {
            "at": self.at.isoformat(timespec="milliseconds"),
            "duration_s": self.duration_s,
            **{name: getattr(self, name) for name in names},
            "estimated": self.is_estimated,
            "lower_bound": self.is_lower_bound,
            "missing": list(self.missing),
            "components": [_component_document(each) for each in self.components],
            "groups": [asdict(each) for each in self.groups],
            "temperatures": [{"uuid": each.uuid, "celsius": each.celsius} for each in self.temperatures],
            "intensity": self.emissions.intensity.model_dump(mode="json"),
            "pue": self.emissions.pue.model_dump(mode="json"),
        }


def total(values: Iterable[float]) -> float | None:
    """Return the sum of `values`; None without any."""
    known: Sequence[float] = list(values)
    return sum(known) if known else None


def _component_document(component: ComponentState) -> dict[str, Any]:
    gpu = component.gpu
    return {**asdict(component), "gpu": None if gpu is None else gpu.index}
