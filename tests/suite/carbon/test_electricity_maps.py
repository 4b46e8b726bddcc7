"""The client against a real server: every answer becomes a pedigree, or a clean reason; none becomes a wrong number."""

from __future__ import annotations

import copy
import itertools
import logging
import pickle
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from grid_server import NOW, TOKEN, Answer, GridServer, Reply, good, grid_server, hour, hourly, latest, listed, row

from suite.carbon.cache import Cache
from suite.carbon.electricity_maps import ElectricityMaps, access
from suite.carbon.pedigree import from_series
from suite.carbon.place import Place, by_zone, place
from suite.carbon.resolve import resolve
from suite.carbon.service import Service, from_environment
from suite.carbon.settle import settle
from suite.carbon.transport import Failure, Transport
from suite.notices import Code
from suite.results.records import Run, Segment, Settings

CH = by_zone("CH")
Use = Callable[[Answer], GridServer]


@pytest.fixture
def use() -> Iterator[Use]:
    """Starts a server with an answer; it ends with the test."""
    started: list[GridServer] = []

    def start(answer: Answer) -> GridServer:
        server = GridServer(answer)
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


def client(
    server: GridServer, cache: Cache | None = None, now: datetime = NOW, timeout_s: float = 2.0
) -> ElectricityMaps:
    return ElectricityMaps(Transport(server.url, TOKEN, timeout_s, backoff_s=0.01), cache, lambda: now)


def always(document: Any = None, status: int = 200, **more: Any) -> Answer:
    return lambda path, parameters: Reply(document, status, **more)


def service(server: GridServer, **more: Any) -> Service:
    environment = {"ELECTRICITYMAPS_API_TOKEN": TOKEN, "JOULEMARK_ELECTRICITYMAPS_URL": server.url}
    more = {"cache": None, "clock": lambda: NOW, "timeout_s": 2.0, "backoff_s": 0.01, **more}
    return from_environment(False, "lifecycle", environment=environment, **more)


# -- what a working service says ------------------------------------------------------------------------------------


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


def test_history_past_range_past_forecast_and_zones(use: Use) -> None:
    server = use(good)
    maps = client(server)
    assert [point.g_per_kwh for point in maps.history(CH).points][-1] == 112
    start = datetime(2026, 11, 1, 5, tzinfo=UTC)
    ranged = maps.past_range(CH, start, start + timedelta(hours=3))
    assert [point.g_per_kwh for point in ranged.points] == [105, 106, 107]
    assert server.seen[-1].parameters["start"] == "2026-11-01T05:00:00Z"
    assert maps.past(CH, start).points[0].start == start
    ahead = maps.forecast(CH, 24)
    assert (len(ahead.points), ahead.points[0].is_estimated) == (25, None)
    assert maps.zones() == {"CH": "Switzerland"}


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


# -- what must not become a number ------------------------------------------------------------------------------------

