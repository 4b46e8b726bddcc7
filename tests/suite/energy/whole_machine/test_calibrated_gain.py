"""Which gain a window's reading has: the sensor's own, or that of its calibration record."""

from __future__ import annotations

from typing import Any

import pytest

from joulemark.suite.energy.whole_machine.calibrated_gain import calibration_texts, gain_at, merged_gain
from joulemark.suite.energy.window_energy import compute_reading
from joulemark.suite.records import Channel, GainCalibration, Trace


def record(**fields: Any) -> GainCalibration:
    values: dict[str, Any] = {
        "sensor": "rapl",
        "component": "package",
        "scope": "package-0",
        "call": "powercap",
        "machine": "0123456789ab",
        "made_at": "2026-11-30T04:00:00+00:00",
        "meter": "plug (Shelly plug)",
        "meter_gain": (0.98, 1.02),
        "same_extent": False,
        "gain": (0.95, 1.01),
        "machine_w_per_w": (1.15, 1.25),
        "load_w": (20.0, 95.0),
        "windows": 8,
        **fields,
    }
    return GainCalibration(**values)


def channel(calibration: GainCalibration | None, power_w: float = 50.0) -> Channel:
    """Return a counter of constant power, read each 0.1 s for 10 s."""
    values = tuple(power_w * 0.1 * i for i in range(101))
    made = {"component": "package", "scope": "package-0", "unit": "J", "kind": "counter", "gain": (0.95, 1.05)}
    return Channel(**made, tick_s=0.001, values=values, calibration=calibration)


@pytest.mark.parametrize(
    ("calibration", "power_w", "gain", "cited"),
    [
        (None, 50.0, (0.95, 1.05), None),
        (record(), 50.0, (0.95, 1.01), "calibration of 2026-11-30 against plug (Shelly plug), 8 windows"),
        (record(), 18.5, (0.95, 1.01), "calibration of 2026-11-30 against plug (Shelly plug), 8 windows"),
        (record(), 10.0, (0.95, 1.05), "not used: 10.0 W is outside of its 20.0 to 95.0 W"),
        (record(), 120.0, (0.95, 1.05), "not used: 120 W is outside of its 20.0 to 95.0 W"),
        (record(unused="it is of another machine"), 50.0, (0.95, 1.05), "not used: it is of another machine"),
        (record(same_extent=True, gain=(1.03, 1.08)), 50.0, (1.03, 1.08), "8 windows"),
        (record(gain=(0.9, 1.2)), 50.0, (0.95, 1.05), "8 windows"),  # an upper limit that says nothing new
        (record(gain=(0.8, 0.8)), 50.0, (0.8, 1.05), "8 windows"),  # it contradicts the sensor's own: either is wrong
    ],
)
def test_gain_and_what_it_rests_on(
    calibration: GainCalibration | None, power_w: float, gain: tuple[float, float], cited: str | None
) -> None:
    made = channel(calibration, power_w)
    assert gain_at(made, power_w)[0] == gain
    trace = Trace(sensor="rapl", t_s=tuple(0.1 * i for i in range(101)), channels=(made,))
    reading = compute_reading(trace, made, (2.0, 8.0))
    assert reading.energy_j == pytest.approx(6 * power_w)  # what the sensor reported is never changed
    assert reading.gain == gain
    assert reading.calibration is cited or (cited or "-") in (reading.calibration or "")
    assert reading.low_j == pytest.approx(6 * power_w * min(1.0, gain[0]), rel=1e-3)
    assert reading.high_j == pytest.approx(6 * power_w * max(1.0, gain[1]), rel=1e-3)


def test_a_run_cites_its_records() -> None:
    trace = Trace(sensor="rapl", channels=(channel(record()).model_copy(update={"values": ()}),))
    (text,) = calibration_texts([trace, trace])
    assert text.startswith("rapl package package-0: true / reported 0.95 to 1.01 instead of 0.95 to 1.05")
    assert (
        "against plug (Shelly plug) from 20.0 to 95.0 W; the machine's power rises by 1.15 to 1.25 W for each" in text
    )
    assert merged_gain((0.95, 1.05), record()) == (0.95, 1.01)
