"""Snapshots of `joulemark watch`, whose values are known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.records import Gpu, Settings
from joulemark.suite.watch.snapshot import ComponentState, Snapshot, Temperature

NOW = datetime(2026, 11, 30, 12, 0, 0, tzinfo=UTC)
GPU = Gpu(index=0, vendor="NVIDIA", name="Test GPU", uuid="GPU-1", pci_bus_id="")


def component(name: str, scope: str, **more: Any) -> ComponentState:
    """Return a measured component that counts."""
    state = ComponentState(
        component=name,
        scope=scope,
        gpu=None,
        sensor="rapl",
        source="measured",
        counted=True,
        energy_j=1000.0,
        power_w=50.0,
        emissions_g=0.1,
        unmeasured_s=0.0,
        silent_s=None,
    )
    return replace(state, **more)


def snapshot(**more: Any) -> Snapshot:
    """Return a snapshot with a processor, a GPU, and a plug beside them."""
    emissions, _ = resolve(Settings(zone="CH", pue=1.2, offline=True), NOW)
    gpu = component("gpu", "GPU-1", gpu=GPU, sensor="nvml", energy_j=5000.0, power_w=250.0, emissions_g=0.5)
    plug = component("machine", "plug", sensor="plug", counted=False, energy_j=7000.0, power_w=350.0)
    state = Snapshot(
        at=NOW,
        duration_s=20.0,
        components=(component("package", "package-0", unmeasured_s=2.0), gpu, plug),
        groups=(),
        temperatures=(Temperature(GPU, "GPU-1", 61.0),),
        emissions=emissions,
        missing=(),
    )
    return replace(state, **more)