BAD: dict[str, tuple[Answer, str, str]] = {
    "token not accepted": (
        always({"error": "Invalid auth-token", "message": "x"}, 401), "bad_token", "does not accept the token",
    ),
    "plan lacks it": (
        always(
            {
                "error": "Request unauthorized for zoneKey=PT,requestType=past,dataType=power-breakdown.",
                "message": "You do not have access to this specific endpoint for this specific zone",
            },
            401,
        ),
        "not_licensed",
        "plan of this token does not include",
    ),
    "forbidden": (always({}, 403), "not_licensed", "plan of this token"),
    "no data": (always({"error": 'No recent data for zone "CH"'}, 404), "no_data", "no data for this place"),
    "bad request": (always({"error": "Missing argument"}, 400), "request", "Missing argument"),
    "redirect": (
        always(None, 302, headers={"Location": "http://127.0.0.1:1/steal"}), "request", "it answered 302",
    ),
    "server error": (always({}, 500), "server", "its own error 500"),
    "gateway": (always(None, 502, body=b"<html>bad gateway</html>"), "server", "its own error 502"),
    "cut-off JSON": (always(None, body=b'{"zone": "CH", "carbonIn'), "malformed", "not JSON, or was cut off"),
    "cut-off connection": (always(None, body=b'{"zone"', promised=500), "unreachable", "cannot be reached"),
    "HTML": (always(None, body=b"<!doctype html><h1>Sign in to the network</h1>"), "malformed", "not JSON"),
    "nothing": (always(None, body=b""), "malformed", "not JSON"),
    "deep JSON": (always(None, body=b"[" * 100_000), "malformed", "not JSON"),
    "a list": (always([1, 2]), "malformed", "another form"),
    "a string": (always("hello"), "malformed", "another form"),
    "rows of numbers": (always({"zone": "CH", "history": [1, 2]}), "malformed", "another form"),
    "rows that are none": (always({"zone": "CH", "history": {"a": 1}}), "malformed", "another form"),
    "null": (always(latest(value=None)), "no_data", "null"),
    "only nulls": (always(listed("history", hourly(hour(NOW), None, None))), "no_data", "null"),
    "no rows": (always(listed("history", {})), "no_data", "null"),
    "sandbox by method": (always(latest(estimationMethod="SANDBOX_MODE_DATA")), "sandbox", "wrong values by design"),
    "sandbox by disclaimer": (always(latest(_disclaimer="SANDBOX MODE: data is wrong")), "sandbox", "sandbox"),
    "sandbox in one row": (
        always({"zone": "CH", "history": [row(hour(NOW)), row(NOW, estimationMethod="sandbox_mode_data")]}),
        "sandbox",
        "sandbox",
    ),
    "another zone": (always(latest("DE")), "wrong_zone", "asked for CH and answered for DE"),
    "no zone": (always({**latest(), "zone": None}), "wrong_zone", "does not say for which zone"),
    "negative": (always(latest(value=-1)), "out_of_range", "-1 g/kWh cannot be"),
    "huge": (always(latest(value=120_000)), "out_of_range", "120000 g/kWh cannot be"),
    "text for a value": (always(latest(value="123")), "malformed", "not a number"),
    "true for a value": (always(latest(value=True)), "malformed", "not a number"),
    "NaN": (always(None, body=b'{"zone":"CH","carbonIntensity":NaN,"datetime":"2026-11-23T12:00:00Z"}'), "malformed",
            "not a number"),
    "no time": (always(latest(datetime=None)), "malformed", "a time is not one"),
    "time without offset": (always(latest(datetime="2026-11-23T12:00:00")), "malformed", "a time is not one"),
    "other factors": (always(latest(emissionFactorType="direct")), "malformed", "answered with others"),
    "too coarse": (always(latest(temporalGranularity="monthly")), "malformed", "too coarse"),
    "clock ahead": (always(latest(start=hour(NOW) + timedelta(hours=1))), "stale", "in the future"),
    "days old": (always(latest(start=hour(NOW) - timedelta(days=2))), "stale", "more than a day back"),
}  # fmt: skip


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


# -- patience ---------------------------------------------------------------------------------------------------------


def in_turn(*replies: Reply) -> Answer:
    left = iter(replies)
    return lambda path, parameters: next(left)


def test_server_errors_are_retried(use: Use) -> None:
    server = use(in_turn(Reply({}, 500), Reply({}, 503), Reply(latest(value=50))))
    assert client(server).latest(CH).points[0].g_per_kwh == 50
    assert len(server.seen) == 3


def test_retry_after_is_honoured(use: Use) -> None:
    server = use(in_turn(Reply({}, 429, {"Retry-After": "1"}), Reply(latest(value=50))))
    assert client(server).latest(CH).points[0].g_per_kwh == 50
    assert server.seen[1].at_s - server.seen[0].at_s >= 0.95


@pytest.mark.parametrize("value", ["3600", "nonsense", "Wed, 21 Oct 2065 07:28:00 GMT"])
def test_nobody_waits_for_an_hour(use: Use, value: str) -> None:
    server = use(always({}, 429, headers={"Retry-After": value}))
    begun = time.monotonic()
    with pytest.raises(Failure) as caught:
        client(server).latest(CH)
    assert time.monotonic() - begun < 1
    assert caught.value.kind in {"throttled", "unreachable"}
    assert len(server.seen) == 1


