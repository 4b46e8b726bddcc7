"""The components that energy is read of, in one table: what each covers, how it is drawn, and whether it is charged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Component:
    """One component, under the name it has in channels and readings."""

    name: str
    hardware: str
    """What it powers, under the name that other tools use: `cpu`, `ram`, `gpu`; empty for a whole made of several."""
    scope: str
    """What a reading covers, in words. No sensor tells programs apart: whatever else ran is in it."""
    charged: bool
    """Whether a case can be charged with it. What is not charged contains components that are."""
    rgb: tuple[int, int, int]
    """Its colour in charts: none that a framework has."""


_CPU, _MEMORY, _GPU, _WHOLE = (204, 121, 167), (122, 133, 148), (0, 158, 115), (140, 109, 49)

COMPONENTS: Final = {
    component.name: component
    for component in (
        Component("package", "cpu", "whole processor", charged=True, rgb=_CPU),
        Component("dram", "ram", "all its memory", charged=True, rgb=_MEMORY),
        Component("cpu", "cpu", "whole processor", charged=True, rgb=_CPU),
        Component("ram", "ram", "all its memory", charged=True, rgb=_MEMORY),
        Component("gpu", "gpu", "whole GPU", charged=True, rgb=_GPU),
        Component("psys", "", "whole platform", charged=False, rgb=_WHOLE),
        Component("module", "", "CPU and GPU module", charged=False, rgb=_WHOLE),
        Component("machine", "", "whole machine", charged=False, rgb=_WHOLE),
    )
}
HARDWARE: Final = ("cpu", "ram", "gpu")
"""What other tools tell apart."""
HOST_MEASURED: Final = ("package", "dram")
"""What sensors read of the host."""
HOST_MODELLED: Final = ("cpu", "ram")
"""What the power model estimates of the host where no sensor can be read."""


def component_named(name: str) -> Component:
    """Return the component called `name`; for one that the table lacks, a component that is not charged."""
    return COMPONENTS.get(name) or Component(name, "", name, charged=False, rgb=_WHOLE)


def names_of(hardware: str) -> tuple[str, ...]:
    """Return the names of the components of `hardware`: of `cpu`, `package` and `cpu`."""
    return tuple(one.name for one in COMPONENTS.values() if one.hardware == hardware)


def contains_others(name: str) -> bool:
    """Return whether the component called `name` is known to contain others."""
    return name in COMPONENTS and not COMPONENTS[name].charged


def channel_label(name: str, scope: str) -> str:
    """Return what to call the component `name` of `scope`: `package-0`, `dram host`."""
    return scope if scope.startswith(name) else f"{name} {scope}"
