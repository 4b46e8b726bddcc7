"""Locations from settings: one of zone, coordinates and data centre, each checked."""

from __future__ import annotations

import itertools

import pytest

from joulemark.suite.carbon.location import by_zone, location_of
from joulemark.suite.errors import UsageError
from joulemark.suite.records import Settings


@pytest.mark.parametrize(
    ("settings", "start"),
    [
        (Settings(coordinates="91,0"), "--coordinates got '91,0'"),
        (Settings(coordinates="here"), "--coordinates got 'here'"),
        (Settings(coordinates="nan,nan"), "--coordinates got"),
        (Settings(data_center="zurich"), "--data-center got 'zurich'"),
        (Settings(data_center="gcp:europe west6"), "--data-center got"),
        (Settings(zone="CH", coordinates="47,8"), "--zone and --coordinates were given"),
    ],
)
def test_invalid_locations(settings: Settings, start: str) -> None:
    with pytest.raises(UsageError) as caught:
        location_of(settings)
    assert str(caught.value).startswith(start)


def test_only_one_option_may_be_given() -> None:
    options = {"zone": "CH", "coordinates": "47,8", "data_center": "gcp:europe-west6"}
    for count in (1, 2, 3):
        for names in itertools.combinations(options, count):
            settings = Settings(**{name: options[name] for name in names})
            if count == 1:
                assert location_of(settings) is not None
            else:
                with pytest.raises(UsageError, match="were given"):
                    location_of(settings)
    assert location_of(Settings()) is None


def test_zone_is_in_capitals() -> None:
    location = by_zone(" dk-dk2 ")
    assert (location.zone, location.parameters) == ("DK-DK2", {"zone": "DK-DK2"})
