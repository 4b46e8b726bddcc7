"""The client against a server on loopback: each answer of a working service becomes a series with its provenance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from grid_client import CH, StartServer, always, client
from grid_server import NOW, TOKEN, good, hour, latest

from joulemark.suite.carbon.electricity_maps import ElectricityMaps
from joulemark.suite.carbon.location import location_of
from joulemark.suite.carbon.provenance import from_series
from joulemark.suite.carbon.service_response import ServiceError
from joulemark.suite.carbon.transport import Transport
from joulemark.suite.records import Settings


def test_latest_has_its_whole_provenance(start_server: StartServer) -> None:
    server = start_server(always(latest(value=87, isEstimated=True, estimationMethod="TIME_SLICER_AVERAGE")))
    intensity = from_series(client(server).latest(CH), (NOW, NOW)).intensity
    assert intensity.model_dump() == {
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


def test_request(start_server: StartServer) -> None:
    server = start_server(good)
    client(server).latest(CH)
    (request,) = server.requests
    assert request.path == "carbon-intensity/latest"
    assert request.parameters == {"zone": "CH", "emissionFactorType": "lifecycle", "disableCallerLookup": "true"}
    assert request.headers["auth-token"] == TOKEN
    assert request.headers["User-Agent"].startswith("joulemark/")


@pytest.mark.parametrize(
    ("settings", "sent"),
    [
        (Settings(coordinates="47.37, 8.54"), {"lat": "47.37", "lon": "8.54"}),
        (Settings(data_center="GCP:europe-west6"), {"dataCenterProvider": "gcp", "dataCenterRegion": "europe-west6"}),
        (Settings(zone="us-cal-ciso"), {"zone": "US-CAL-CISO"}),
    ],
)
def test_locations(start_server: StartServer, settings: Settings, sent: dict[str, str]) -> None:
    server = start_server(good)
    location = location_of(settings)
    assert location is not None
    assert client(server).latest(location).zone == sent.get("zone", "CH")
    assert sent.items() <= server.requests[0].parameters.items()
    assert server.requests[0].parameters["disableCallerLookup"] == "true"


def test_history_past_range_and_forecast(start_server: StartServer) -> None:
    server = start_server(good)
    maps = client(server)
    assert [point.g_per_kwh for point in maps.history(CH).points][-1] == 112
    start = datetime(2026, 11, 1, 5, tzinfo=UTC)
    ranged = maps.past_range(CH, start, start + timedelta(hours=3))
    assert [point.g_per_kwh for point in ranged.points] == [105, 106, 107]
    assert server.requests[-1].parameters["start"] == "2026-11-01T05:00:00Z"
    forecast = maps.forecast(CH, 24)
    assert (len(forecast.points), forecast.points[0].is_estimated) == (25, None)


def test_range_of_more_than_ten_days_is_refused(start_server: StartServer) -> None:
    server = start_server(good)
    with pytest.raises(ServiceError, match="ten days"):
        client(server).past_range(CH, NOW - timedelta(days=11), NOW)
    assert server.requests == []


def test_direct_factors(start_server: StartServer) -> None:
    server = start_server(always(latest(emissionFactorType="direct", value=20)))
    maps = ElectricityMaps(Transport(server.url, TOKEN), lambda: NOW, "direct")
    assert from_series(maps.latest(CH), (NOW, NOW)).intensity.basis == "direct"
    assert server.requests[0].parameters["emissionFactorType"] == "direct"


def test_form_of_older_api_versions_is_read(start_server: StartServer) -> None:
    document = latest()
    del document["temporalGranularity"], document["flowTraced"]
    assert client(start_server(always(document))).latest(CH).points[0].end == hour(NOW) + timedelta(hours=1)
