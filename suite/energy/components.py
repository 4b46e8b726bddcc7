"""The components whose energy is read, in one table: hardware, scope, colour, and whether they are charged to cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Component:
    """One component, under the name it has in channels and readings."""

    name: str
    hardware: str
    """What it powers, in the terms of other tools: `cpu`, `ram`, `gpu`; empty if it contains several of these."""
    scope: str
    """What a reading covers, in words. No sensor tells programs apart: whatever else ran is in it."""
    charged: bool
    """Whether a case can be charged with it. Those that are not charged contain some that are."""
    rgb: tuple[int, int, int]
    """Colour in charts; no framework has the same."""


_CPU, _MEMORY, _GPU, _WHOLE = (204, 121, 167), (122, 133, 148), (0, 158, 115), (140, 109, 49)

MACHINE: Final = "machine"
"""The whole machine: what a wall meter, a plug or the management controller measures."""
LIVE_SCOPES: Final = ("node", "plug")
"""Scopes of the machine by its management controller, and by a plug that is asked over the network."""
UNDETERMINED: Final = "undetermined"
"""The counter of a GPU in a module, where nothing shows whether it counts the module (`suite.energy.module_scope`)."""
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
        Component(UNDETERMINED, "", "GPU, or CPU and GPU module", charged=False, rgb=_WHOLE),
        Component(MACHINE, "", "whole machine", charged=False, rgb=_WHOLE),
        Component("package_log", "", "processor by another program's log", charged=False, rgb=_WHOLE),
        Component("gpu_log", "", "GPUs by another program's log", charged=False, rgb=_WHOLE),
        Component("cpu_codecarbon", "", "processor by codecarbon's model", charged=False, rgb=_CPU),
        Component("ram_codecarbon", "", "memory by codecarbon's model", charged=False, rgb=_MEMORY),
    )
}
SECOND_OPINION: Final = ("cpu_codecarbon", "ram_codecarbon")
"""Another model's estimate of the host, beside the one that is charged."""
HARDWARE: Final = ("cpu", "ram", "gpu")
"""The hardware that other tools distinguish."""
HOST_MEASURED: Final = ("package", "dram")
"""The host's components that sensors measure."""
HOST_MODELLED: Final = ("cpu", "ram")
"""The host's components that the power model estimates where no sensor can be read."""


def component_named(name: str) -> Component:
    """Return the component called `name`; if it is not in the table, one that is not charged."""
    return COMPONENTS.get(name) or Component(name, "", name, charged=False, rgb=_WHOLE)


def names_of(hardware: str) -> tuple[str, ...]:
    """Return the names of the components of `hardware`: `package` and `cpu` for `cpu`."""
    return tuple(component.name for component in COMPONENTS.values() if component.hardware == hardware)


def contains_others(name: str) -> bool:
    """Return whether the component called `name` is known to contain others."""
    return name in COMPONENTS and not COMPONENTS[name].charged


def channel_label(name: str, scope: str) -> str:
    """Return the label of the component `name` with `scope`: `package-0`, `dram host`."""
    return scope if scope.startswith(name) else f"{name} {scope}"
