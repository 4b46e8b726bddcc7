"""Time-outs, retries and the size limit, with a service that fails, stalls or never ends."""

from __future__ import annotations

import pytest
from grid_client import CH, StartServer, always, client
from grid_server import Answer, Reply, good, grid_server, latest

from joulemark.suite.carbon.service_response import ServiceError


def in_turn(*replies: Reply) -> Answer:
    remaining = iter(replies)
    return lambda path, parameters: next(remaining)


def test_server_errors_are_retried(start_server: StartServer) -> None:
    server = start_server(in_turn(Reply({}, 500), Reply({}, 503), Reply(latest(value=50))))
    assert client(server).latest(CH).points[0].g_per_kwh == 50
    assert len(server.requests) == 3


def test_retry_after_is_honoured(start_server: StartServer) -> None:
    server = start_server(in_turn(Reply({}, 429, {"Retry-After": "1"}), Reply(latest(value=50))))
    assert client(server).latest(CH).points[0].g_per_kwh == 50
    assert server.requests[1].at_s - server.requests[0].at_s >= 0.95


@pytest.mark.parametrize("value", ["3600", "nonsense", "Wed, 21 Oct 2065 07:28:00 GMT"])
def test_long_or_invalid_retry_after_is_not_waited_for(start_server: StartServer, value: str) -> None:
    server = start_server(always({}, 429, headers={"Retry-After": value}))
    with pytest.raises(ServiceError) as caught:
        client(server).latest(CH)
    assert caught.value.kind in {"throttled", "unreachable"}
    assert len(server.requests) == 1


def test_refused_token_is_not_retried(start_server: StartServer) -> None:
    server = start_server(always({"error": "Invalid auth-token"}, 401))
    with pytest.raises(ServiceError):
        client(server).latest(CH)
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", [{"stall_s": 30.0}, {"drip_s": 0.15}])
def test_slow_answer_times_out(start_server: StartServer, fault: dict[str, float]) -> None:
    server = start_server(always(latest(), **fault))
    with pytest.raises(ServiceError) as caught:
        client(server, timeout_s=0.6).latest(CH)
    assert caught.value.kind == "timeout"
    assert "0.6 s" in caught.value.message
    assert len(server.requests) == 1


def test_too_large_answer_is_refused(start_server: StartServer) -> None:
    server = start_server(always(None, body=b"x" * 5_000_000))
    with pytest.raises(ServiceError) as caught:
        client(server, timeout_s=30).latest(CH)
    assert caught.value.kind == "malformed"


def test_unreachable_service() -> None:
    with grid_server(good) as server:
        pass
    with pytest.raises(ServiceError) as caught:
        client(server).latest(CH)
    assert caught.value.kind == "unreachable"
