"""How long the client waits for a service that fails, stalls or never ends, and what it asks again."""

from __future__ import annotations

import time

import pytest
from grid_client import CH, Use, always, client
from grid_server import Answer, Reply, good, grid_server, latest

from joulemark.suite.carbon.transport import Failure


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
