"""Which components count, from lines as the sampler writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from watched import GPU

from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.records import Channel, Settings
from joulemark.suite.watch.machine_energy import MachineEnergy

EMISSIONS, _ = resolve(Settings(intensity=360.0, pue=2.0), datetime(2026, 11, 30, tzinfo=UTC))
"""A joule is 0.2 mg."""


def channel(component: str, scope: str, unit: str = "J", **more: Any) -> Channel:
    kind = more.pop("kind", "counter" if unit == "J" else "integrated")
    return Channel(component=component, scope=scope, unit=unit, kind=kind, **more)


def sensor(number: int, name: str, *channels: Channel, simulated: bool = False) -> dict[str, Any]:
    documents = [each.model_dump(exclude={"values"}) for each in channels]
    wraps = [None] * len(channels)
    return {"sensor": number, "name": name, "simulated": simulated, "channels": documents, "wrap_j": wraps}


def reads(number: int, *slopes: float | None, count: int = 30, first: int = 0) -> list[dict[str, Any]]:
    """Return reads of counters that rise by so many watts; a power of so many watts is given as a negative number."""
    return [
        {"i": number, "t": n / 10, "v": [None if w is None else -w if w < 0 else 1000 + w * n / 10 for w in slopes]}
        for n in range(first, first + count)
    ]


def counted(machine: MachineEnergy, now_s: float = 3.0) -> dict[str, float | None]:
    return {state.component: state.power_w for state in machine.states(now_s) if state.counted}


def watched(*lines: dict[str, Any] | list[dict[str, Any]], gpus: Any = ()) -> MachineEnergy:
    """Return a machine that began with the first read of each sensor, and has had the others since."""
    flat = [entry for line in lines for entry in (line if isinstance(line, list) else [line])]
    first = [entry for entry in flat if "t" not in entry or entry["t"] == 0]
    machine = MachineEnergy(gpus, 1.0)
    machine.add(first, EMISSIONS)
    machine.add([entry for entry in flat if entry not in first], EMISSIONS)
    return machine


RAPL = sensor(0, "rapl", channel("package", "package-0"), channel("dram", "package-0"))
MODEL = (channel("cpu", "host", "W", kind="model"), channel("ram", "host", "W", kind="model"))
GPU_COUNTER, GPU_POWER = channel("gpu", "GPU-1"), channel("gpu", "GPU-1", "W")


def test_processor_memory_and_gpu_count_and_a_plug_is_listed():
    machine = watched(
        RAPL,
        sensor(1, "nvml", GPU_COUNTER, GPU_POWER),
        sensor(2, "plug", channel("machine", "plug", "W")),
        *(reads(0, 40, 5), reads(1, 200, -190), reads(2, -300)),
        gpus=(GPU,),
    )
    assert counted(machine) == pytest.approx({"package": 40, "dram": 5, "gpu": 200})  # by its counter
    (plug,) = (state for state in machine.states(3.0) if not state.counted)
    assert (plug.component, plug.power_w) == ("machine", pytest.approx(300))
    assert machine.missing() == ()
    gpu = next(state for state in machine.states(3.0) if state.component == "gpu")
    assert (gpu.gpu.index, gpu.source, gpu.sensor) == (0, "measured", "nvml")
    assert gpu.energy_j == pytest.approx(200 * 2.9)
    assert gpu.emissions_g == pytest.approx(200 * 2.9 * 2 * 360 / 3.6e6)


def test_a_counter_that_gives_nothing_is_replaced_by_power():
    machine = watched(sensor(0, "nvml", GPU_COUNTER, GPU_POWER), reads(0, None, -190))
    assert counted(machine) == pytest.approx({"gpu": 190})


def test_the_counter_of_a_gpu_in_a_module_may_be_the_module_s():
    module = channel("module", "GPU-1", "W")
    machine = watched(sensor(0, "nvml", GPU_COUNTER, GPU_POWER, module), reads(0, 320, -190, -320))
    assert counted(machine) == pytest.approx({"gpu": 190})


def test_an_estimate_counts_only_where_nothing_is_measured():
    alone = watched(sensor(0, "power_model", *MODEL), reads(0, -20, -3))
    assert counted(alone) == pytest.approx({"cpu": 20, "ram": 3})
    assert {state.source for state in alone.states(3.0)} == {"estimated"}
    assert alone.missing() == ()
    beside = watched(sensor(0, "nvml", GPU_POWER), sensor(1, "power_model", *MODEL), reads(0, -190), reads(1, -20, -3))
    assert counted(beside) == pytest.approx({"gpu": 190})
    assert [text.partition(":")[0] for text in beside.missing()] == ["package", "dram"]


def test_a_plug_counts_where_it_is_all_that_measures():
    machine = watched(
        sensor(0, "plug", channel("machine", "plug"), channel("machine", "plug", "W")),
        sensor(1, "power_model", *MODEL),
        *(reads(0, 300, -301), reads(1, -20, -3)),
    )
    assert counted(machine) == pytest.approx({"machine": 301})  # its counter may move by watt-hours


def test_another_model_s_estimates_are_left_out():
    codecarbon = channel("cpu_codecarbon", "host", "W", kind="model")
    machine = watched(sensor(0, "power_model", *MODEL, codecarbon), reads(0, -20, -3, -40))
    assert [state.component for state in machine.states(3.0)] == ["cpu", "ram"]


def test_a_gpu_without_a_sensor_is_missing():
    other = GPU.model_copy(update={"index": 1, "uuid": "GPU-2"})
    machine = watched(
        sensor(0, "nvml", GPU_POWER), RAPL | {"sensor": 1}, reads(0, -190), reads(1, 40, 5), gpus=(GPU, other)
    )
    assert machine.missing() == ("GPU 1: no readable sensor",)


def test_totals_begin_when_all_sensors_are_read():
    """NVML takes seconds to start, in which RAPL is read already."""
    machine = MachineEnergy((), 1.0)
    machine.add(
        [RAPL, *reads(0, 40, 5, count=50), sensor(1, "nvml", GPU_POWER), *reads(1, -190, count=1, first=50)], EMISSIONS
    )
    machine.add([*reads(0, 40, 5, count=20, first=50), *reads(1, -190, count=20, first=50)], EMISSIONS)
    energies_j = {state.component: state.energy_j for state in machine.states(7.0)}
    assert energies_j == pytest.approx({"package": 40 * 2.0, "dram": 5 * 2.0, "gpu": 190 * 1.9})
    assert machine.begin_s == pytest.approx(4.9)


def test_what_is_drawn_before_the_first_value_is_unmeasured():
    machine = watched(
        sensor(0, "power_model", *MODEL), reads(0, None, -2, count=6), reads(0, -4, -2, count=25, first=6)
    )
    cpu, ram = sorted(machine.states(3.0), key=lambda state: state.component)
    assert (cpu.unmeasured_s, ram.unmeasured_s) == (pytest.approx(0.6), 0)
    assert (cpu.energy_j, ram.energy_j) == (pytest.approx(4 * 2.4), pytest.approx(2 * 3.0))


def test_a_silent_sensor_has_no_present_power_and_keeps_its_total():
    machine = watched(RAPL, reads(0, 40, 5))
    assert counted(machine, now_s=60.0) == {"package": None, "dram": None}
    silent = machine.states(60.0)[0]
    assert silent.silent_s == pytest.approx(57.1)
    assert silent.energy_j == pytest.approx(40 * 2.9)


def test_the_temperature_is_the_last_one():
    states = [{"i": 0, "state": {"t_s": t, "scope": "GPU-1", "temperature_c": c}} for t, c in ((0.5, 60), (1.5, 64))]
    machine = watched(sensor(0, "nvml", GPU_POWER), reads(0, -190), states, gpus=(GPU,))
    assert [(each.gpu.index, each.celsius) for each in machine.temperatures()] == [(0, 64)]


def test_a_machine_without_sensors_has_no_totals():
    machine = watched()
    assert (machine.states(1.0), machine.missing(), machine.begin_s) == ((), (), None)
