"""What the counter of a GPU in a module counts, from the powers that it follows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from joulemark.suite.energy.module_scope import with_counter_scopes
from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.records import Channel, Gpu, Trace

TIMES_S = [round(i * 0.1, 3) for i in range(300)]
WINDOW_S = (5.0, 25.0)
GPU_W = 300.0
Power = Callable[[float], float]


def _busy(t_s: float) -> float:
    """Return a processor's power while a data loader comes and goes."""
    return 250.0 if int(t_s / 4) % 2 else 60.0


def _trace(counter_w: Power, processor_w: Power, gain: float = 1.0) -> Trace:
    def channel(component: str, unit: str, values: list[float]) -> Channel:
        kind = "counter" if unit == "J" else "integrated"
        return Channel.model_validate(
            {"component": component, "scope": "GPU-1", "unit": unit, "kind": kind, "tick_s": 0.1, "gain": (0.95, 1.06)}
            | {"values": tuple(values)}
        )

    total_j, counted = 0.0, []
    for t_s in TIMES_S:
        counted.append(total_j)
        total_j += gain * counter_w(t_s) * 0.1
    channels = (
        channel("gpu", "J", counted),
        channel("gpu", "W", [GPU_W] * len(TIMES_S)),
        channel("module", "W", [GPU_W + processor_w(t_s) for t_s in TIMES_S]),
    )
    return with_counter_scopes(Trace(sensor="nvml", t_s=tuple(TIMES_S), channels=channels))


def _of_module(t_s: float) -> float:
    return GPU_W + _busy(t_s)


@pytest.mark.parametrize(
    ("counter_w", "processor_w", "component"),
    [
        (_of_module, _busy, "module"),
        (lambda _: GPU_W, _busy, "gpu"),
        (lambda _: GPU_W + 150.0, lambda _: 150.0, "undetermined"),  # it does not vary
        (lambda _: GPU_W, lambda _: 150.0, "undetermined"),
        (lambda t: GPU_W + 0.5 * _busy(t), _busy, "undetermined"),  # it follows neither
        (lambda t: GPU_W + _busy(t) / 10, lambda t: _busy(t) / 10, "undetermined"),  # within the errors of both
        (lambda _: GPU_W, lambda _: 0.0, "gpu"),  # a driver that has the GPU's own power for the module's
        (lambda t: 2 * _of_module(t), _busy, "undetermined"),  # two GPUs in it
    ],
)
@pytest.mark.parametrize("gain", [0.97, 1.0, 1.03])
def test_counter_is_of_what_it_follows(counter_w: Power, processor_w: Power, component: str, gain: float) -> None:
    assert _trace(counter_w, processor_w, gain).channels[0].component == component


GPUS = [Gpu(index=0, vendor="NVIDIA", name="GB300", uuid="GPU-1", pci_bus_id="", device="cuda:0")]


@pytest.mark.parametrize("processor_w", [_busy, lambda _: 150.0])
def test_gpu_is_charged_with_its_own_power_and_the_counter_never_summed(processor_w: Power) -> None:
    made = _trace(lambda t: GPU_W + processor_w(t), processor_w)
    readings = compute_readings([made], WINDOW_S, "cuda:0", GPUS)
    charged = [reading for reading in readings if reading.attributed and reading.energy_j is not None]
    assert [(r.component, r.kind, r.energy_j) for r in charged] == [("gpu", "integrated", pytest.approx(6000.0))]
    modules = [r for r in readings if r.component == "module"]
    assert [(r.attributed, r.kind) for r in modules] == [(False, "counter" if processor_w is _busy else "integrated")]
    assert modules[0].energy_j == pytest.approx(
        6000.0 + sum(processor_w(t) * 0.1 for t in TIMES_S if WINDOW_S[0] <= t < WINDOW_S[1]), rel=0.02
    )
    for reading in readings:
        if reading.component == "undetermined":
            assert not reading.attributed
            assert "not summed" in (reading.reason or "")


def test_without_a_module_nothing_changes() -> None:
    made = _trace(lambda _: GPU_W, _busy)
    alone = made.model_copy(update={"channels": made.channels[:2]})
    assert with_counter_scopes(alone) == alone
