"""Smart plugs: what each kind shows, how it is asked, and what is refused."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import node_devices as nodes
import pytest
from busy_machine import wait_for_reads
from grid_server import Answer, GridServer, Reply
from node_devices import address, damaged, plug
from powercap import FakeZone, build

from joulemark.suite.cli.support.doctor import sensors as doctor_sensors
from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.errors import UsageError
from joulemark.suite.sensors import trace_file
from joulemark.suite.sensors.base import UnreadableError
from joulemark.suite.sensors.node import plug as plugs
from joulemark.suite.sensors.node.plug_dialects import shown
from joulemark.suite.sensors.sampler import Sampler
from joulemark.suite.system import settings_file

Serve = Callable[[Answer], GridServer]

SHOWN = {
    "second generation": (plug("gen2"), "", 2500.5 * 3600),
    "first generation": (plug("gen1"), "", 150 * 60.0),
    "one meter of the first generation": (plug("gen1"), "/meter/0", 150 * 60.0),
    "energy meter of the first generation": (plug("gen1", {"emeters": [nodes.GEN1_EMETER]}), "", 2500.5 * 3600),
    "Tasmota": (plug("tasmota"), "", 2.5005 * 3.6e6),
    "Tasmota by its path": (plug("tasmota"), "/cm?cmnd=Status%208", 2.5005 * 3.6e6),
}


@pytest.mark.parametrize("name", SHOWN)
def test_power_and_energy_of_each_kind(serve: Serve, name: str) -> None:
    answer, path, energy_j = SHOWN[name]
    sensor = plugs.open_sensor(address(serve(answer)).removeprefix("http://") + path, {})
    assert sensor.read() == pytest.approx([energy_j, 143.7])
    assert [(c.component, c.scope, c.unit) for c in sensor.channels] == [("machine", "plug", u) for u in "JW"]
    assert {c.identity for c in sensor.channels} == {"2C:3A:E8:00:00:01" if "Tasmota" in name else "AABBCC000001"}
    sensor.close()


def test_meter_without_a_counter_shows_power_alone(serve: Serve) -> None:
    sensor = plugs.open_sensor(address(serve(plug("gen2", {"apower": 90.0}))), {})
    assert sensor.read() == [90.0]


REFUSED = {
    "several meters": ({"meters": [nodes.GEN1_METER] * 2}, r"it has 2 meters: name one, as plug:ADDRESS/meter/0"),
    "several channels": ({"StatusSNS": {"ENERGY": {"Power": [1, 2], "Total": 3}}}, "several channels"),
    "not valid": ({"meters": [{**nodes.GEN1_METER, "is_valid": False}]}, "its own values are not valid"),
    "nothing on it": ({"apower": 0.0, "aenergy": {"total": 5.0}}, "0 W, which cannot be of a computer that is on"),
    "negative": ({"apower": -3.0}, "-3 W, which cannot be"),
    "no number": ({"apower": float("nan")}, "nan W, which cannot be"),
    "absurd": ({"apower": 429496728.1}, "which cannot be"),
    "text": ({"apower": "143.7 W"}, "shows no power as a plug does"),
    "another thing": ({"wifi": {"ssid": "home"}}, "shows no power as a plug does"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_power_of_a_computer_is_refused(serve: Serve, name: str) -> None:
    document, words = REFUSED[name]
    with pytest.raises(UnreadableError, match=words) as caught:
        plugs.open_sensor(address(serve(lambda _path, _parameters: Reply(document))), {})
    assert str(caught.value).isprintable()


def digest(answer: Answer) -> Answer:
    """Answer a request that has answered a digest challenge (RFC 7616) rightly, and challenge all others."""
    server: list[GridServer] = []

    def sha(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    def checked(path: str, parameters: dict[str, str]) -> Reply:
        header = server[0].requests[-1].headers.get("Authorization", "")
        given: dict[str, Any] = dict(re.findall(r'(\w+)="?([^",]+)"?', header))
        if header.startswith("Digest "):
            secret = sha(f"admin:shelly:{PASSWORD}")
            middle = f"{given['nonce']}:{given['nc']}:{given['cnonce']}:auth"
            if given["response"] == sha(f"{secret}:{middle}:{sha('GET:' + given['uri'])}"):
                return answer(path, parameters)
        challenge = 'Digest qop="auth", realm="shelly", nonce="60dc2c69", algorithm=SHA-256'
        return Reply({}, 401, {"WWW-Authenticate": challenge})

    checked.server = server  # type: ignore[attr-defined]
    return checked


PASSWORD = "hunter2-Xyz"


def test_second_generation_gets_no_password_but_a_digest(serve: Serve) -> None:
    answer = digest(plug("gen2"))
    server = serve(answer)
    answer.server.append(server)  # type: ignore[attr-defined]
    with pytest.raises(UnreadableError, match=r"refuses access .* Set JOULEMARK_PLUG_PASSWORD"):
        plugs.open_sensor(address(server), {})
    sensor = plugs.open_sensor(address(server), {plugs.PASSWORD: PASSWORD})
    assert sensor.read()[1] == 143.7
    assert not any("Basic" in request.headers.get("Authorization", "") for request in server.requests)
    with pytest.raises(UnreadableError, match="Check JOULEMARK_PLUG_USER and JOULEMARK_PLUG_PASSWORD"):
        plugs.open_sensor(address(server), {plugs.PASSWORD: "wrong"})


def test_first_generation_gets_the_password_and_tasmota_its_parameters(serve: Serve) -> None:
    basic = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    variables = {plugs.USER: "me", plugs.PASSWORD: PASSWORD}

    def protected(path: str, parameters: dict[str, str]) -> Reply:
        has_it = basic in server.requests[-1].headers.get("Authorization", "")
        return plug("gen1")(path, parameters) if has_it else Reply({}, 401, {"WWW-Authenticate": 'Basic realm="x"'})

    server = serve(protected)
    assert plugs.open_sensor(address(server), variables).read()[1] == 143.7
    tasmota = serve(plug("tasmota"))
    sensor = plugs.open_sensor(address(tasmota), variables)
    assert all(r.parameters["password"] == PASSWORD for r in tasmota.requests if r.path == "/cm")
    assert PASSWORD not in f"{sensor.channels}{sensor.what}"


@pytest.mark.slow
def test_sampled_plug_is_listed_beside_the_parts_and_knows_its_password(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """140 W by a counter of watt-hours and its power; the sampler gets the password, which its file has not."""

    def counting(path: str, parameters: dict[str, str]) -> Reply:
        return plug("gen2", {"apower": 140.0, "aenergy": {"total": 140 * time.time() / 3600}})(path, parameters)

    answer = digest(counting)
    server = serve(answer)
    answer.server.append(server)  # type: ignore[attr-defined]
    monkeypatch.setenv(plugs.PASSWORD, PASSWORD)
    powercap = build(tmp_path, [FakeZone("intel-rapl:0", "package-0")])
    origin_s = time.monotonic()
    with Sampler.start(tmp_path / "t", origin_s, ["rapl", f"plug:{address(server)}"], str(powercap)) as sampler:
        begin_s = time.monotonic() - origin_s
        wait_for_reads(tmp_path / "t", 2, begin_s + 3.5)
    assert sampler.sensors == ("rapl", "plug")
    assert PASSWORD not in (tmp_path / "t").read_text()
    readings = compute_readings(trace_file.load(tmp_path / "t"), (begin_s + 0.5, begin_s + 3.5), "cpu")
    (machine,) = (r for r in readings if r.component == "machine")
    assert (machine.attributed, machine.sensor) == (False, "plug")
    assert machine.energy_j == pytest.approx(420.0, rel=0.02)
    assert machine.low_j <= 420.0 <= machine.high_j


def test_address_of_a_settings_file_is_left_alone_by_verbs_that_only_look() -> None:
    values = {"sensor": ["plug:10.0.0.7", "redfish:https://10.0.0.8", "rapl"]}
    assert settings_file.references(values) == {"sensor": "plug:10.0.0.7, redfish:https://10.0.0.8"}
    assert settings_file.without_references(values)["sensor"] == ("rapl",)


def test_without_an_address_it_says_how() -> None:
    with pytest.raises(UsageError, match="plug:ADDRESS"):
        plugs.check("")


@pytest.mark.parametrize("document", [nodes.GEN2, {"meters": [nodes.GEN1_METER]}, nodes.TASMOTA], ids=["2", "1", "T"])
def test_a_damaged_answer_is_refused_or_read(document: Any) -> None:
    for copy in damaged(document):
        if isinstance(copy, dict):
            with contextlib.suppress(ValueError):
                reply = shown(copy)
                assert reply is None or isinstance(reply.power_w or reply.energy_j, float)


@pytest.mark.slow
def test_doctor_has_a_row_for_each_with_reason_and_fix(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOULEMARK_POWERCAP_ROOT", str(build(tmp_path, [FakeZone("intel-rapl:0", "package-0")])))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(doctor_sensors, "SLOW_SENSOR_TRIES", 1)
    url = address(serve(plug("gen1")))
    named = [f"plug:{url}", "redfish:http://127.0.0.1:9"]
    rows = {check.name: check for check in doctor_sensors.sensor_checks(named)}
    assert (rows["plug"].readable, rows["plug"].reason) == (True, "reads J and W of a Shelly plug")
    assert 0 < (rows["plug"].read_cost_s or 0) < 1
    for name, reason in (("redfish", "127.0.0.1 cannot be reached"), ("ipmi", "there is no ipmitool")):
        assert not rows[name].readable
        assert reason in (rows[name].reason or "")
        assert rows[name].fix
    with pytest.raises(UsageError, match="doctor looks for it anyway"):
        doctor_sensors.sensor_checks(["rapl"])
