"""The power of a node as its management controller shows it, in documents of DMTF's schemas."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable
from typing import Any

import node_devices as nodes
import pytest
from grid_server import Answer, GridServer, Reply
from node_devices import CHASSIS, NODE, address, answers, chassis, damaged, service

from joulemark.suite.errors import UsageError
from joulemark.suite.sensors.base import SensorOptions, UnreadableError
from joulemark.suite.sensors.node import redfish

Serve = Callable[[Answer], GridServer]

KWH = 3.6e6
SHOWN = {
    "before 2020": (nodes.old_service(344), {"W": 344.0}),
    "metrics before PowerControl": (nodes.new_service(374), {"W": 374.0}),
    "metrics with energy": (nodes.new_service(374, 1.5), {"J": 1.5 * KWH, "W": 374.0}),
    "energy in whole kWh shows nothing": (nodes.new_service(374, 325675), {"W": 374.0}),
    "sum of power supplies": (nodes.supplies_service(600.5, 400.25, absent=1), {"W": 1000.75}),
    "sensors of the chassis": (
        nodes.sensors_service(
            TotalPower=("W", 374, "Chassis"),
            TotalEnergy=("kW.h", 1.5, "Chassis"),
            CPU1Power=("W", 95, "CPU"),
            TotalPowerOfFans=("W", 20, "Fan"),
        ),
        {"J": 1.5 * KWH, "W": 374.0},
    ),
    "parts beside the whole": (
        nodes.old_service()
        | {
            f"{NODE}/Power": nodes.power_control(
                ("CPU Sub-system Power", 95), ("Server Power Control", 344), ("Memory Sub-system Power", 20)
            )
        },
        {"W": 344.0},
    ),
}


@pytest.mark.parametrize("name", SHOWN)
def test_power_and_energy_are_found(serve: Serve, name: str) -> None:
    documents, expected = SHOWN[name]
    sensor = redfish.open_sensor(address(serve(answers(documents))), {})
    assert dict(zip((c.unit for c in sensor.channels), sensor.read(), strict=True)) == expected
    assert {(c.component, c.scope, c.identity) for c in sensor.channels} == {("machine", "node", "437XR")}
    sensor.close()


def enclosure() -> nodes.Documents:
    """Return two nodes in an enclosure, with a GPU's chassis beside them."""
    paths = [f"{CHASSIS}/{name}" for name in ("Enclosure", "Node1", "Node2", "GPU1")]
    documents = service(*paths)
    for path, power_w in zip(paths, (900, 400, 500, 300), strict=True):
        more = {"Links": {"ContainedBy": nodes.link(paths[1])}} if path.endswith("GPU1") else {}
        documents[path] = chassis(path, Power=True, **more)
        documents[f"{path}/Power"] = nodes.power_control(("Total", power_w))
    documents[paths[0]]["ChassisType"] = "Rack"
    return documents


def test_of_several_nodes_one_is_chosen_by_name_or_path(serve: Serve) -> None:
    url = address(serve(answers(enclosure())))
    with pytest.raises(UnreadableError, match=r"several chassis with power: Node1, Node2\. Choose") as caught:
        redfish.open_sensor(url, {})
    assert "GPU1" not in str(caught.value)
    for choice in (f"{url}#Node2", f"{url}/redfish/v1/Chassis/Node2", f"{url}/redfish/v1/#Node2"):
        sensor = redfish.open_sensor(choice, {})
        assert sensor.read() == [500.0]
        sensor.close()


def test_several_totals_are_named(serve: Serve) -> None:
    documents = nodes.old_service() | {f"{NODE}/Power": nodes.power_control(("Feed A", 300), ("Feed B", 310))}
    url = address(serve(answers(documents)))
    with pytest.raises(UnreadableError, match="several powers: Feed A, Feed B"):
        redfish.open_sensor(url, {})
    assert redfish.open_sensor(f"{url}#Feed B", {}).read() == [310.0]
    with pytest.raises(UnreadableError, match="no power called 'Feed C'"):
        redfish.open_sensor(f"{url}#Feed C", {})


@pytest.mark.parametrize("value", [-5, 0, 1e9, float("nan"), float("inf"), "344", None, True])
def test_no_computer_draws_that(serve: Serve, value: object) -> None:
    with pytest.raises(UnreadableError) as caught:
        redfish.open_sensor(address(serve(answers(nodes.new_service(value) | {f"{NODE}/Power": Reply({}, 404)}))), {})
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("member", ["https://elsewhere.example/redfish/v1/Chassis/1", "/redfish/v1/../../etc", 7, None])
def test_links_lead_nowhere_else(serve: Serve, member: object) -> None:
    server = serve(answers({CHASSIS: {"Members": [{"@odata.id": member}]}}))
    with pytest.raises(UnreadableError, match="shows no power of a node; its chassis are none"):
        redfish.open_sensor(address(server), {})
    assert server.paths == [CHASSIS]


