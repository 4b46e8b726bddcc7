"""One request for many cases and runs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from grid_client import CH, Use, always, client, service
from grid_server import NOW, good

from joulemark.suite.carbon.cache import Cache
from joulemark.suite.carbon.location import by_zone
from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.carbon.transport import Failure
from joulemark.suite.records import Settings


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
