"""JSON from a device that is slow, hostile, or wants credentials; and addresses that are none."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from grid_server import Answer, GridServer, Reply
from node_devices import address

from joulemark.suite.errors import UsageError
from joulemark.suite.sensors.base import UnreadableError
from joulemark.suite.sensors.node.device import MAX_BYTES, Device, parse_address

Serve = Callable[[Answer], GridServer]
SECRET = "hunter2-Xyz"


def device(server: GridServer, timeout_s: float = 5.0, **more: object) -> Device:
    return Device(urlsplit(address(server)), ("admin", SECRET), timeout_s=timeout_s, **more)


HOSTILE = {
    "html": (Reply(body=b"<html><body>Log in</body></html>"), "sends no JSON"),
    "a list": (Reply([1, 2]), "sends no JSON object"),
    "nested": (Reply(body=b"[" * 200_000), "sends no JSON"),
    "huge": (Reply(body=b"x" * (MAX_BYTES + 1)), "sends more than 1,000,000 bytes"),
    "elsewhere": (
        Reply({}, 302, {"Location": "https://elsewhere.example/\x1b[31m"}),
        "redirects to 'https://elsewhere",
    ),
    "refused": (Reply({"error": SECRET}, 401), "refuses access (HTTP 401)"),
    "broken": (Reply({}, 500), "answers HTTP 500"),
    "stalls": (Reply({"a": 1}, stall_s=30.0), "did not answer within 0.3 s"),
    "byte by byte": (Reply({"a": "x" * 100}, drip_s=0.1), "did not answer within 0.3 s"),
    "no end": (Reply(raw=(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536, 0.0)), "sends more than 1,000,000 bytes"),
    "no end of headers": (Reply(raw=(b"HTTP/1.1 200 OK\r\nX-A: ", b"a", 0.05)), "did not answer within 0.3 s"),
    "interim answers": (Reply(raw=(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01)), "did not answer within 0.3 s"),
    "packed": (Reply(body=b"\x1f\x8b\x08", headers={"Content-Encoding": "gzip"}), "sends no JSON"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_answer_is_one_line_in_time(serve: Serve, name: str) -> None:
    reply, message = HOSTILE[name]
    timeout_s = 0.3 if "0.3 s" in message else 5.0  # a busy machine may take long for an answer, too
    with pytest.raises(UnreadableError) as caught:
        device(serve(lambda _path, _parameters: reply), timeout_s, credentials_fix="Set X.").get("/status")
    text = str(caught.value)
    assert message in text
    assert text.startswith("127.0.0.1 ")
    assert text.isprintable()
    assert len(text) < 250
    assert SECRET not in text
    assert SECRET not in repr(caught.value)


def test_redirect_is_not_followed_with_credentials(serve: Serve) -> None:
    elsewhere = serve(lambda _path, _parameters: Reply({"a": 1}))
    here = serve(lambda _path, _parameters: Reply({}, 307, {"Location": address(elsewhere)}))
    with pytest.raises(UnreadableError):
        device(here).get("/")
    assert elsewhere.requests == []


def test_no_proxy_and_no_netrc_is_used(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server = serve(lambda _path, _parameters: Reply({"a": 1}))
    assert Device(urlsplit(address(server))).get("/x") == {"a": 1}
    assert "Authorization" not in server.requests[0].headers


def test_nobody_there_is_one_line() -> None:
    with pytest.raises(UnreadableError, match=r"127\.0\.0\.1 cannot be reached") as caught:
        Device(urlsplit("http://127.0.0.1:9")).get("/")
    assert not caught.value.present


def test_connection_stays_open_between_reads() -> None:
    connections: list[object] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            connections.append(self)
            super().setup()

        def do_GET(self) -> None:
            body = json.dumps({"path": self.path}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        asked = Device(urlsplit(f"http://127.0.0.1:{server.server_port}"))
        assert [asked.get(f"/{i}")["path"] for i in range(3)] == ["/0", "/1", "/2"]
        asked.close()
        server.shutdown()
    assert len(connections) == 1


def test_certificates_are_verified(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    try:
        subprocess.run([*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs openssl")
    server = serve(lambda _path, _parameters: Reply({"a": 1}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server._http.socket = context.wrap_socket(server._http.socket, server_side=True)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    url = urlsplit(address(server).replace("http://127.0.0.1", "https://localhost"))
    with pytest.raises(UnreadableError, match=r"certificate that cannot be verified\. Set REQUESTS_CA_BUNDLE"):
        Device(url).get("/")
    monkeypatch.setitem(os.environ, "REQUESTS_CA_BUNDLE", str(certificate))
    assert Device(url).get("/") == {"a": 1}


@pytest.mark.parametrize(
    "text", ["https://admin:hunter2@bmc", "admin:hunter2@bmc", "http://plug/cm?user=a&password=hunter2"]
)
def test_credentials_in_an_address_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError, match="set JOULEMARK_PLUG_USER and JOULEMARK_PLUG_PASSWORD") as caught:
        parse_address("plug", text, "http")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["ftp://bmc", "http://", "http://bmc:x", "http://[::1", "a b", "bmc\n", "http://bmc#1"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no address of http or https") as caught:
        parse_address("plug", text, "http")
    assert "\n" not in str(caught.value)
