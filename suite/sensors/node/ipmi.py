"""The sensor `ipmi`: the power of the node by DCMI, from `ipmitool dcmi power reading` over the local device.

What ipmitool prints and how it fails is that of 1.8.19 (lib/ipmi_dcmi.c, src/plugins/open/open.c).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Final

from joulemark.suite.errors import UsageError
from joulemark.suite.sensors.base import FindResult, SensorOptions, UnreadableError
from joulemark.suite.sensors.node.live import (
    CONTROLLER_GAIN,
    CONTROLLER_GAIN_SOURCE,
    LiveSensor,
    check_use,
    checked,
    look_for,
    machine_channels,
)
from joulemark.suite.system.redaction import without_secrets
from joulemark.suite.system.text import one_line
from joulemark.suite.trial.processes import KILL_TIMEOUT_S, kill_group, read_until, wait

TIMEOUT_S: Final = 4.0
MAX_BYTES: Final = 65_536
ARGUMENTS: Final = ("dcmi", "power", "reading")
DRIVER_FIX: Final = "On bare metal: sudo modprobe ipmi_si ipmi_devintf. A virtual machine has none."
ACCESS_FIX: Final = (
    "sudo chgrp $(id -gn) /dev/ipmi0 && sudo chmod g+rw /dev/ipmi0 (until the next boot; permanently by a udev rule). "
    "Who may write to it may also switch the machine off."
)
_POWER: Final = re.compile(r"Instantaneous power reading:\s*(-?\d+) Watts")
_INACTIVE: Final = re.compile(r"Power reading state is:\s*deactivated")


def find(options: SensorOptions) -> FindResult:
    """Look for the local device."""
    return look_for("ipmi", open_sensor, options)


def check(argument: str) -> None:
    """Raise UsageError for an argument, and where there is no reading."""
    check_use(open_sensor, argument)


def open_sensor(argument: str, _environment: Mapping[str, str]) -> LiveSensor:
    """Return the sensor; errors as of `suite.sensors.node.live.Open`."""
    if argument:
        raise UsageError(f"sensor ipmi takes no argument, found {argument!r}. Give --sensor ipmi.")
    program = shutil.which("ipmitool")
    if program is None:
        fix = "Install it: apt install ipmitool, or dnf install ipmitool."
        raise UnreadableError("there is no ipmitool", fix, present=False)
    what = "the power reading of DCMI"
    channels = machine_channels(["W"], "node", f"ipmitool, DCMI; {CONTROLLER_GAIN_SOURCE}", CONTROLLER_GAIN, "")
    return checked(_IpmiSensor(channels, lambda: [power_w(program)], what))


class _IpmiSensor(LiveSensor):
    name = "ipmi"


def power_w(program: str) -> float:
    """Return the power that the controller shows, watts. UnreadableError where there is none, with the reason."""
    try:
        status, output = _run([program, *ARGUMENTS])
    except OSError as error:
        raise UnreadableError(f"ipmitool cannot be run: {error.strerror}") from None
    if status is None:
        raise UnreadableError(f"ipmitool did not end within {TIMEOUT_S:g} s")
    shown = _POWER.search(output)
    if status or shown is None:
        raise _refusal(output, status)
    if shown[1] == "0" and _INACTIVE.search(output):
        raise UnreadableError("the management controller does not measure power: DCMI is deactivated, and shows 0 W")
    return float(shown[1])


def _refusal(text: str, status: int) -> UnreadableError:
    """Return why ipmitool has no reading."""
    if "Could not open device" in text:
        if "Permission denied" in text:
            return UnreadableError("present but not permitted: /dev/ipmi0 is for root only", ACCESS_FIX)
        return UnreadableError("there is no IPMI device (/dev/ipmi0)", DRIVER_FIX, present=False)
    message = one_line(text)[:120] or f"nothing, and exit status {status}"
    return UnreadableError(
        f"ipmitool shows no power: {message}", "See `ipmitool dcmi discover`; try --sensor redfish:URL."
    )


def _run(command: Sequence[str]) -> tuple[int | None, str]:
    """Return the exit status and the output of `command`; None for one that has not ended in time, and is killed."""
    with subprocess.Popen(
        command,
        env={**without_secrets(os.environ), "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            output = read_until(process.stdout.fileno(), TIMEOUT_S, lambda received: len(received) > MAX_BYTES)
            status = process.poll() if len(output) <= MAX_BYTES and wait(process, 1.0) else None
        finally:
            kill_group(process.pid)
            wait(process, KILL_TIMEOUT_S)
    return status, output.decode(errors="replace")
