"""Bad answers of the service: each is an error with a reason, none a wrong number."""

from __future__ import annotations

from datetime import timedelta

import pytest
from grid_answers import BAD
from grid_client import CH, StartServer, always, client, service
from grid_server import NOW, hour, hourly, latest, listed

from joulemark.suite.carbon.provenance import from_series
from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.carbon.service_response import ServiceError
from joulemark.suite.notices import Code
from joulemark.suite.records import Settings


@pytest.mark.parametrize("case", BAD)
def test_bad_answers_have_a_kind_and_a_reason(start_server: StartServer, case: str) -> None:
    answer, kind, words = BAD[case]
    with pytest.raises(ServiceError) as caught:
        client(start_server(answer)).latest(CH)
    assert caught.value.kind == kind
    assert words in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("case", BAD)
def test_bad_answers_fall_back_to_the_yearly_table(start_server: StartServer, case: str) -> None:
    answer, _, words = BAD[case]
    emissions, notices = resolve(Settings(zone="CH"), NOW, service(start_server(answer)))
    assert (emissions.intensity.g_per_kwh, emissions.intensity.vintage) == (39.22, 2025)
    assert emissions.intensity.fallback
    assert words in (emissions.intensity.reason or "")
    assert [notice.code for notice in notices] == [Code.INTENSITY_FALLBACK]


def test_nulls_between_values_take_the_nearest(start_server: StartServer) -> None:
    start = hour(NOW) - timedelta(hours=3)
    series = client(start_server(always(listed("history", hourly(start, 100, None, 300))))).history(CH)
    assert [point.g_per_kwh for point in series.points] == [100, 300]
    resolved = from_series(series, (start, start + timedelta(hours=3)))
    assert [(part.g_per_kwh, part.nearest) for part in resolved.intervals] == [
        (100, False),
        (100, True),
        (300, True),
        (300, False),
    ]
    assert resolved.intensity.g_per_kwh == pytest.approx(200)
    assert "no value for" in (resolved.intensity.reason or "")


def test_stale_value_has_a_notice(start_server: StartServer) -> None:
    server = start_server(always(latest(start=hour(NOW) - timedelta(hours=9))))
    emissions, (notice,) = resolve(Settings(zone="CH"), NOW, service(server))
    assert emissions.intensity.g_per_kwh == 123
    assert "nearest (2026-11-23T03:00:00Z) is used" in (emissions.intensity.reason or "")
    assert notice.code == Code.STALE_INTENSITY
    assert notice.value == pytest.approx(8.33, abs=0.01)


def test_rows_that_were_updated_before_their_time_are_valid(start_server: StartServer) -> None:
    # createdAt and updatedAt may both precede datetime: the row was first forecast.
    document = latest(updatedAt="2026-11-23T11:47:02.408Z", createdAt="2026-11-20T12:45:20.860Z")
    assert client(start_server(always(document))).latest(CH).points[0].g_per_kwh == 123
