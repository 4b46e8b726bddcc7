"""The gain of a sensor in one window: that of its calibration record where the record holds, else its own. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from joulemark.suite.records import Channel, GainCalibration, Trace
from joulemark.suite.units import significant

LOAD_MARGIN: Final = 0.1
"""A record holds for powers that are outside of its range of load by less than this share of the nearer end."""


def gain_at(channel: Channel, power_w: float) -> tuple[tuple[float, float], str | None]:
    """Return the gain of `channel` at `power_w`, and the record that it follows from, or why that was not used.

    A meter of the same extent replaces the sensor's own limits. For a part of the machine, the meter's limit from above
    narrows them; where it contradicts them, either may be wrong, and the range covers both.
    """
    record = channel.calibration
    if record is None:
        return channel.gain, None
    cited = f"calibration of {record.made_at[:10]} against {record.meter}"
    if record.unused is not None:
        return channel.gain, f"{cited} not used: {record.unused}"
    low_w, high_w = record.load_w
    if not low_w * (1 - LOAD_MARGIN) <= power_w <= high_w * (1 + LOAD_MARGIN):
        place = f"{significant(power_w)} W is outside of its {significant(low_w)} to {significant(high_w)} W"
        return channel.gain, f"{cited} not used: {place}"
    return merged_gain(channel.gain, record), f"{cited}, {record.windows} windows"


def merged_gain(own: tuple[float, float], record: GainCalibration) -> tuple[float, float]:
    """Return the limits of true over reported by the sensor's `own` limits and `record`."""
    if record.same_extent:
        return record.gain
    highest = record.gain[1]
    return (own[0], min(own[1], highest)) if highest >= own[0] else (highest, own[1])


def calibration_texts(traces: Iterable[Trace]) -> list[str]:
    """Return a sentence for each channel with a calibration record: its gain, or why the record is not used."""
    texts = []
    for trace in traces:
        for channel in trace.channels:
            if (record := channel.calibration) is not None:
                texts.append(f"{trace.sensor} {channel.component} {channel.scope}: {calibration_text(channel, record)}")
    return list(dict.fromkeys(texts))


def calibration_text(channel: Channel, record: GainCalibration) -> str:
    """Return what `record` makes of the gain of `channel`, or why it is not used."""
    if record.unused is not None:
        return f"the calibration of {record.made_at[:10]} is not used: {record.unused}"
    gain, (low_w, high_w) = merged_gain(channel.gain, record), record.load_w
    own = f"{channel.gain[0]:.3g} to {channel.gain[1]:.3g}"
    change = f"{own} as before" if gain == channel.gain else f"{gain[0]:.3g} to {gain[1]:.3g} instead of {own}"
    rise = ""
    if record.machine_w_per_w is not None:
        least, most = record.machine_w_per_w
        rise = f"; the machine's power rises by {least:.3g} to {most:.3g} W for each"
    return (
        f"true / reported {change}, by the calibration of {record.made_at[:10]} against {record.meter} "
        f"from {significant(low_w)} to {significant(high_w)} W{rise}"
    )
