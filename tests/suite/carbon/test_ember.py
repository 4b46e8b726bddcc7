"""The bundled table: complete, credited, and looked up by zone."""

from __future__ import annotations

import hashlib
from collections import Counter
from importlib.resources import files

import pytest
from places import ROOT

from joulemark.suite.carbon.ember import WORLD, countries, intensity
from joulemark.suite.errors import UsageError


def test_table_is_complete() -> None:
    years = Counter(country.year for country in countries().values())
    assert len(countries()) == 213
    assert (years[2025], years[2024], min(years), max(years)) == (90, 105, 2009, 2025)
    assert all(0 < country.g_per_kwh < 1310 for country in countries().values())
    assert all(country.name and len(code) == 2 for code, country in countries().items())


def test_values_are_as_published() -> None:
    # A digest of code, year and value: a slip of one digit in one row changes it.
    rows = "".join(f"{c.code},{c.year},{c.g_per_kwh}\n" for c in countries().values())
    assert hashlib.sha256(rows.encode()).hexdigest() == DIGEST
    for code, g_per_kwh in {"CH": 39.22, "FR": 41.44, "DE": 329.65, "PL": 588.6, "US": 384.4, "IN": 670.13}.items():
        assert countries()[code].g_per_kwh == g_per_kwh


DIGEST = "6a8875c4c68e214178794afa641042da8f32e3b648fc4ff0b54fe4219d9f7bd4"


def test_table_carries_its_licence() -> None:
    header = (
        files("joulemark.suite.carbon")
        .joinpath("data/ember-owid-2026.csv")
        .read_text(encoding="utf-8")
        .split("iso2")[0]
    )
    for phrase in ("Ember", "Our World in Data", "CC BY 4.0", "https://", "Adapted"):
        assert phrase in header


def test_notice_credits_the_data() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    for phrase in ("ember-owid-2026.csv", "Ember (2026)", "Our World in Data", "CC BY 4.0"):
        assert phrase in notice


def test_country_has_its_own_year() -> None:
    value = intensity("CH")
    assert (value.g_per_kwh, value.zone, value.vintage, value.fallback, value.reason) == (
        39.22,
        "CH",
        2025,
        False,
        None,
    )
    assert (value.basis, value.signal) == ("lifecycle", "average")
    assert "Ember" in value.source
    assert intensity("FK").vintage == countries()["FK"].year


@pytest.mark.parametrize("zone", ["ch", " CH ", "Ch"])
def test_zones_in_any_spelling(zone: str) -> None:
    assert intensity(zone) == intensity("CH")


@pytest.mark.parametrize(("zone", "country"), [("US-CAL-CISO", "US"), ("DK-DK2", "DK"), ("it-no", "IT")])
def test_part_of_a_country_has_the_value_of_the_country_with_a_reason(zone: str, country: str) -> None:
    value = intensity(zone)
    assert (value.g_per_kwh, value.zone, value.fallback) == (countries()[country].g_per_kwh, country, True)
    assert value.reason is not None
    assert zone.upper() in value.reason
    assert countries()[country].name in value.reason


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("UK", "Did you mean GB (United Kingdom)?"),
        ("Switzerland", "Did you mean CH (Switzerland)?"),
        ("germny", "Did you mean DE (Germany)?"),
        ("XX", None),
        ("", None),
        ("XX-YY", None),
        ("CH-", None),
        ("CHE-ZH", None),
    ],
)
def test_unknown_zone_is_reported_in_one_line_with_a_hint(zone: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        intensity(zone)
    text = str(caught.value)
    assert "\n" not in text
    assert repr(zone) in text
    assert ("Did you mean" in text) is (hint is not None)
    assert hint is None or hint in text


def test_world_average_has_its_own_source() -> None:
    assert (WORLD.g_per_kwh, WORLD.vintage, WORLD.zone) == (472.94, 2024, None)
    assert "Ember" in WORLD.source
