"""Joules and grams of one window: sums, kinds, intervals and what is missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from run_files import CH, energy

from joulemark.suite.energy.attribution import energy_sum
from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.meter.grid_cache import weighed
from joulemark.suite.meter.live_sampler import devices
from joulemark.suite.meter.window_result import window_result, scope
from joulemark.suite.records import Channel, Emissions, Gpu, GridInterval, Pue, Trace

EMISSIONS = Emissions(intensity=CH, pue=Pue(value=1.5, source="test", low=1.2, high=2.0))


def test_parts_are_added_and_grams_follow() -> None:
    found = window_result([energy(100.0), energy(20.0, "dram", "integrated")], EMISSIONS, 2.0)
    assert found["energy"]["value"] == 120.0
    assert (found["energy"]["low"], found["energy"]["high"]) == (pytest.approx(117.6), pytest.approx(122.4))
    assert found["energy"]["kind"] == "integrated"
    assert not found["energy"]["lower_bound"]
    assert found["facility_energy"]["value"] == pytest.approx(180.0)
    # 180 J are 5e-5 kWh
    assert found["emissions"]["value"] == pytest.approx(5e-5 * 39.22)
    assert found["emissions"]["ranges"] == {"pue": (pytest.approx(0.8), pytest.approx(4 / 3))}


def test_a_missing_part_makes_a_lower_bound_with_its_reason() -> None:
    found = window_result([energy(100.0), energy(None, "dram")], EMISSIONS, 2.0)
    assert found["energy"]["lower_bound"]
    assert "dram: absent" in found["energy"]["reason"]
    assert found["text"].startswith("at least 100 J")


def test_nothing_measured_is_no_zero() -> None:
    found = window_result([energy(None)], EMISSIONS, 2.0)
    for name in ("energy", "facility_energy", "emissions"):
        assert found[name]["value"] is None
        assert found[name]["kind"] == "unavailable"
        assert "package: absent" in found[name]["reason"]
    assert "not measured" in found["text"]
    assert window_result([], EMISSIONS, 2.0)["energy"]["reason"] == "no sensor was read"


def test_what_is_only_listed_is_not_added() -> None:
    other = energy(50.0, "gpu").model_copy(update={"attributed": False})
    assert window_result([energy(100.0), other], EMISSIONS, 2.0)["energy"]["value"] == 100.0
    assert scope(energy_sum([energy(100.0), other])) == "whole processor: other programs' share is in it"


def test_an_estimate_says_so() -> None:
    assert window_result([energy(100.0, "cpu", "model")], EMISSIONS, 2.0)["text"].startswith("about 100 J")


def test_grams_over_several_hours_are_weighed_by_energy() -> None:
    start = datetime(2026, 11, 1, 12, tzinfo=UTC)
    hour = timedelta(hours=1)
    values = (100.0, 200.0, 400.0)
    intervals = tuple(
        GridInterval(start=(start + n * hour).isoformat(), end=(start + (n + 1) * hour).isoformat(), g_per_kwh=value)
        for n, value in enumerate(values)
    )
    emissions = EMISSIONS.model_copy(update={"intervals": intervals})
    span = (start + hour / 2, start + 2 * hour + hour / 2)
    joules = {span[0]: 30.0, start + hour: 60.0, start + 2 * hour: 10.0}
    found = weighed(emissions, span, lambda part: joules[part[0]])
    assert found.intensity.g_per_kwh == pytest.approx((30 * 100 + 60 * 200 + 10 * 400) / 100)
    assert weighed(EMISSIONS, span, lambda part: 1.0) is EMISSIONS


def _gpu(number: int, device: str | None) -> Gpu:
    return Gpu(index=number, vendor="NVIDIA", name="A", uuid=f"GPU-{number}", pci_bus_id=f"{number}", device=device)


def test_code_is_charged_with_every_board_that_it_can_see() -> None:
    gpus = (_gpu(0, "cuda:0"), _gpu(1, "cuda:1"), _gpu(2, None))
    assert devices(gpus, None) == "cuda:0+cuda:1"
    assert devices(gpus, None, ["cpu"]) == "cpu"
    assert devices((), "no driver") == "cpu"
    assert devices((_gpu(2, None),), None) == "cpu"
    # Boards that cannot be told apart are known to be missing, not left out.
    assert devices((_gpu(2, None),), "boards of several models") == "cuda"


def test_several_boards_are_attributed_and_one_without_a_sensor_is_missed() -> None:
    times = tuple(i / 10 for i in range(101))
    channels = tuple(
        Channel(
            component="gpu", scope=f"GPU-{n}", unit="J", kind="counter", tick_s=0.1, values=tuple(w * t for t in times)
        )
        for n, w in ((0, 100.0), (2, 70.0))
    )
    gpus = (_gpu(0, "cuda:0"), _gpu(1, "cuda:1"), _gpu(2, "cuda:2"))
    found = compute_readings([Trace(sensor="nvml", t_s=times, channels=channels)], (2.0, 8.0), "cuda:0+cuda:1", gpus)
    boards = {energy.scope: energy for energy in found if energy.component == "gpu"}
    assert boards["GPU-0"].attributed
    assert boards["GPU-0"].energy_j == pytest.approx(600.0)
    assert boards["GPU-1"].attributed
    assert boards["GPU-1"].reason == "no readable sensor of this GPU"
    assert not boards["GPU-2"].attributed
