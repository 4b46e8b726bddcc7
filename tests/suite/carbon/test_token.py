"""The token is sent to the service, and is never shown, kept or sent elsewhere."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
import logging
import pickle
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from grid_answers import BAD
from grid_client import CH, StartServer, always, client, service
from grid_server import NOW, TOKEN, Answer, Reply, good, latest

from joulemark.suite.carbon.electricity_maps import ElectricityMaps, token_from_environment
from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.carbon.service import from_environment
from joulemark.suite.carbon.service_response import ServiceError
from joulemark.suite.carbon.transport import Transport
from joulemark.suite.notices import Code
from joulemark.suite.records import Settings


def texts_of(error: BaseException) -> str:
    """Return all texts that an exception, its causes and their frames show."""
    texts: list[str] = []
    current: BaseException | None = error
    while current is not None:
        texts += [str(current), repr(current), repr(current.args), repr(vars(current))]
        texts += traceback.format_exception(current)
        current = current.__cause__ or current.__context__
    return "\n".join(texts)


def echoing(path: str, parameters: dict[str, str]) -> Reply:
    return Reply({"error": f"Invalid auth-token {TOKEN}", "message": f"you sent\n{TOKEN}"}, 401)


def escaped(form: Callable[[str], str]) -> Answer:
    """Return an answer that repeats the token, each of its characters in a `form` that JSON or a reader undoes."""
    token = "".join(map(form, TOKEN))
    return always(None, 400, body=f'{{"error": "no {token}", "{token}": ["{token}"], "message": "{token}"}}'.encode())


ESCAPED = (
    escaped(lambda character: f"\\u{ord(character):04x}"),
    escaped(lambda character: f"\\u{ord(character):04X}"),
    escaped(lambda character: f"%{ord(character):02x}"),
    escaped(lambda character: f"\\\\u{ord(character):04x}"),
    always({"error": base64.b64encode(TOKEN.encode()).decode()}, 400),
    always(None, 400, body=f"<p>{TOKEN}</p>".encode()),
)


@pytest.mark.parametrize(
    "answer",
    [
        *(answer for answer, _, _ in BAD.values()),
        *ESCAPED,
        echoing,
        always(latest(estimationMethod=TOKEN, _disclaimer=TOKEN)),
    ],
)
def test_no_exception_file_or_log_line_holds_the_token(
    start_server: StartServer,
    answer: Answer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    maps = client(start_server(answer), tmp_path / "cache")
    texts = [repr(maps), str(maps), repr(vars(maps)["_transport"])]
    try:
        maps.latest(CH)
    except ServiceError as error:
        texts.append(texts_of(error))
    emissions, notices = resolve(Settings(zone="CH"), NOW, service(start_server(answer), cache=tmp_path / "cache"))
    texts += [
        emissions.model_dump_json(),
        *(notice.model_dump_json() for notice in notices),
        caplog.text,
        *capfd.readouterr(),
    ]
    texts += [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    written = "\n".join(texts)
    for form in (str, lambda text: "".join(f"%{ord(c):02x}" for c in text), lambda text: json.dumps(text)[1:-1]):
        assert form(TOKEN) not in written
    assert TOKEN not in re.sub(r"\\+u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), written)
    assert base64.b64encode(TOKEN.encode()).decode() not in written


@pytest.mark.parametrize("fault", [{"stall_s": 30.0}, {"drip_s": 0.1}, {"body": b"x" * 5_000_000}])
def test_errors_of_the_transport_do_not_hold_the_token(start_server: StartServer, fault: dict[str, Any]) -> None:
    server = start_server(always(latest(), **fault))
    with pytest.raises(ServiceError) as caught:
        client(server, timeout_s=0.3).latest(CH)
    assert TOKEN not in texts_of(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "ümlaut", "tab\there"])
def test_invalid_token_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(ServiceError) as caught:
        Transport("https://example.invalid", token)
    assert caught.value.kind == "bad_token"
    assert token not in texts_of(caught.value)


def test_token_is_not_copied_or_pickled() -> None:
    transport = Transport("https://example.invalid", TOKEN)
    for copier in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="holds a token"):
            copier(transport)


@pytest.mark.parametrize(
    "url", ["http://grid.example/v4", "ftp://grid.example", "grid.example", "", "http://[::1", "file:///etc/passwd"]
)
def test_token_is_not_sent_in_the_clear_or_to_an_invalid_address(url: str) -> None:
    with pytest.raises(ServiceError) as caught:
        Transport(url, TOKEN)
    assert TOKEN not in texts_of(caught.value)


def test_redirect_is_not_followed(start_server: StartServer) -> None:
    redirected = start_server(good)
    server = start_server(always(None, 302, headers={"Location": f"{redirected.url}/carbon-intensity/latest"}))
    with pytest.raises(ServiceError):
        client(server).latest(CH)
    assert redirected.requests == []


def test_a_proxy_gets_no_token_in_the_clear(start_server: StartServer, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, server = start_server(good), start_server(good)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url.removesuffix("/v4"))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with contextlib.suppress(ServiceError):
        client(server).latest(CH)
    assert proxy.requests == []
    assert len(server.requests) == 1


def test_credentials_in_the_address_are_not_shown() -> None:
    password = "hunter2"
    maps = ElectricityMaps(Transport(f"http://user:{password}@127.0.0.1:9/v4", TOKEN, backoff_s=0.01))
    with pytest.raises(ServiceError) as caught:
        maps.latest(CH)
    assert password not in texts_of(caught.value)


def test_token_from_environment() -> None:
    assert token_from_environment({}) is None
    assert token_from_environment({"ELECTRICITYMAPS_API_TOKEN": "  "}) is None
    new = token_from_environment({"ELECTRICITYMAPS_API_TOKEN": " a ", "CO2_SIGNAL_API_TOKEN": "b"})
    old = token_from_environment({"CO2_SIGNAL_API_TOKEN": "b"})
    assert new is not None
    assert old is not None
    assert (new.token, new.outdated, old.token, old.outdated) == ("a", False, "b", True)
    assert "token='b'" not in repr(old)


def test_old_variable_has_a_notice(start_server: StartServer) -> None:
    environment = {"CO2_SIGNAL_API_TOKEN": TOKEN, "JOULEMARK_ELECTRICITYMAPS_URL": start_server(good).url}
    old = from_environment(False, "lifecycle", None, environment, lambda: NOW)
    emissions, (notice,) = resolve(Settings(zone="CH"), NOW, old)
    assert emissions.intensity.source == "Electricity Maps"
    assert notice.code == Code.OLD_TOKEN
    assert "CO2_SIGNAL_API_TOKEN" in notice.message