def test_refusals_are_not_retried(use: Use) -> None:
    server = use(always({"error": "Invalid auth-token"}, 401))
    with pytest.raises(Failure):
        client(server).latest(CH)
    assert len(server.seen) == 1


@pytest.mark.parametrize("how", [{"stall_s": 30.0}, {"drip_s": 0.15}])
def test_stall_and_drip_end_in_time(use: Use, how: dict[str, float]) -> None:
    server = use(always(latest(), **how))
    begun = time.monotonic()
    with pytest.raises(Failure) as caught:
        client(server, timeout_s=0.6).latest(CH)
    assert caught.value.kind == "timeout"
    assert "0.6 s" in caught.value.message
    assert time.monotonic() - begun < 2
    assert len(server.seen) == 1


def test_endless_answer_is_cut(use: Use) -> None:
    server = use(always(None, body=b"x" * 5_000_000))
    with pytest.raises(Failure) as caught:
        client(server, timeout_s=30).latest(CH)
    assert caught.value.kind == "malformed"


def test_nobody_listens() -> None:
    with grid_server(good) as server:
        pass
    with pytest.raises(Failure) as caught:
        client(server).latest(CH)
    assert caught.value.kind == "unreachable"


# -- one request for many ---------------------------------------------------------------------------------------------


def test_many_cases_and_many_runs_ask_once(use: Use, tmp_path: Path) -> None:
    server = use(good)
    for _ in range(20):
        emissions, notices = resolve(Settings(zone="CH"), NOW, service(server, cache=tmp_path))
        assert (emissions.intensity.g_per_kwh, notices) == (112.0, ())
    assert len(server.seen) == 1


def test_the_next_hour_asks_again(use: Use, tmp_path: Path) -> None:
    server = use(good)
    for minutes, requests in ((0, 1), (39, 1), (41, 2), (50, 2)):
        client(server, Cache(tmp_path), NOW + timedelta(minutes=minutes)).latest(CH)
        assert len(server.seen) == requests


def test_unlike_questions_are_not_mixed_up(use: Use, tmp_path: Path) -> None:
    server = use(good)
    maps = client(server, Cache(tmp_path))
    values = [
        maps.latest(CH),
        maps.history(CH),
        maps.latest(by_zone("DE")),
        maps.forecast(CH, 6),
        maps.forecast(CH, 24),
    ]
    assert len(set(values)) == len(values)
    assert len(server.seen) == len(values)
    again = [maps.latest(CH), maps.history(CH), maps.latest(by_zone("DE")), maps.forecast(CH, 6), maps.forecast(CH, 24)]
    assert again == values
    assert len(server.seen) == len(values)


def test_failures_are_not_kept(use: Use, tmp_path: Path) -> None:
    server = use(always({}, 404))
    with pytest.raises(Failure):
        client(server, Cache(tmp_path)).latest(CH)
    server.answer = good
    assert client(server, Cache(tmp_path)).latest(CH).points


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b'{"stored": 1}', b'{"stored": "2026-11-23T12:00:00Z"}']
)
def test_broken_cache_is_no_cache(use: Use, tmp_path: Path, content: bytes) -> None:
    server = use(good)
    client(server, Cache(tmp_path)).latest(CH)
    (entry,) = tmp_path.iterdir()
    entry.write_bytes(content)
    assert client(server, Cache(tmp_path)).latest(CH).points
    assert len(server.seen) == 2


def test_cache_of_the_future_is_no_cache(use: Use, tmp_path: Path) -> None:
    server = use(good)
    client(server, Cache(tmp_path), NOW + timedelta(minutes=20)).latest(CH)
    client(server, Cache(tmp_path), NOW).latest(CH)
    assert len(server.seen) == 2


