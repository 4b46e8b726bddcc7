"""Addresses that `watch --serve` takes, and which of them are this machine's alone."""

from __future__ import annotations

from joulemark.suite.watch.arguments import address, is_loopback


def test_addresses() -> None:
    assert address("9877") == ("127.0.0.1", 9877)
    assert address("0.0.0.0:1") == ("0.0.0.0", 1)
    assert address("[::1]:9877") == ("::1", 9877)
    loopback = {host: is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "example.org")}
    assert [host for host, local in loopback.items() if local] == ["127.0.0.1", "::1", "localhost"]
