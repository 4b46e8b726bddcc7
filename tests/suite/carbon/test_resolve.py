"""The chain of sources: which one is used, and what is recorded."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from grid_answers import BAD
from grid_client import StartServer, service

from joulemark.suite.carbon import ember
from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.cli.support.carbon_service import notice_text
from joulemark.suite.errors import UsageError
from joulemark.suite.notices import Code
from joulemark.suite.records import Settings

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_value_of_the_user_is_used_first() -> None:
    emissions, notices = resolve(Settings(zone="CH", intensity=12.5), NOW)
    assert emissions.intensity.g_per_kwh == 12.5
    assert emissions.intensity.source == "given by the user"
    assert emissions.intensity.vintage is None
    assert notices == ()


def test_zone_comes_from_the_table() -> None:
    emissions, notices = resolve(Settings(zone="CH"), NOW)
    assert (emissions.intensity.g_per_kwh, emissions.intensity.zone) == (39.22, "CH")
    assert notices == ()


def test_nothing_given_is_the_world_average_with_a_notice() -> None:
    emissions, (notice,) = resolve(Settings(), NOW)
    assert emissions.intensity.g_per_kwh == 472.94
    assert notice.code == Code.WORLD_INTENSITY
    assert "472.94" in notice.message
    assert (emissions.pue.value, emissions.psf) == (1.0, 1.0)
    assert "default" in emissions.pue.source


@pytest.mark.parametrize(("year", "noticed"), [(2025, False), (2028, False), (2029, True)])
def test_old_year_has_a_notice(year: int, noticed: bool) -> None:
    _, notices = resolve(Settings(zone="CH"), NOW.replace(year=year))
    assert [notice.code for notice in notices] == [Code.OLD_INTENSITY] * noticed
    if noticed:
        assert "CH (2025) is more than 3 years old" in notices[0].message


def test_zero_intensity_is_a_value() -> None:
    assert resolve(Settings(zone="PL", intensity=0.0), NOW)[0].intensity.g_per_kwh == 0.0


def test_pue_and_psf_are_the_users() -> None:
    emissions, _ = resolve(Settings(zone="CH", pue=1.2, psf=20), NOW)
    assert (emissions.pue.value, emissions.pue.source, emissions.psf) == (1.2, "given by the user", 20)


@pytest.mark.parametrize(
    ("settings", "start"),
    [
        (Settings(intensity=-1), "intensity is -1"),
        (Settings(intensity=39000), "intensity is 39000"),
        (Settings.model_construct(intensity=math.nan), "intensity is nan"),
        (Settings(pue=0.9), "PUE is 0.9"),
        (Settings(pue=120), "PUE is 120"),
        (Settings(psf=0), "PSF is 0"),
        (Settings(psf=-3), "PSF is -3"),
        (Settings(zone="ZZ"), "unknown zone 'ZZ'"),
        (Settings(zone="ZZ", intensity=39), "unknown zone 'ZZ'"),
    ],
)
def test_invalid_values_are_reported_in_one_line(settings: Settings, start: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(settings, NOW)
    assert str(caught.value).startswith(start)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("zone", ["LI", "JE", "XK", "AX", "LI-1"])
def test_known_zone_without_a_value_is_the_world_average_with_the_reason(zone: str) -> None:
    emissions, notices = resolve(Settings(zone=zone), NOW)
    assert (emissions.intensity.g_per_kwh, emissions.intensity.fallback) == (472.94, True)
    assert f"the yearly table has no value for {zone[:2]} (" in (emissions.intensity.reason or "")
    assert [notice.code for notice in notices] == [Code.INTENSITY_FALLBACK, Code.WORLD_INTENSITY]
    assert notices[0].remedy.startswith("For the values of Electricity Maps, set ELECTRICITYMAPS_API_TOKEN")
    assert notice_text(notices[0]).endswith(notices[0].remedy)
    assert resolve(Settings(zone=zone, intensity=39), NOW)[0].intensity.g_per_kwh == 39


def test_codes_without_a_value_are_not_in_the_table() -> None:
    assert len(ember.WITHOUT_VALUE) >= 33
    assert not ember.WITHOUT_VALUE.keys() & ember.countries().keys()
    with pytest.raises(UsageError, match=r"no value for LI \(Liechtenstein\)"):
        ember.intensity("LI")


@pytest.mark.parametrize("case", ["null", "server error", "no data", "another zone", "zero over a life cycle"])
@pytest.mark.parametrize("zone", ["AX", "XK", "AUS-NSW", "ZZ"])
def test_zone_that_only_the_service_knows_is_the_world_average(start_server: StartServer, case: str, zone: str) -> None:
    answer, _, words = BAD[case]
    emissions, notices = resolve(Settings(zone=zone), NOW, service(start_server(answer)))
    assert emissions.intensity.g_per_kwh == 472.94
    assert "Electricity Maps: " in (emissions.intensity.reason or "")
    assert notice_text(notices[0]).endswith("Try again when the service is available.")
    assert words.split(" instead")[0] in (emissions.intensity.reason or "") or case != "another zone"
    assert [notice.code for notice in notices] == [Code.INTENSITY_FALLBACK, Code.WORLD_INTENSITY]


def test_direct_factors_fall_back_to_the_life_cycle_table() -> None:
    emissions, (notice,) = resolve(Settings(zone="CH", emission_factors="direct"), NOW, None)
    assert (emissions.intensity.basis, emissions.intensity.fallback) == ("lifecycle", True)
    assert notice.code == Code.INTENSITY_FALLBACK
    assert "direct factors were asked for" in notice.message
