"""The token goes to the service and nowhere else."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback
from pathlib import Path

import pytest
from grid_answers import BAD
from grid_client import CH, Use, always, client, service
from grid_server import NOW, TOKEN, Answer, Reply, good, latest

from joulemark.suite.carbon.cache import Cache
from joulemark.suite.carbon.electricity_maps import ElectricityMaps, access
from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.carbon.service import from_environment
from joulemark.suite.carbon.transport import Failure, Transport
from joulemark.suite.notices import Code
from joulemark.suite.records import Settings


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
