"""The sensor `plug:ADDRESS`: a smart plug or metering relay on the local network, which the whole machine hangs on.

ADDRESS is that of a Shelly or of a plug with Tasmota, and how it is asked is found out; or it names the path to ask:
`plug:192.168.1.20`, `plug:http://rack-plug/rpc/Switch.GetStatus?id=1`, `plug:192.168.1.20/meter/1`. Credentials are the
variables JOULEMARK_PLUG_USER (`admin` if not set) and JOULEMARK_PLUG_PASSWORD. Plugs speak http: with the first
generation of Shelly and with Tasmota, the password passes the local network in the clear.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl

from requests.auth import HTTPDigestAuth

from joulemark.suite.errors import UsageError
from joulemark.suite.sensors.base import FindResult, SensorOptions, UnreadableError
from joulemark.suite.sensors.node.device import Device, parse_address
from joulemark.suite.sensors.node.live import (
    PLUG_GAIN,
    PLUG_GAIN_SOURCE,
    LiveSensor,
    check_use,
    checked,
    look_for,
    machine_channels,
)
from joulemark.suite.sensors.node.plug_dialects import DIALECTS, IDENTITIES, Dialect, PlugReading, shown
from joulemark.suite.sensors.node.redfish_chassis import text_at

USER, PASSWORD = "JOULEMARK_PLUG_USER", "JOULEMARK_PLUG_PASSWORD"
COMMANDS: Final = "/cm"
"""The path of Tasmota, which takes credentials as parameters only."""
UNAUTHORIZED: Final = 401


def find(options: SensorOptions) -> FindResult:
    """Look for the plug."""
    return look_for("plug", open_sensor, options)


def check(argument: str) -> None:
    """Raise UsageError unless `argument` is the address of a plug that shows power or energy."""
    check_use(open_sensor, argument)


def open_sensor(argument: str, environment: Mapping[str, str]) -> LiveSensor:
    """Return the sensor at the address `argument`; errors as of `suite.sensors.node.live.Open`."""
    if not argument:
        raise UsageError("--sensor plug needs an address: plug:ADDRESS.")
    return checked(_PlugSensor(_Plug(parse_address("plug", argument, "http"), environment)))


class _Plug:
    """A plug, and how it is asked."""

    def __init__(self, address: SplitResult, environment: Mapping[str, str]) -> None:
        """Find out how to ask it. UnreadableError where it shows neither power nor energy."""
        self.host = address.hostname or ""
        self._user, self._password = environment.get(USER) or "admin", environment.get(PASSWORD, "")
        if not (self._user + self._password).isprintable():
            raise UsageError(f"{USER} or {PASSWORD} has characters that no credentials have.")
        fix = f"Check {USER} and {PASSWORD}." if self._password else f"Set {PASSWORD}, and {USER} if it is not admin."
        named = Dialect("", address.path, tuple(parse_qsl(address.query)))
        credentials = (self._user, self._password)
        # The second generation challenges: only a plug that does not know that is sent the password itself.
        logins = (HTTPDigestAuth(*credentials), credentials) if self._password else (None,)
        for login in logins:
            self._device = Device(address, login, credentials_fix=fix)
            try:
                self._dialect, self.first = self._find(DIALECTS if address.path in ("", "/") else (named,))
                return
            except UnreadableError as error:
                self.close()
                if error.status != UNAUTHORIZED or login is logins[-1]:
                    raise

    def _find(self, dialects: Sequence[Dialect]) -> tuple[Dialect, PlugReading]:
        """Return the first of `dialects` that the plug knows, and what it shows then."""
        for dialect in dialects:
            try:
                first = self._ask(dialect)
            except UnreadableError as error:
                if error.status in (None, UNAUTHORIZED) or len(dialects) == 1:
                    raise
                continue
            if first is not None:
                return dialect, first
        names = ", ".join(dict.fromkeys(dialect.name for dialect in DIALECTS))
        raise UnreadableError(
            f"{self.host} shows no power as a plug does (known: {names})", "Name the path to ask: plug:ADDRESS/PATH."
        )

    def _get(self, dialect: Dialect) -> dict[str, Any]:
        parameters = dict(dialect.parameters)
        if dialect.path == COMMANDS and self._password:
            parameters |= {"user": self._user, "password": self._password}
        return self._device.get(dialect.path, parameters)

    def _ask(self, dialect: Dialect) -> PlugReading | None:
        try:
            return shown(self._get(dialect))
        except ValueError as error:
            raise UnreadableError(f"{self.host}: {error}") from None

    def read(self) -> PlugReading:
        """Return what it shows now. UnreadableError where there is nothing."""
        reply = self._ask(self._dialect)
        if reply is None:
            raise UnreadableError(f"{self.host} shows no power")
        return reply

    def hardware_address(self) -> str:
        """Return its hardware address; empty if it does not say."""
        dialect, keys = IDENTITIES[self.first.dialect]
        with contextlib.suppress(UnreadableError):
            return text_at(self._get(dialect), *keys)
        return ""

    def close(self) -> None:
        """Close the connection."""
        self._device.close()


class _PlugSensor(LiveSensor):
    name = "plug"

    def __init__(self, plug: _Plug) -> None:
        first = plug.first
        units = [unit for unit, value in (("J", first.energy_j), ("W", first.power_w)) if value is not None]
        source = f"{first.dialect} plug; {PLUG_GAIN_SOURCE}"
        channels = machine_channels(units, "plug", source, PLUG_GAIN, plug.hardware_address())

        def read() -> list[float | None]:
            reply = plug.read()
            values = {"J": reply.energy_j, "W": reply.power_w}
            return [values[unit] for unit in units]

        super().__init__(channels, read, f"{' and '.join(units)} of a {first.dialect} plug")
        self._plug = plug

    def close(self) -> None:
        self._plug.close()