def test_place_that_cannot_be_written_costs_nothing(use: Use, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert client(use(good), Cache(blocked / "below")).latest(CH).points


# -- the token --------------------------------------------------------------------------------------------------------


def held_by(error: BaseException) -> str:
    """All that an exception, its causes and their frames' texts show."""
    seen: list[str] = []
    found: BaseException | None = error
    while found is not None:
        seen += [str(found), repr(found), repr(found.args), repr(vars(found))]
        seen += traceback.format_exception(found)
        found = found.__cause__ or found.__context__
    return "\n".join(seen)


def echoing(path: str, parameters: dict[str, str]) -> Reply:
    return Reply({"error": f"Invalid auth-token {TOKEN}", "message": f"you sent\n{TOKEN}"}, 401)


@pytest.mark.parametrize(
    "answer",
    [*(answer for answer, _, _ in BAD.values()), echoing, always(latest(estimationMethod=TOKEN, _disclaimer=TOKEN))],
)
def test_no_exception_file_or_log_line_holds_the_token(
    use: Use, answer: Answer, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    maps = client(use(answer), Cache(tmp_path / "cache"))
    texts = [repr(maps), str(maps), repr(vars(maps)["_transport"])]
    try:
        maps.latest(CH)
    except Failure as failure:
        texts.append(held_by(failure))
    emissions, notices = resolve(Settings(zone="CH"), NOW, service(use(answer), cache=tmp_path / "cache"))
    texts += [
        emissions.model_dump_json(),
        *(notice.model_dump_json() for notice in notices),
        caplog.text,
        *capfd.readouterr(),
    ]
    texts += [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert TOKEN not in "\n".join(texts)


def test_unreachable_and_stalled_hide_the_token_too(use: Use) -> None:
    for server in (use(always(latest(), stall_s=30.0)),):
        with pytest.raises(Failure) as caught:
            client(server, timeout_s=0.3).latest(CH)
        assert TOKEN not in held_by(caught.value)
        assert caught.value.__context__ is None


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "ümlaut", "tab\there"])
def test_token_that_cannot_be_is_refused_unshown(token: str) -> None:
    with pytest.raises(Failure) as caught:
        Transport("https://example.invalid", token)
    assert caught.value.kind == "bad_token"
    assert token not in held_by(caught.value)


def test_token_is_not_copied_or_pickled() -> None:
    transport = Transport("https://example.invalid", TOKEN)
    for copier in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="holds a token"):
            copier(transport)


@pytest.mark.parametrize(
    "url", ["http://grid.example/v4", "ftp://grid.example", "grid.example", "", "http://[::1", "file:///etc/passwd"]
)
def test_token_is_not_sent_in_the_clear_or_to_nowhere(url: str) -> None:
    with pytest.raises(Failure) as caught:
        Transport(url, TOKEN)
    assert TOKEN not in held_by(caught.value)


def test_redirect_does_not_carry_the_token_away(use: Use) -> None:
    other = use(good)
    server = use(always(None, 302, headers={"Location": f"{other.url}/carbon-intensity/latest"}))
    with pytest.raises(Failure):
        client(server).latest(CH)
    assert other.seen == []


def test_credentials_in_the_address_are_not_shown() -> None:
    password = "hunter2"
    maps = ElectricityMaps(Transport(f"http://user:{password}@127.0.0.1:9/v4", TOKEN, backoff_s=0.01))
    with pytest.raises(Failure) as caught:
        maps.latest(CH)
    assert password not in held_by(caught.value)


def test_where_the_token_comes_from() -> None:
    assert access({}) is None
    assert access({"ELECTRICITYMAPS_API_TOKEN": "  "}) is None
    new = access({"ELECTRICITYMAPS_API_TOKEN": " a ", "CO2_SIGNAL_API_TOKEN": "b"})
    old = access({"CO2_SIGNAL_API_TOKEN": "b"})
    assert new is not None
    assert old is not None
    assert (new.token, new.outdated, old.token, old.outdated) == ("a", False, "b", True)
    assert "token='b'" not in repr(old)


def test_old_variable_works_with_a_note(use: Use) -> None:
    environment = {"CO2_SIGNAL_API_TOKEN": TOKEN, "JOULEMARK_ELECTRICITYMAPS_URL": use(good).url}
    old = from_environment(False, "lifecycle", None, environment, lambda: NOW)
    emissions, (notice,) = resolve(Settings(zone="CH"), NOW, old)
    assert emissions.intensity.source == "Electricity Maps"
    assert notice.code == Code.OLD_TOKEN
    assert "CO2_SIGNAL_API_TOKEN" in notice.message


# -- the chain --------------------------------------------------------------------------------------------------------


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
    from suite.errors import UsageError

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
