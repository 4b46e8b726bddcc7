"""Intensity, PUE and embodied emissions as users give them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from joulemark.suite.carbon import inputs
from joulemark.suite.carbon.inputs import PUES
from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.errors import UsageError
from joulemark.suite.records import Settings

NOW = datetime(2026, 11, 23, 12, 20, tzinfo=UTC)


@pytest.mark.parametrize("given", [1.2, "1.2", " 1.2 ", "12e-1", "1.2..1.2..1.2"])
def test_numbers_in_any_form(given: float | str) -> None:
    assert inputs.parse_pue(given).value == 1.2


def test_range_around_a_value() -> None:
    emissions = resolve(Settings(intensity="30..39..45", pue="1.1..1.2..1.5"), NOW)[0]
    assert (emissions.intensity.low, emissions.intensity.g_per_kwh, emissions.intensity.high) == (30, 39, 45)
    assert (emissions.pue.low, emissions.pue.value, emissions.pue.high) == (1.1, 1.2, 1.5)


@pytest.mark.parametrize("name", PUES)
def test_presets(name: str) -> None:
    pue = inputs.parse_pue(name.upper())
    assert pue == PUES[name]
    assert 1 <= (pue.low or pue.value) <= pue.value <= (pue.high or pue.value) < 2
    assert len(pue.source) > 10


def test_default_pue_is_that_of_a_single_machine() -> None:
    assert (inputs.parse_pue(None).value, inputs.parse_pue(None).low) == (1.0, None)


@pytest.mark.parametrize(
    ("settings", "start"),
    [
        (Settings(pue="datacenter"), "unknown PUE preset 'datacenter'. Available: aws"),
        (Settings(pue="uptime-2052"), "unknown PUE preset 'uptime-2052'. Did you mean 'uptime-2025'?"),
        (Settings(pue="0.9"), "PUE is 0.9"),
        (Settings(pue="0.9..1.2..1.4"), "PUE is 0.9"),
        (Settings(pue="1.4..1.2..1.1"), "--pue got '1.4..1.2..1.1'. A range is LOW..VALUE..HIGH"),
        (Settings(pue="1.1..1.3"), "--pue got '1.1..1.3'. A range is"),
        (Settings(pue="nan"), "PUE is nan"),
        (Settings(intensity="-3"), "intensity is -3"),
        (Settings(intensity="30..39..4500"), "intensity is 4500"),
        (Settings(intensity="absent.csv"), "--intensity got 'absent.csv', which is neither"),
        (Settings(intensity="inf"), "intensity is inf"),
        (Settings(embodied="much"), "--embodied got 'much'. Give kilograms"),
        (Settings(embodied=-1), "--embodied got -1"),
        (Settings(embodied="inf"), "--embodied got 'inf'"),
    ],
)
def test_invalid_values_are_reported_in_one_line(settings: Settings, start: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(settings, NOW)
    assert str(caught.value).startswith(start)
    assert "\n" not in str(caught.value)


def test_embodied_is_off_by_default() -> None:
    assert resolve(Settings(zone="CH"), NOW)[0].embodied is None


def test_embodied_assumptions() -> None:
    embodied = inputs.parse_embodied("assumed", 4.0)
    assert embodied is not None
    assert (embodied.host_g, embodied.board_g, embodied.lifespan_h) == (1_000_000, 150_000, 35_040)
    assert embodied.host_low_g < embodied.host_g < embodied.host_high_g
    assert (embodied.board_low_g, embodied.board_high_g) == (128_000, 575_000)
    assert (embodied.lifespan_low_h, embodied.lifespan_high_h) == (3 * 8760, 6 * 8760)
    assert "Impact Framework" in embodied.source


@pytest.mark.parametrize(("given", "host_kg"), [(250, (250, 250, 250)), ("200..250..400", (200, 250, 400))])
def test_given_embodied_emissions_are_of_the_whole_computer(given: float | str, host_kg: tuple[float, ...]) -> None:
    embodied = inputs.parse_embodied(given, 8.0)
    assert embodied is not None
    assert (embodied.host_low_g, embodied.host_g, embodied.host_high_g) == tuple(1000 * kg for kg in host_kg)
    assert (embodied.board_low_g, embodied.board_g, embodied.board_high_g) == (0, 0, 0)
    assert (embodied.lifespan_low_h, embodied.lifespan_h, embodied.lifespan_high_h) == (3 * 8760, 8 * 8760, 8 * 8760)
