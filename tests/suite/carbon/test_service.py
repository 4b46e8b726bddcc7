"""Which requests the service sends, and what falls back to the yearly table without it."""

from __future__ import annotations

from datetime import timedelta

from grid_client import StartServer, service
from grid_server import NOW, TOKEN, Reply, good

from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.carbon.service import from_environment
from joulemark.suite.notices import Code
from joulemark.suite.records import Settings


def test_offline_sends_no_request(start_server: StartServer) -> None:
    server = start_server(good)
    environment = {"ELECTRICITYMAPS_API_TOKEN": TOKEN, "JOULEMARK_ELECTRICITYMAPS_URL": server.url}
    offline = from_environment(True, "lifecycle", None, environment, lambda: NOW)
    emissions, notices = resolve(Settings(zone="CH", offline=True), NOW, offline)
    assert (emissions.intensity.g_per_kwh, emissions.intensity.fallback, notices) == (39.22, False, ())
    emissions, notices = resolve(Settings(coordinates="47,8"), NOW, offline)
    assert emissions.intensity.g_per_kwh == 472.94
    assert "--offline" in (emissions.intensity.reason or "")
    assert {notice.code for notice in notices} == {Code.INTENSITY_FALLBACK, Code.WORLD_INTENSITY}
    assert server.requests == []


def test_without_a_token_the_table_is_no_fallback() -> None:
    unused = from_environment(False, "lifecycle", None, {}, lambda: NOW)
    emissions, notices = resolve(Settings(zone="CH"), NOW, unused)
    assert (emissions.intensity.fallback, emissions.intensity.reason, notices) == (False, None, ())


def test_value_of_the_user_sends_no_request(start_server: StartServer) -> None:
    server = start_server(good)
    emissions, _ = resolve(Settings(zone="CH", intensity=12), NOW, service(server))
    assert emissions.intensity.g_per_kwh == 12
    assert server.requests == []


def test_without_a_location_no_request_is_sent(start_server: StartServer) -> None:
    server = start_server(good)
    assert resolve(Settings(), NOW, service(server))[0].intensity.zone is None
    assert server.requests == []


def test_run_of_last_week_requests_its_range(start_server: StartServer) -> None:
    server = start_server(good)
    start = NOW - timedelta(days=7)
    emissions, _ = resolve(Settings(zone="CH"), NOW, service(server), (start, start + timedelta(minutes=90)))
    assert [interval.g_per_kwh for interval in emissions.intervals] == [112, 113]
    (request,) = server.requests
    assert (request.path, request.parameters["start"], request.parameters["end"]) == (
        "carbon-intensity/past-range",
        "2026-11-16T12:00:00Z",
        "2026-11-16T14:00:00Z",
    )


def test_latest_value_is_used_where_history_is_not_licensed(start_server: StartServer) -> None:
    def answer(path: str, parameters: dict[str, str]) -> Reply:
        return good(path, parameters) if path.endswith("latest") else Reply({"error": "do not have access"}, 401)

    span = (NOW - timedelta(hours=2), NOW)
    emissions, _ = resolve(Settings(zone="CH"), NOW, service(start_server(answer)), span)
    assert emissions.intensity.g_per_kwh == 112
    assert "nearest" in (emissions.intensity.reason or "")
