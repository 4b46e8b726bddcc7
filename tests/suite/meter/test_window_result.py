"""Energy and emissions of one window: sums, kinds, intervals and what is missing."""

from __future__ import annotations

import pytest
from run_files import CH, energy

from joulemark.suite.meter.window_result import window_result
from joulemark.suite.records import Emissions, EnergyReading, Pue

EMISSIONS = Emissions(intensity=CH, pue=Pue(value=1.5, source="test", low=1.2, high=2.0))


def test_components_are_added_and_emissions_follow() -> None:
    result = window_result([energy(100.0), energy(20.0, "dram", "integrated")], EMISSIONS, 2.0)
    assert result["energy"]["value"] == 120.0
    assert (result["energy"]["low"], result["energy"]["high"]) == (pytest.approx(117.6), pytest.approx(122.4))
    assert result["energy"]["kind"] == "integrated"
    assert not result["energy"]["lower_bound"]
    assert result["facility_energy"]["value"] == pytest.approx(180.0)
    # 180 J are 5e-5 kWh
    assert result["emissions"]["value"] == pytest.approx(5e-5 * 39.22)
    assert result["emissions"]["ranges"] == {"pue": (pytest.approx(0.8), pytest.approx(4 / 3))}


def test_a_missing_component_makes_a_lower_bound_with_its_reason() -> None:
    result = window_result([energy(100.0), energy(None, "dram")], EMISSIONS, 2.0)
    assert result["energy"]["lower_bound"]
    assert "dram: absent" in result["energy"]["reason"]
    assert result["text"].startswith("at least 100 J")


def test_the_line_says_what_weakens_the_energy() -> None:
    doubted = energy(100.0).model_copy(update={"reason": "2 of 69 samples left out"})
    failed = energy(None, "gpu").model_copy(update={"sensor": "nvml", "reason": "75 of 75 samples left out"})
    text = window_result([doubted, failed, energy(None, "dram")], EMISSIONS, 2.0)["text"]
    assert text.endswith("; package: 2 of 69 samples left out; gpu: 75 of 75 samples left out")


def test_nothing_measured_is_not_zero() -> None:
    result = window_result([energy(None)], EMISSIONS, 2.0)
    for name in ("energy", "facility_energy", "emissions"):
        assert result[name]["value"] is None
        assert result[name]["kind"] == "unavailable"
        assert "package: absent" in result[name]["reason"]
    assert "not measured" in result["text"]
    assert window_result([], EMISSIONS, 2.0)["energy"]["reason"]


def test_readings_that_are_not_attributed_are_not_added() -> None:
    other = energy(50.0, "gpu").model_copy(update={"attributed": False})
    result = window_result([energy(100.0), other], EMISSIONS, 2.0)
    assert result["energy"]["value"] == 100.0
    assert "processor" in result["scope"]
    assert "GPU" not in result["scope"]
    assert len(result["readings"]) == 2


@pytest.mark.parametrize("others", [[energy(None)], [energy(50.0, "cpu", "model")]])
def test_only_a_wall_meter_is_printed_first(others: list[EnergyReading]) -> None:
    wall = energy(560.0, "machine", "integrated").model_copy(
        update={"attributed": False, "sensor": "meter", "scope": "wall"}
    )
    result = window_result([*others, wall], EMISSIONS, 4.0)
    text = result["text"]
    assert text.startswith("560 J [")
    assert (result["energy"]["value"], result["energy"]["kind"]) == (560.0, "integrated")
    assert result["emissions"]["value"] == pytest.approx(9.1513e-3, rel=1e-4)
    assert result["scope"] == "whole machine, other programs included"
    assert result["charged"]["value"] == others[0].energy_j
    assert result["node"]["share"] == 0
    assert "(machine), 9.15 mg CO2e, 4.00 s; whole machine at the wall, measured (meter)" in text
    result = window_result([energy(100.0), wall], EMISSIONS, 4.0)
    assert result["energy"]["value"] == 100.0
    assert result["text"].endswith("18% [17%, 19%] of the node's 140 W (meter) was measured as package")
    assert "charged" not in result


def test_the_text_says_where_the_energy_comes_from() -> None:
    estimate = energy(50.0, "cpu", "model").model_copy(update={"attributed": False})
    result = window_result([energy(100.0, "gpu"), energy(None), estimate], EMISSIONS, 2.0)
    assert result["source"] == "measured (rapl); processor estimated, not in the sums"
    assert result["text"].endswith(f"whole GPU, other programs included; {result['source']}")
    simulated = window_result([energy(100.0)], EMISSIONS, 2.0, {"rapl"})
    assert simulated["source"] == "simulated (rapl)"


def test_an_estimate_is_marked() -> None:
    assert window_result([energy(100.0, "cpu", "model")], EMISSIONS, 2.0)["text"].startswith("about 100 J")
