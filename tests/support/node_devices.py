"""Answers of devices that measure a whole node: a management controller, plugs. Written after their documentation.

The Redfish documents follow DMTF's schemas (DSP8010), with no more than what a reader of power looks at; DMTF's own
mockups are not copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from grid_server import GridServer, Reply

CHASSIS = "/redfish/v1/Chassis"
NODE = f"{CHASSIS}/1U"
Documents = dict[str, dict[str, Any]]


def links(*paths: str) -> list[dict[str, str]]:
    return [{"@odata.id": path} for path in paths]


def link(path: str) -> dict[str, str]:
    return {"@odata.id": path}


def chassis(path: str = NODE, **resources: Any) -> dict[str, Any]:
    """Return a chassis with the resources named, each below it."""
    return {
        "Id": path.rpartition("/")[2],
        "Name": "Computer System Chassis",
        "ChassisType": "RackMount",
        "Manufacturer": "Contoso",
        "Model": "3500",
        "SerialNumber": "437XR",
        **{name: link(f"{path}/{name}") if value is True else value for name, value in resources.items()},
    }


def service(*paths: str, **documents: Any) -> Documents:
    """Return a service with the chassis at `paths`, by default one, without any resource."""
    paths = paths or (NODE,)
    return {CHASSIS: {"Members": links(*paths)}, **{path: chassis(path) for path in paths}, **documents}


def power_control(*entries: tuple[str, Any]) -> dict[str, Any]:
    return {"Id": "Power", "PowerControl": [{"Name": name, "PowerConsumedWatts": value} for name, value in entries]}


def old_service(power_w: Any = 344) -> Documents:
    """Return a service as before 2020: the power is in PowerControl."""
    return service() | {NODE: chassis(Power=True), f"{NODE}/Power": power_control(("System Input Power", power_w))}


def new_service(power_w: Any = 374, energy_kwh: Any = None) -> Documents:
    """Return a service with EnvironmentMetrics, beside a PowerControl that is of another moment."""
    metrics: dict[str, Any] = {"PowerWatts": {"Reading": power_w, "DataSourceUri": f"{NODE}/Sensors/TotalPower"}}
    if energy_kwh is not None:
        metrics["EnergykWh"] = {"Reading": energy_kwh}
    return old_service(1) | {
        NODE: chassis(EnvironmentMetrics=True, Power=True, PowerSubsystem=True),
        f"{NODE}/EnvironmentMetrics": metrics,
    }


def supplies_service(*powers_w: Any, absent: int = 0) -> Documents:
    """Return a service whose power supplies show their input power, `absent` bays of them empty."""
    base = f"{NODE}/PowerSubsystem/PowerSupplies"
    bays = [f"{base}/Bay{i}" for i in range(1, len(powers_w) + absent + 1)]
    documents: Documents = {
        NODE: chassis(PowerSubsystem=True),
        f"{NODE}/PowerSubsystem": {"CapacityWatts": 2000, "PowerSupplies": link(base)},
        base: {"Members": links(*bays)},
    }
    for i, bay in enumerate(bays):
        if i < len(powers_w):
            documents[bay] = {"Status": {"State": "Enabled"}, "Metrics": link(f"{bay}/Metrics")}
            documents[f"{bay}/Metrics"] = {"InputPowerWatts": {"Reading": powers_w[i]}}
        else:
            documents[bay] = {"Status": {"State": "Absent"}}
    return service() | documents


def sensors_service(**sensors: tuple[str, Any, str]) -> Documents:
    """Return a service with Sensors only: unit, value and context of each."""
    base = f"{NODE}/Sensors"
    return service() | {
        NODE: chassis(Sensors=True),
        base: {"Members": links(*(f"{base}/{name}" for name in sensors))},
        **{
            f"{base}/{name}": {"Id": name, "ReadingUnits": unit, "Reading": value, "PhysicalContext": context}
            for name, (unit, value, context) in sensors.items()
        },
    }


def answers(documents: Mapping[str, Any]) -> Callable[[str, dict[str, str]], Reply]:
    """Answer with the document at each path, and with 404 elsewhere; one that is a Reply is sent as it is."""

    def answer(path: str, _parameters: dict[str, str]) -> Reply:
        document = documents.get(path.rstrip("/"))
        if isinstance(document, Reply):
            return document
        return Reply({"error": "no such resource"}, 404) if document is None else Reply(document)

    return answer


def address(server: GridServer) -> str:
    """Return the base address of a server, without its path."""
    return server.url.removesuffix("/v4")


GEN2 = {
    "id": 0,
    "source": "init",
    "output": True,
    "apower": 143.7,
    "voltage": 231.4,
    "current": 0.66,
    "aenergy": {"total": 2500.5, "by_minute": [2390.1, 2391.4, 2388.0], "minute_ts": 1796007600},
}
"""`/rpc/Switch.GetStatus?id=0` of a Shelly Plus Plug S."""
GEN1_METER = {
    "power": 143.7,
    "overpower": 0.0,
    "is_valid": True,
    "timestamp": 1796007600,
    "counters": [143.1],
    "total": 150,
}
"""`/meter/0` of a Shelly Plug S; `total` is in watt-minutes."""
GEN1_EMETER = {"power": 143.7, "pf": 0.98, "voltage": 231.4, "is_valid": True, "total": 2500.5, "total_returned": 0.0}
"""`/emeter/0` of a Shelly EM; `total` is in Wh."""
TASMOTA = {
    "StatusSNS": {
        "Time": "2026-11-30T04:00:00",
        "ENERGY": {"Total": 2.5005, "Today": 1.1, "Power": 143.7, "ApparentPower": 150, "Voltage": 231},
    }
}
"""`/cm?cmnd=Status%208`."""


def plug(kind: str, document: Any = None) -> Callable[[str, dict[str, str]], Reply]:
    """Answer as a plug: `gen2`, `gen1`, `tasmota`; `document` replaces what it shows."""
    shown = {"gen2": GEN2, "gen1": {"meters": [GEN1_METER]}, "tasmota": TASMOTA}[kind] if document is None else document

    def answer(path: str, parameters: dict[str, str]) -> Reply:
        if kind == "tasmota":
            commands = {"Status 8": shown, "Status 5": {"StatusNET": {"Mac": "2C:3A:E8:00:00:01"}}}
            command = parameters.get("cmnd", "")
            return Reply(commands[command]) if path == "/cm" and command in commands else Reply("File Not Found", 404)
        paths = {"gen2": {"/rpc/Switch.GetStatus": shown}, "gen1": {"/status": shown, "/meter/0": GEN1_METER}}[kind]
        identity = {"/shelly": {"mac": "AABBCC000001", "gen": 2 if kind == "gen2" else 1}}
        return answers(paths | identity)(path, parameters)

    return answer


JUNK = (None, [], {}, "x", "\x00", 10**400, -1, True, [[]], [None], {"@odata.id": 7}, {"Reading": {}}, float("nan"))


def damaged(document: Any) -> Iterator[Any]:
    """Yield copies of a document with one thing in it replaced by junk, each in turn."""
    yield from JUNK
    items = (
        document.items() if isinstance(document, dict) else enumerate(document if isinstance(document, list) else ())
    )
    for key, value in items:
        for junk in damaged(value):
            copy = document.copy()
            copy[key] = junk
            yield copy
