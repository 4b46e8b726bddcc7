"""From a place and a token to the intensity of a run, with the yearly table behind."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from grid_client import Use, always, service
from grid_server import NOW, TOKEN, Reply, good

from joulemark.suite.carbon.location import Place, place
from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.carbon.service import from_environment
from joulemark.suite.notices import Code
from joulemark.suite.records import Run, Segment, Settings
from joulemark.suite.results.recompute import settle


def test_offline_asks_nobody(use: Use) -> None:
    server = use(good)
    environment = {"ELECTRICITYMAPS_API_TOKEN": TOKEN, "JOULEMARK_ELECTRICITYMAPS_URL": server.url}
    offline = from_environment(True, "lifecycle", None, environment, lambda: NOW)
    emissions, notices = resolve(Settings(zone="CH", offline=True), NOW, offline)
    assert (emissions.intensity.g_per_kwh, emissions.intensity.fallback, notices) == (39.22, False, ())
    emissions, notices = resolve(Settings(coordinates="47,8"), NOW, offline)
    assert emissions.intensity.g_per_kwh == 472.94
    assert "--offline" in (emissions.intensity.reason or "")
    assert {notice.code for notice in notices} == {Code.INTENSITY_FALLBACK, Code.WORLD_INTENSITY}
    assert server.seen == []


def test_without_a_token_the_table_is_no_fallback() -> None:
    nobody = from_environment(False, "lifecycle", None, {}, lambda: NOW)
    emissions, notices = resolve(Settings(zone="CH"), NOW, nobody)
    assert (emissions.intensity.fallback, emissions.intensity.reason, notices) == (False, None, ())


def test_own_value_asks_nobody(use: Use) -> None:
    server = use(good)
    emissions, _ = resolve(Settings(zone="CH", intensity=12), NOW, service(server))
    assert emissions.intensity.g_per_kwh == 12
    assert server.seen == []


def test_no_zone_asks_nobody(use: Use) -> None:
    server = use(good)
    assert resolve(Settings(), NOW, service(server))[0].intensity.zone is None
    assert server.seen == []


def test_direct_factors_that_the_table_does_not_have(use: Use) -> None:
    settings = Settings(zone="CH", emission_factors="direct")
    emissions, (notice,) = resolve(settings, NOW, None)
    assert (emissions.intensity.basis, emissions.intensity.fallback) == ("lifecycle", True)
    assert "direct factors were asked for" in notice.message


def finished(start: datetime, end: datetime, settings: Settings, emissions: Any, run_file: Any) -> Any:
    run = Run(
        id="20261123T100000Z-aaaa",
        started_at=start.isoformat(),
        finished_at=end.isoformat(),
        segments=(Segment(at_s=0.0, monotonic_s=0.0),),
        command=("joulemark", "run"),
        profile="quick",
        suite_version="0.1.0",
        complete=True,
        order_seed=1,
    )
    return run_file.model_copy(update={"run": run, "settings": settings, "emissions": emissions})


def test_short_run_is_settled_without_another_request(use: Use, tmp_path: Path) -> None:
    from run_files import run_file

    server = use(good)
    settings = Settings(zone="CH")
    ours = service(server, cache=tmp_path)
    emissions, _ = resolve(settings, NOW, ours)
    file = finished(NOW, NOW + timedelta(minutes=2), settings, emissions, run_file())
    settled = settle(file, NOW + timedelta(minutes=2), ours)
    assert (settled.emissions.intensity.g_per_kwh, settled.emissions.intervals) == (112.0, ())
    assert len(server.seen) == 1


def test_run_over_several_hours_gets_each_of_them(use: Use) -> None:
    from run_files import run_file, trace

    server = use(good)
    start, end = NOW - timedelta(hours=2), NOW
    settings = Settings(zone="CH")
    file = finished(start, end, settings, resolve(settings, NOW, service(server))[0], run_file())
    # 100 W in the first hour, 200 W in the second.
    times = tuple(float(t) for t in range(0, 7201, 10))
    energy = tuple(100.0 * t if t <= 3600 else 360_000 + 200.0 * (t - 3600) for t in times)
    channel = trace(1.0).channels[0].model_copy(update={"values": energy})
    file = file.model_copy(update={"traces": (trace(1.0).model_copy(update={"t_s": times, "channels": (channel,)}),)})
    settled = settle(file, NOW, service(server))
    assert [part.g_per_kwh for part in settled.emissions.intervals] == [110, 111, 112]
    # 10:20-11:00 at 110, 11:00-11:20 at 111, both under 100 W; 11:20-12:00 at 111, 12:00-12:20 at 112 under 200 W.
    expected = (110 * 40 * 100 + 111 * 20 * 100 + 111 * 40 * 200 + 112 * 20 * 200) / (60 * 100 + 60 * 200)
    assert settled.emissions.intensity.g_per_kwh == pytest.approx(expected, rel=1e-6)
    assert (settled.emissions.intensity.low, settled.emissions.intensity.high) == (110, 112)
    assert server.paths == ["carbon-intensity/latest", "carbon-intensity/latest", "carbon-intensity/history"]


def test_run_of_last_week_asks_for_its_range(use: Use) -> None:
    server = use(good)
    start = NOW - timedelta(days=7)
    emissions, _ = resolve(Settings(zone="CH"), NOW, service(server), (start, start + timedelta(minutes=90)))
    assert [part.g_per_kwh for part in emissions.intervals] == [112, 113]
    (seen,) = server.seen
    assert (seen.path, seen.parameters["start"], seen.parameters["end"]) == (
        "carbon-intensity/past-range",
        "2026-11-16T12:00:00Z",
        "2026-11-16T14:00:00Z",
    )


def test_service_that_fails_after_the_run_does_not_spoil_what_was_known(use: Use) -> None:
    from run_files import run_file

    server = use(good)
    settings = Settings(zone="CH")
    emissions, _ = resolve(settings, NOW, service(server))
    file = finished(NOW, NOW + timedelta(hours=3), settings, emissions, run_file())
    server.answer = always({}, 500)
    assert settle(file, NOW + timedelta(hours=3), service(server)) == file


def test_history_that_is_not_licensed_leaves_the_newest(use: Use) -> None:
    def answer(path: str, parameters: dict[str, str]) -> Reply:
        return good(path, parameters) if path.endswith("latest") else Reply({"error": "do not have access"}, 401)

    emissions, _ = resolve(Settings(zone="CH"), NOW, service(use(answer)), (NOW - timedelta(hours=2), NOW))
    assert emissions.intensity.g_per_kwh == 112
    assert "nearest" in (emissions.intensity.reason or "")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Settings(coordinates="91,0"), "--coordinates got '91,0'"),
        (Settings(coordinates="here"), "--coordinates got 'here'"),
        (Settings(coordinates="nan,nan"), "--coordinates got"),
        (Settings(data_center="zurich"), "--data-center got 'zurich'"),
        (Settings(data_center="gcp:europe west6"), "--data-center got"),
        (Settings(zone="CH", coordinates="47,8"), "--zone and --coordinates were given"),
    ],
)
def test_places_that_cannot_be(settings: Settings, said: str) -> None:
    from joulemark.suite.errors import UsageError

    with pytest.raises(UsageError) as caught:
        resolve(settings, NOW)
    assert str(caught.value).startswith(said)


def test_a_place_is_one_of_three() -> None:
    given = {"zone": "CH", "coordinates": "47,8", "data_center": "gcp:europe-west6"}
    for count in (1, 2, 3):
        for names in itertools.combinations(given, count):
            settings = Settings(**{name: given[name] for name in names})
            if count == 1:
                assert isinstance(place(settings), Place)
            else:
                with pytest.raises(Exception, match="were given"):
                    place(settings)
