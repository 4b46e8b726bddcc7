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


ENDLESS = {
    "a failure with a body without end": (b"HTTP/1.1 500 X\r\n\r\n", b"x" * 65536, 0.0),
    "a slow failure": (b"HTTP/1.1 503 X\r\nContent-Length: 100000\r\n\r\n", b"x", 0.1),
    "a slow header": (b"HTTP/1.1 200 OK\r\nX-A: ", b"a", 0.1),
    "a slow status line": (b"HTTP/1.1 200 ", b"a", 0.1),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01),
    "a slow chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 0.1),
}


@pytest.mark.parametrize("raw", ENDLESS.values(), ids=list(ENDLESS))
def test_an_answer_without_end_ends_at_the_deadline(start_server: StartServer, raw: tuple[bytes, bytes, float]) -> None:
    server = start_server(always(raw=raw))
    with pytest.raises(ServiceError) as caught:
        client(server, timeout_s=0.6).latest(CH)
    assert caught.value.kind in {"timeout", "malformed"}  # the second: it was too much before it was too late
    assert server.hung_up.wait(60)  # nothing is read on in the background


def test_retries_end_at_the_deadline(start_server: StartServer) -> None:
    """A pause that the service may ask for by itself, but that would go beyond the time for the whole."""
    server = start_server(always({}, 429, headers={"Retry-After": "29"}))
    with pytest.raises(ServiceError) as caught:
        client(server, timeout_s=10).latest(CH)
    assert caught.value.kind == "throttled"
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
