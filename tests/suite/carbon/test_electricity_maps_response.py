"""What must not become a number: every bad answer of the service is a clean reason, none a wrong number."""

from __future__ import annotations

from datetime import timedelta

import pytest
from grid_answers import BAD
from grid_client import CH, Use, always, client, service
from grid_server import NOW, hour, hourly, latest, listed

from joulemark.suite.carbon.provenance import from_series
from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.carbon.transport import Failure
from joulemark.suite.notices import Code
from joulemark.suite.records import Settings


@pytest.mark.parametrize("case", BAD)
def test_bad_answers_have_a_kind_and_a_reason(use: Use, case: str) -> None:
    answer, kind, said = BAD[case]
    with pytest.raises(Failure) as caught:
        client(use(answer)).latest(CH)
    assert caught.value.kind == kind
    assert said in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("case", BAD)
def test_bad_answers_fall_to_the_yearly_table_with_the_reason(use: Use, case: str) -> None:
    answer, _, said = BAD[case]
    emissions, notices = resolve(Settings(zone="CH"), NOW, service(use(answer)))
    assert (emissions.intensity.g_per_kwh, emissions.intensity.vintage) == (39.22, 2025)
    assert emissions.intensity.fallback
    assert said in (emissions.intensity.reason or "")
    assert [notice.code for notice in notices] == [Code.INTENSITY_FALLBACK]


def test_nulls_between_values_are_holes_and_take_the_nearest(use: Use) -> None:
    start = hour(NOW) - timedelta(hours=3)
    found = client(use(always(listed("history", hourly(start, 100, None, 300))))).history(CH)
    assert [point.g_per_kwh for point in found.points] == [100, 300]
    spread = from_series(found, (start, start + timedelta(hours=3)))
    assert [(part.g_per_kwh, part.nearest) for part in spread.intervals] == [
        (100, False),
        (100, True),
        (300, True),
        (300, False),
    ]
    assert spread.intensity.g_per_kwh == pytest.approx(200)
    assert "no value for" in (spread.intensity.reason or "")


def test_stale_but_usable_is_flagged(use: Use) -> None:
    server = use(always(latest(start=hour(NOW) - timedelta(hours=9))))
    emissions, (notice,) = resolve(Settings(zone="CH"), NOW, service(server))
    assert emissions.intensity.g_per_kwh == 123
    assert "nearest (2026-11-23T03:00:00Z) is used" in (emissions.intensity.reason or "")
    assert notice.code == Code.STALE_INTENSITY
    assert notice.value == pytest.approx(8.33, abs=0.01)


def test_forecast_rows_that_were_made_long_before_are_no_skew(use: Use) -> None:
    # createdAt and updatedAt may both precede datetime: the row was first forecast.
    document = latest(updatedAt="2026-11-23T11:47:02.408Z", createdAt="2026-11-20T12:45:20.860Z")
    assert client(use(always(document))).latest(CH).points[0].g_per_kwh == 123
