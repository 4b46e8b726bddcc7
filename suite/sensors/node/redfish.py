"""The sensor `redfish:URL`: the power of the node as its management controller shows it (DMTF DSP0266).

URL is the controller's address, or that of one chassis: `https://10.0.0.7`, `https://10.0.0.7/redfish/v1/Chassis/1U`;
`URL#NAME` chooses a chassis, or an entry of its PowerControl, by name. Credentials are the variables
JOULEMARK_REDFISH_USER and JOULEMARK_REDFISH_PASSWORD (basic authentication), or JOULEMARK_REDFISH_TOKEN, the token of a
session. No session is opened here: one that a kill leaves behind takes one of the few that a controller has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import SplitResult

from joulemark.suite.errors import UsageError
from joulemark.suite.sensors.base import FindResult, SensorOptions, UnreadableError
from joulemark.suite.sensors.node import redfish_chassis
from joulemark.suite.sensors.node.device import LOOPBACK, Device, parse_address
from joulemark.suite.sensors.node.live import (
    CONTROLLER_GAIN,
    CONTROLLER_GAIN_SOURCE,
    LiveSensor,
    check_use,
    checked,
    look_for,
    machine_channels,
)
from joulemark.suite.sensors.node.redfish_chassis import Document, Place, link, members, text_at

ROOT: Final = "/redfish/v1"
CHASSIS: Final = f"{ROOT}/Chassis"
MAX_CHASSIS: Final = 24
"""A node with eight GPUs has a chassis for each, and some more."""
MAX_SENSORS: Final = 8
USER, PASSWORD, TOKEN = "JOULEMARK_REDFISH_USER", "JOULEMARK_REDFISH_PASSWORD", "JOULEMARK_REDFISH_TOKEN"


def find(options: SensorOptions) -> FindResult:
    """Look for the power of the node."""
    return look_for("redfish", open_sensor, options)


def check(argument: str) -> None:
    """Raise UsageError unless `argument` is the address of a service that shows the power of one node."""
    check_use(open_sensor, argument)


def open_sensor(argument: str, environment: Mapping[str, str]) -> LiveSensor:
    """Return the sensor at the address `argument`; errors as of `suite.sensors.node.live.Open`."""
    if not argument:
        raise UsageError("--sensor redfish needs an address: redfish:https://ADDRESS.")
    address = parse_address("redfish", argument.partition("#")[0], "https")
    if not re.fullmatch(rf"/?|{ROOT}/?|{CHASSIS}/[^/?#]+/?", address.path) or address.query:
        raise UsageError(f"--sensor redfish got the path {address.path!r}: give none, or {CHASSIS}/NAME.")
    device = _device(address, environment)
    try:
        chassis, places = _find_places(device, address.path.rstrip("/"), argument.partition("#")[2])
    except BaseException:
        device.close()
        raise
    return checked(_RedfishSensor(device, chassis, places))


class _RedfishSensor(LiveSensor):
    name = "redfish"

    def __init__(self, device: Device, chassis: Document, places: Sequence[Place]) -> None:
        named = " ".join(filter(None, (text_at(chassis, "Manufacturer"), text_at(chassis, "Model"))))
        what = " and ".join(place.what for place in places)
        what = f"{what} of chassis {text_at(chassis, 'Id')}{f' ({named})' if named else ''}"
        source = f"Redfish, {what}; {CONTROLLER_GAIN_SOURCE}"
        units = [place.unit for place in places]
        channels = machine_channels(units, "node", source, CONTROLLER_GAIN, text_at(chassis, "SerialNumber"))
        paths = sorted(frozenset[str]().union(*(place.paths for place in places)))

        def read() -> list[float | None]:
            documents = {path: device.get(path) for path in paths}
            return [place.value(documents) for place in places]

        super().__init__(channels, read, what)
        self._device = device

    def close(self) -> None:
        self._device.close()


def _device(address: SplitResult, environment: Mapping[str, str]) -> Device:
    user, password, token = (environment.get(name, "") for name in (USER, PASSWORD, TOKEN))
    if (token or password) and address.scheme == "http" and address.hostname not in LOOPBACK:
        raise UsageError(f"{address.hostname} does not use https: credentials are not sent in the clear.")
    if not (token + user + password).isprintable():
        raise UsageError(f"{USER}, {PASSWORD} or {TOKEN} has characters that no credentials have.")
    given = TOKEN if token else PASSWORD if password else None
    fix = f"Check {given}." if given else f"Set {USER} and {PASSWORD}, or {TOKEN}."
    auth = (user, password) if password and not token else None
    return Device(address, auth, {"X-Auth-Token": token} if token else None, credentials_fix=fix)


def _find_places(device: Device, path: str, choice: str) -> tuple[Document, list[Place]]:
    """Return the chassis that is the node, and where its power is."""
    paths = [path] if path.startswith(CHASSIS) else members(device.get(CHASSIS))[:MAX_CHASSIS]
    every = [device.get(each) for each in paths]
    named = [chassis for chassis in every if choice and choice in (text_at(chassis, "Id"), text_at(chassis, "Name"))]
    nodes = [chassis for chassis in every if redfish_chassis.is_node(chassis) and not _is_contained(chassis, paths)]
    candidates = named or (every if len(every) == 1 else nodes)
    shown = [(chassis, places) for chassis in candidates if (places := _places(device, chassis))]
    if len(shown) > 1:
        raise UnreadableError(
            f"{device.host} has several chassis with power: {', '.join(text_at(c, 'Id') for c, _ in shown)}",
            "Choose the one of this machine with redfish:URL#NAME.",
        )
    if not shown:
        ids = ", ".join(path.rpartition("/")[2] for path in paths)
        raise UnreadableError(f"{device.host} shows no power of a node; its chassis are {ids or 'none'}")
    ((chassis, places),) = shown
    return chassis, _chosen(device, places, "" if named else choice)


def _chosen(device: Device, places: list[Place], choice: str) -> list[Place]:
    """Return the places to read: of several entries of PowerControl, the one that `choice` names."""
    entries = [place for place in places if place.entry]
    named = [place for place in entries if place.entry == choice]
    if (choice and not named) or (not choice and len(entries) > 1):
        what = f"no power called {choice!r}" if choice else "several powers"
        names = f": {', '.join(place.entry for place in entries)}" if entries else ""
        raise UnreadableError(f"{device.host} has {what}{names}", "Choose one with redfish:URL#NAME.")
    return redfish_chassis.best([*named, *places])


def _is_contained(chassis: Document, paths: Sequence[str]) -> bool:
    links = chassis.get("Links")
    return isinstance(links, Mapping) and link(links, "ContainedBy") in paths


def _places(device: Device, chassis: Document) -> list[Place]:
    """Return where the power and energy of `chassis` are, the best first."""
    places: list[Place] = []
    if (path := link(chassis, "EnvironmentMetrics")) and (document := _optional(device, path)):
        places += redfish_chassis.in_metrics(path, document)
    if {place.unit for place in places} < {"J", "W"} and (path := link(chassis, "Sensors")):
        for sensor in redfish_chassis.total_sensors(_optional(device, path))[:MAX_SENSORS]:
            places += redfish_chassis.in_sensor(sensor, _optional(device, sensor))
    if not any(place.unit == "W" for place in places) and (path := link(chassis, "Power")):
        places += redfish_chassis.in_power(path, _optional(device, path))
    if not any(place.unit == "W" for place in places) and (path := link(chassis, "PowerSubsystem")):
        places += redfish_chassis.in_supplies(_supplies(device, _optional(device, path)))
    return places


def _supplies(device: Device, subsystem: Document) -> dict[str, Document]:
    """Return the metrics of all power supplies by path; none if one of those present has none."""
    path = link(subsystem, "PowerSupplies")
    metrics: dict[str, Document] = {}
    for supply in members(_optional(device, path))[:MAX_SENSORS] if path else ():
        document = _optional(device, supply)
        if redfish_chassis.at(document, ("Status", "State")) == "Absent":
            continue
        if (shown := link(document, "Metrics")) is None:
            return {}
        metrics[shown] = _optional(device, shown)
    return metrics


def _optional(device: Device, path: str) -> Document:
    """Return the document at `path`; an empty one where the service has none. UnreadableError for the rest."""
    try:
        return device.get(path)
    except UnreadableError as error:
        if error.status in (None, 401, 403):
            raise
        return {}
