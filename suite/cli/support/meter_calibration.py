"""`joulemark calibrate --meter`: compare sensors with a meter of the whole machine, and keep what that shows."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from joulemark.suite.cli.support.prepare import describe_machine
from joulemark.suite.errors import NotComparableError, UsageError
from joulemark.suite.records import GainCalibration, RunFile
from joulemark.suite.sensors.base import ADDITIONAL, split_request
from joulemark.suite.sensors.calibrations import FILE_NAME, MAX_AGE, save, this_machine
from joulemark.suite.sensors.gpus.inventory import discover
from joulemark.suite.stats.meter_gain import gain_calibrations
from joulemark.suite.system.directories import find_cache, no_home_reason
from joulemark.suite.units import counted, significant

Document = dict[str, Any]


def check_meter(meter: str) -> str:
    """Return the name of the sensor `meter`. UsageError unless it measures the whole machine."""
    name = split_request(meter)[0]
    if name not in ADDITIONAL:
        raise UsageError(
            f"--meter got {meter!r}, which is no sensor of the whole machine. Give {', '.join(sorted(ADDITIONAL))}, "
            "such as plug:ADDRESS."
        )
    return name


def calibrate_sensors(runs: Sequence[RunFile], meter: str) -> Document:
    """Return the records of all sensors that were read beside `meter` in `runs`, which are kept for later runs.

    UsageError where they are not of this machine, or cannot be kept; NotComparableError where they show nothing.
    """
    here = describe_machine(discover(), {})
    for run in runs:
        if (run.machine.hostname, run.machine.fingerprint) != (socket.gethostname(), here.fingerprint):
            raise UsageError(
                f"run {run.run.id} is of another machine ({run.machine.hostname}): a record holds for one only."
            )
    if not any(trace.sensor == meter and trace.t_s for run in runs for trace in run.traces):
        raise NotComparableError(f"no run has a trace of {meter}: measure with --sensor {meter}:... or --meter.")
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    records, reasons = gain_calibrations(runs, meter, this_machine(), made_at)
    if not records:
        raise NotComparableError(
            f"{meter} and the other sensors have too little in common: "
            f"{'; '.join(reasons) or 'no other sensor was read'}. Measure more rounds, or longer windows."
        )
    path = find_cache(FILE_NAME)
    if path is None:
        raise UsageError(f"there is no place to keep the record: {no_home_reason()}. Set JOULEMARK_HOME.")
    try:
        save(path, records)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}.") from None
    return {
        "meter": meter,
        "runs": [run.run.id for run in runs],
        "calibrations": [record.model_dump(mode="json") for record in records],
        "not_calibrated": reasons,
        "path": str(path),
    }


def calibration_lines(document: Mapping[str, Any]) -> list[str]:
    """Return the document of `calibrate_sensors` in words."""
    records = [GainCalibration.model_validate(entry) for entry in document["calibrations"]]
    lines = [f"{counted(len(document['runs']), 'run')} beside {records[0].meter}" + _identity(records[0])]
    lines += [_line(record) for record in records]
    lines += [f"not calibrated: {reason}" for reason in document["not_calibrated"]]
    days = MAX_AGE.days
    return [
        *lines,
        f"Kept in {document['path']}: later runs on this machine use it for {days} days, within these powers.",
    ]


def _identity(record: GainCalibration) -> str:
    return f", {record.meter_identity}" if record.meter_identity else ""


def _line(record: GainCalibration) -> str:
    name = f"{record.sensor} {record.component} {record.scope}"
    place = f"{significant(record.load_w[0])} to {significant(record.load_w[1])} W, {record.windows} windows"
    if record.same_extent:
        return f"{name}: true / reported {record.gain[0]:.3g} to {record.gain[1]:.3g} ({place})"
    rise = ""
    if record.machine_w_per_w is not None:
        rise = "; one watt of it is {:.3g} to {:.3g} W of the machine".format(*record.machine_w_per_w)
    return f"{name}: true / reported at most {record.gain[1]:.3g} ({place}){rise}"