def test_endless_links_are_cut(serve: Serve) -> None:
    paths = [f"{CHASSIS}/{i}" for i in range(500)]
    server = serve(answers(service(*paths)))
    with pytest.raises(UnreadableError, match="shows no power of a node"):
        redfish.open_sensor(address(server), {})
    assert len(server.requests) == 1 + redfish.MAX_CHASSIS


@pytest.mark.parametrize(
    ("variables", "header", "value"),
    [
        (
            {redfish.USER: "root", redfish.PASSWORD: "calvin"},
            "Authorization",
            base64.b64encode(b"root:calvin").decode(),
        ),
        ({redfish.TOKEN: "t0ken", redfish.PASSWORD: "calvin"}, "X-Auth-Token", "t0ken"),
    ],
)
def test_credentials_come_from_variables(serve: Serve, variables: dict[str, str], header: str, value: str) -> None:
    server = serve(answers(nodes.old_service()))
    sensor = redfish.open_sensor(address(server), variables)
    assert all(value in request.headers[header] for request in server.requests)
    text = f"{sensor.channels}{sensor.what}{sensor.__dict__}"
    assert "calvin" not in text
    assert "t0ken" not in text


def test_refused_credentials_name_the_variables(serve: Serve) -> None:
    url = address(serve(answers({CHASSIS: Reply({}, 401)})))
    with pytest.raises(UnreadableError, match="Set JOULEMARK_REDFISH_USER and JOULEMARK_REDFISH_PASSWORD, or"):
        redfish.open_sensor(url, {})
    with pytest.raises(UnreadableError, match="Check JOULEMARK_REDFISH_PASSWORD"):
        redfish.open_sensor(url, {redfish.PASSWORD: "wrong"})
    with pytest.raises(UsageError, match="not sent in the clear"):
        redfish.open_sensor("http://10.0.0.7", {redfish.PASSWORD: "calvin"})


@pytest.mark.parametrize("argument", ["", "https://bmc/redfish/v1/Systems/1", "https://bmc/?a=1", "ftp://bmc"])
def test_bad_argument_is_one_line(argument: str) -> None:
    with pytest.raises(UsageError, match="--sensor redfish"):
        redfish.open_sensor(argument, {})


def test_a_service_that_fails_later_misses_reads(serve: Serve) -> None:
    server = serve(answers(nodes.old_service()))
    found = redfish.find(SensorOptions(argument=address(server)))
    assert found.sensor is not None
    assert found.findings[0].readable
    server.answer = answers({})
    with pytest.raises(UnreadableError):
        found.sensor.read()
    server.answer = answers(nodes.old_service("n/a"))
    assert found.sensor.read() == [None]
    server.answer = answers(nodes.old_service(350))
    assert found.sensor.read() == [350.0]


class Memory:
    """A device whose documents are in memory."""

    host = "bmc"

    def __init__(self, documents: nodes.Documents) -> None:
        self.documents = documents

    def get(self, path: str) -> dict[str, Any]:
        document = self.documents.get(path)
        if not isinstance(document, dict):
            raise UnreadableError("none", status=404)
        return document


@pytest.mark.parametrize("name", SHOWN)
def test_a_damaged_document_is_refused_in_one_line_or_read(name: str) -> None:
    documents, _ = SHOWN[name]
    tried = 0
    for path, document in documents.items():
        for copy in damaged(document):
            device = Memory({**documents, path: copy})
            with contextlib.suppress(UnreadableError):
                _, places = redfish._find_places(device, "", "")  # type: ignore[arg-type]
                values = [place.value(device.documents) for place in places]
                assert all(value is None or isinstance(value, float) for value in values)
            tried += 1
    assert tried > 100


def test_names_of_a_device_are_printable_and_long_paths_are_whole(serve: Serve) -> None:
    path = f"{NODE}/{'x' * 90}"
    documents = service() | {
        NODE: chassis(Power=nodes.link(path)) | {"Manufacturer": "Con\x1b[31mtoso\n", "Model": "y" * 500},
        path: nodes.power_control(("Total", 344)),
    }
    sensor = redfish.open_sensor(address(serve(answers(documents))), {})
    assert sensor.read() == [344.0]
    assert sensor.what.isprintable()
    assert len(sensor.channels[0].source) < 300
