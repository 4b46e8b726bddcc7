"""The power that a case is charged with at present, as its energy will be (`suite.energy.window_energy`). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from joulemark.suite.energy.components import HOST_MEASURED, HOST_MODELLED
from joulemark.suite.records import Gpu


class ComponentPower(NamedTuple):
    """What one channel of a sensor shows."""

    component: str
    scope: str
    kind: str
    power_w: float


def charged_power_w(powers: Sequence[ComponentPower], device: str, gpus: Sequence[Gpu]) -> tuple[float, bool] | None:
    """Return the power of a case on `device`, watts, and whether it is an estimate; None where nothing shows it."""
    own = {gpu.uuid for gpu in gpus if gpu.device in device.split("+")}
    measured = [p for p in powers if p.component in HOST_MEASURED or (p.component == "gpu" and p.scope in own)]
    charged = measured or [p for p in powers if p.component in HOST_MODELLED]
    if not charged:
        return None
    return sum(p.power_w for p in charged), any(p.kind == "model" for p in charged)
