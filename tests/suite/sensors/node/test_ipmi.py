"""The power reading of DCMI, by a program that prints what ipmitool does."""

from __future__ import annotations

from pathlib import Path

import pytest

from joulemark.suite.errors import UsageError
from joulemark.suite.sensors.base import SensorOptions, UnreadableError
from joulemark.suite.sensors.node import ipmi

READING = """
    Instantaneous power reading:                   {power:>5} Watts
    Minimum during sampling period:                  2 Watts
    Maximum during sampling period:                468 Watts
    Average power reading over sample period:      184 Watts
    IPMI timestamp:                           Mon Nov 30 04:00:00 2026
    Sampling period:                          00000001 Seconds.
    Power reading state is:                   {state}

"""
NO_DEVICE = "Could not open device at /dev/ipmi0 or /dev/ipmi/0 or /dev/ipmidev/0: {error}"


@pytest.fixture
def ipmitool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program called ipmitool, which a test writes, first in PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "ipmitool"


def write(path: Path, output: str, status: int = 0, stream: int = 1) -> None:
    script = f"cat >&{stream} <<'END'\n{output}\nEND\nexit {status}\n"
    path.write_text(f"#!/bin/sh\n[ \"$*\" = 'dcmi power reading' ] || exit 9\n{script}")
    path.chmod(0o755)


@pytest.mark.parametrize("state", ["activated", "deactivated"])
def test_power_is_read(ipmitool: Path, state: str) -> None:
    """OpenBMC says that it is deactivated, and measures."""
    write(ipmitool, READING.format(power=214, state=state))
    found = ipmi.find(SensorOptions())
    assert found.sensor is not None
    assert found.sensor.read() == [214.0]
    (channel,) = found.sensor.channels
    assert (channel.component, channel.scope, channel.unit, channel.kind) == ("machine", "node", "W", "integrated")


FAILURES = {
    "no device": ((NO_DEVICE.format(error="No such file or directory"), 1, 2), "modprobe ipmi_si", False),
    "no right": ((NO_DEVICE.format(error="Permission denied"), 1, 2), "chgrp", True),
    "not supported": (("DCMI request failed because: Invalid command (c1)", 1, 2), "Invalid command (c1)", True),
    "not measured": ((READING.format(power=0, state="deactivated"), 0, 1), "DCMI is deactivated, and shows 0 W", True),
    "all ones": ((READING.format(power=65535, state="activated"), 0, 1), "65535 W, which cannot be", True),
    "negative": ((READING.format(power=-3, state="activated"), 0, 1), "-3 W, which cannot be", True),
    "nothing": (("", 0, 1), "shows no power: nothing", True),
    "other words": (("Usage: ipmitool\x1b[31m [options]", 1, 2), "shows no power: Usage", True),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failure_is_a_reason_and_a_fix(ipmitool: Path, name: str) -> None:
    (output, status, stream), words, present = FAILURES[name]
    write(ipmitool, output, status, stream)
    (finding,) = ipmi.find(SensorOptions()).findings
    assert (finding.found, finding.readable) == (present, False)
    text = f"{finding.reason} {finding.fix or ''}"
    assert words in text
    assert text.isprintable()
    with pytest.raises(UnreadableError):
        ipmi.check("")


def test_without_ipmitool_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (finding,) = ipmi.find(SensorOptions()).findings
    assert (finding.found, finding.reason) == (False, "there is no ipmitool")
    assert "apt install ipmitool" in (finding.fix or "")
    with pytest.raises(UsageError, match="takes no argument"):
        ipmi.check("lan")


@pytest.mark.slow
@pytest.mark.parametrize("script", ["exec yes", "sleep 60 & exec sleep 60"], ids=["no end", "stuck"])
def test_program_that_does_not_end_is_killed(ipmitool: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.setattr(ipmi, "TIMEOUT_S", 0.3)
    ipmitool.write_text(f"#!/bin/sh\n{script}\n")
    ipmitool.chmod(0o755)
    with pytest.raises(UnreadableError, match=r"did not end within 0\.3 s"):
        ipmi.check("")


def test_secrets_are_not_passed_on(ipmitool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOULEMARK_REDFISH_PASSWORD", "calvin")
    ipmitool.write_text('#!/bin/sh\necho "Instantaneous power reading: ${#JOULEMARK_REDFISH_PASSWORD}7 Watts"\n')
    ipmitool.chmod(0o755)
    sensor = ipmi.open_sensor("", {})
    assert sensor.read() == [7.0]
