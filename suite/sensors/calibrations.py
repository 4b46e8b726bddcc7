"""Calibration records of this machine's sensors, made by `joulemark calibrate --meter`, and which of them hold now.

A record holds for the same sensor, read in the same way, on the same machine, for a year: a home directory may be
shared by many machines that look alike, and a meter that is newer says more.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from joulemark.suite.records import Channel, GainCalibration
from joulemark.suite.records.kept import load_records, save_records

FILE_NAME: Final = "calibrations.json"
MAX_AGE: Final = timedelta(days=365)
"""The usual interval of calibration of electrical meters."""
MACHINE_ID: Final = "/etc/machine-id"
"""What tells one installed system from another (machine-id(5)); it is not shown to others, hence hashed."""


def this_machine(machine_id: str = MACHINE_ID) -> str:
    """Return 12 hex digits that stand for this machine: of its machine-id, or of its name where it has none."""
    try:
        name = Path(machine_id).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        name = ""
    return hashlib.sha256(f"joulemark {name or platform.node()}".encode()).hexdigest()[:12]


def load(path: Path) -> list[GainCalibration]:
    """Return the records in `path`; none where it cannot be read, and without those that are damaged."""
    return load_records(path, GainCalibration)


def save(path: Path, new: Sequence[GainCalibration]) -> None:
    """Add `new` records, each in place of an earlier one of the same channel. OSError where `path` is not writable."""
    replaced = {_key(record) for record in new}
    save_records(path, [*(record for record in load(path) if _key(record) not in replaced), *new])


def with_calibration(
    channel: Channel, sensor: str, records: Sequence[GainCalibration], machine: str, now: datetime | None = None
) -> Channel:
    """Return `channel` of `sensor` with its record, and with the reason if that does not hold; as it is without one."""
    same = [r for r in records if (r.sensor, r.component, r.scope) == (sensor, channel.component, channel.scope)]
    if not same:
        return channel
    # Another machine's is of interest only where this one has none.
    record = max(same, key=lambda record: (record.machine == machine, record.call == channel.call, record.made_at))
    reason = _unused_reason(record, channel, machine, now or datetime.now(UTC))
    return channel.model_copy(update={"calibration": record.model_copy(update={"unused": reason})})


def _unused_reason(record: GainCalibration, channel: Channel, machine: str, now: datetime) -> str | None:
    """Return why `record` does not hold; None if it does."""
    if record.machine != machine:
        return "it is of another machine"
    if record.call != channel.call and channel.kind == "model":
        return "the estimate then rested on other evidence"
    if record.call != channel.call:
        return f"the sensor was then read by {record.call}"
    age = now - datetime.fromisoformat(record.made_at)
    if age > MAX_AGE:
        return f"it is {age.days} days old, and holds for {MAX_AGE.days}"
    return "it was made after today, by this machine's clock" if age < -timedelta(days=1) else None


def _key(record: GainCalibration) -> tuple[str, ...]:
    return record.machine, record.sensor, record.component, record.scope, record.call
