"""The client against a real server: every answer of a working service becomes a pedigree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from grid_client import CH, Use, always, client
from grid_server import NOW, TOKEN, good, hour, latest

from joulemark.suite.carbon.electricity_maps import ElectricityMaps
from joulemark.suite.carbon.location import place
from joulemark.suite.carbon.provenance import from_series
from joulemark.suite.carbon.transport import Failure, Transport
from joulemark.suite.records import Settings


def test_latest_has_its_whole_pedigree(use: Use) -> None:
    server = use(always(latest(value=87, isEstimated=True, estimationMethod="TIME_SLICER_AVERAGE")))
    found = from_series(client(server).latest(CH), (NOW, NOW)).intensity
    assert found.model_dump() == {
        "g_per_kwh": 87.0,
        "source": "Electricity Maps",
        "zone": "CH",
        "interval_start": "2026-11-23T12:00:00Z",
        "retrieved_at": "2026-11-23T12:20:00Z",
        "updated_at": "2026-11-23T12:40:00Z",
        "is_estimated": True,
        "method": "TIME_SLICER_AVERAGE",
        "granularity": "hourly",
        "basis": "lifecycle",
        "signal": "average",
        "vintage": None,
        "fallback": False,
        "reason": None,
        "low": None,
        "high": None,
    }


def test_what_is_sent(use: Use) -> None:
    server = use(good)
    client(server).latest(CH)
    (seen,) = server.seen
    assert seen.path == "carbon-intensity/latest"
    assert seen.parameters == {"zone": "CH", "emissionFactorType": "lifecycle", "disableCallerLookup": "true"}
    assert seen.headers["auth-token"] == TOKEN
    assert seen.headers["User-Agent"].startswith("joulemark/")


@pytest.mark.parametrize(
    ("settings", "sent"),
    [
        (Settings(coordinates="47.37, 8.54"), {"lat": "47.37", "lon": "8.54"}),
        (Settings(data_center="GCP:europe-west6"), {"dataCenterProvider": "gcp", "dataCenterRegion": "europe-west6"}),
        (Settings(zone="us-cal-ciso"), {"zone": "US-CAL-CISO"}),
    ],
)
def test_places(use: Use, settings: Settings, sent: dict[str, str]) -> None:
    server = use(good)
    where = place(settings)
    assert where is not None
    found = client(server).latest(where)
    assert found.zone == sent.get("zone", "CH")
    assert sent.items() <= server.seen[0].parameters.items()
    assert server.seen[0].parameters["disableCallerLookup"] == "true"


def test_history_past_range_and_forecast(use: Use) -> None:
    server = use(good)
    maps = client(server)
    assert [point.g_per_kwh for point in maps.history(CH).points][-1] == 112
    start = datetime(2026, 11, 1, 5, tzinfo=UTC)
    ranged = maps.past_range(CH, start, start + timedelta(hours=3))
    assert [point.g_per_kwh for point in ranged.points] == [105, 106, 107]
    assert server.seen[-1].parameters["start"] == "2026-11-01T05:00:00Z"
    ahead = maps.forecast(CH, 24)
    assert (len(ahead.points), ahead.points[0].is_estimated) == (25, None)


def test_ten_days_are_the_most(use: Use) -> None:
    server = use(good)
    with pytest.raises(Failure, match="ten days"):
        client(server).past_range(CH, NOW - timedelta(days=11), NOW)
    assert server.seen == []


def test_direct_factors(use: Use) -> None:
    server = use(always(latest(emissionFactorType="direct", value=20)))
    maps = ElectricityMaps(Transport(server.url, TOKEN), None, lambda: NOW, "direct")
    assert from_series(maps.latest(CH), (NOW, NOW)).intensity.basis == "direct"
    assert server.seen[0].parameters["emissionFactorType"] == "direct"


def test_older_versions_shape_is_read_too(use: Use) -> None:
    document = latest()
    del document["temporalGranularity"], document["flowTraced"]
    assert client(use(always(document))).latest(CH).points[0].end == hour(NOW) + timedelta(hours=1)
