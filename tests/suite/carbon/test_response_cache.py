"""Responses on disk: one request for many cases and runs, and a cache that never costs more than a request."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from grid_answers import BAD
from grid_client import CH, StartServer, always, client, service
from grid_server import NOW, TOKEN, good, hour, latest

from joulemark.suite.carbon.location import by_zone
from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.carbon.service import from_environment
from joulemark.suite.carbon.service_response import ServiceError
from joulemark.suite.records import Settings


def test_many_cases_and_runs_send_one_request(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(good)
    for _ in range(20):
        emissions, notices = resolve(Settings(zone="CH"), NOW, service(server, cache=tmp_path))
        assert (emissions.intensity.g_per_kwh, notices) == (112.0, ())
    assert len(server.requests) == 1


def test_next_hour_sends_another_request(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(good)
    for minutes, requests in ((0, 1), (39, 1), (41, 2), (50, 2)):
        client(server, tmp_path, NOW + timedelta(minutes=minutes)).latest(CH)
        assert len(server.requests) == requests
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("granularity", "asked"),
    [("5_minutes", (1, 1, 2, 3)), ("15_minutes", (1, 1, 1, 2)), ("hourly", (1, 1, 1, 1)), ("daily", (1, 1, 1, 1))],
)
def test_answer_is_kept_for_an_interval_of_its_own(
    start_server: StartServer, tmp_path: Path, granularity: str, asked: tuple[int, ...]
) -> None:
    server = start_server(always(latest(start=NOW - timedelta(minutes=10), temporalGranularity=granularity)))
    for minutes, requests in zip((0, 4, 6, 20), asked, strict=True):  # from 12:20 on
        client(server, tmp_path, NOW + timedelta(minutes=minutes)).latest(CH)
        assert len(server.requests) == requests


def test_kept_answer_says_that_the_service_was_not_asked_again(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(always(latest(start=hour(NOW) - timedelta(hours=1))))
    for minutes, words in ((0, "the source has no value"), (30, "at 2026-11-23T12:20:00Z and was not asked again")):
        now = NOW + timedelta(minutes=minutes)
        emissions, _ = resolve(Settings(zone="CH"), now, service(server, cache=tmp_path, clock=lambda now=now: now))
        assert words in (emissions.intensity.reason or "")


def test_different_requests_are_kept_apart(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(good)
    maps = client(server, tmp_path)

    def all_series() -> list[Any]:
        germany = by_zone("DE")
        return [
            maps.latest(CH), maps.history(CH), maps.latest(germany), maps.forecast(CH, 6), maps.forecast(CH, 24),
        ]  # fmt: skip

    first = all_series()
    assert len(set(first)) == len(first)
    assert all_series() == first
    assert len(server.requests) == len(first)


@pytest.mark.parametrize("case", BAD)
def test_bad_answers_are_not_kept(start_server: StartServer, tmp_path: Path, case: str) -> None:
    server = start_server(BAD[case][0])
    too_old_or_new = BAD[case][1] == "stale"  # whether they are depends on the clock, so these may be kept
    with pytest.raises(ServiceError):
        client(server, tmp_path).latest(CH)
    assert too_old_or_new or list(tmp_path.iterdir()) == []
    server.answer = good
    assert too_old_or_new or client(server, tmp_path).latest(CH).points


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff", b'{"headers": 1}', b'{"headers": {"X-Retrieved-At": "2026-11-23T12:00:00Z"}}'],
)
def test_damaged_files_are_ignored(
    start_server: StartServer, tmp_path: Path, content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    server = start_server(good)
    client(server, tmp_path).latest(CH)
    (path,) = tmp_path.iterdir()
    path.write_bytes(content)
    assert client(server, tmp_path).latest(CH).points
    assert len(server.requests) == 2
    assert capfd.readouterr() == ("", "")


def test_file_of_the_future_is_ignored(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(good)
    client(server, tmp_path, NOW + timedelta(minutes=20)).latest(CH)
    client(server, tmp_path, NOW).latest(CH)
    assert len(server.requests) == 2


@pytest.mark.parametrize("obstacle", ["directory", "file"])
def test_cache_that_cannot_be_written_is_skipped(start_server: StartServer, tmp_path: Path, obstacle: str) -> None:
    server = start_server(good)
    cache = tmp_path / "cache"
    if obstacle == "directory":  # a file where the directory should be
        cache.write_text("")
    else:  # a directory where the file should be
        client(server, cache).latest(CH)
        (path,) = cache.iterdir()
        path.unlink()
        path.mkdir()
    assert client(server, cache).latest(CH).points
    assert client(server, cache).latest(CH).points


def test_kept_file_has_neither_token_nor_credentials(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(always(latest(estimationMethod=f"you sent {TOKEN}"), headers={"X-Echo": TOKEN}))
    url = server.url.replace("//", "//user:hunter2@")
    environment = {"ELECTRICITYMAPS_API_TOKEN": TOKEN, "JOULEMARK_ELECTRICITYMAPS_URL": url}
    maps = from_environment(False, "lifecycle", tmp_path, environment, lambda: NOW).maps
    assert maps is not None
    assert maps.latest(CH).points[0].method == "you sent ***"
    credentials = server.requests[0].headers["Authorization"]
    (path,) = tmp_path.iterdir()
    content = path.read_text()
    assert "carbonIntensity" in content
    for secret in (TOKEN, "hunter2", credentials):
        assert secret not in content
