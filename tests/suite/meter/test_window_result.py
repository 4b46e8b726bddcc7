"""Energy and emissions of one window: sums, kinds, intervals and what is missing."""

from __future__ import annotations

import pytest
from run_files import CH, energy

from joulemark.suite.meter.window_result import window_result
from joulemark.suite.records import Emissions, Pue

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


def test_an_estimate_is_marked() -> None:
    assert window_result([energy(100.0, "cpu", "model")], EMISSIONS, 2.0)["text"].startswith("about 100 J")
