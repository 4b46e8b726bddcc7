"""Files of power meters of any content: each row counts or does not, and no value is impossible."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence

import pytest
from fuzzing import ODD_NUMBERS, ODD_TEXT, ODD_TIMES, accepted, mutated, spliced
from hypothesis import example, given
from hypothesis import strategies as st

from joulemark.suite.sensors.base import SensorOptions
from joulemark.suite.sensors.wall_meter import sensor as wall_meter

NOW_S = time.time()


def examples(now_s: float) -> list[str]:
    """Return tables whose newest row is of `now_s`."""
    rows = [f"{now_s - 5 + i:.2f},{140 + i}" for i in range(5)]
    times = [row.split(",")[0] for row in rows]
    decimal_commas = [f"{row.replace(',', ';').replace('.', ',')};1,5" for row in rows]
    tables = (
        ["time,watt", *rows],
        rows,
        ["time;power [W];energy [kWh]", *decimal_commas],
        ["timestamp,plug,apower", *(f"{at},{i % 2},{50 + i}" for i, at in enumerate(times))],
        ["time,gpu uuid,power.draw [W]", *(f"{at},GPU-1,{50 + i} W" for i, at in enumerate(times))],
    )
    return ["\n".join([*lines, ""]) for lines in tables]


EXAMPLES = examples(NOW_S)
HEADERS = (
    "time,watt",
    "",
    "x",
    "time;watt;volt",
    "time,energy [kWh]",
    "date,time,power",
    "time,entity_id,state",
    "time,a,b",
)
TIME = st.sampled_from(ODD_TIMES) | st.integers(0, 60).map(lambda age_s: f"{NOW_S - age_s:.1f}") | st.floats().map(str)
WATT = st.sampled_from([*ODD_NUMBERS, *ODD_TEXT, "12 W", "1,5", "3 kW", "-"]) | st.floats().map(str)
ROW = st.tuples(TIME, st.sampled_from([",", ";", "\t", ", ", ",,"]), WATT).map("".join)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("meter") / "watts.csv"


def check(path, before: bytes, appended: bytes = b"", chosen: str = "") -> bool:
    """Follow a file that has `before` at the start of a run and gets `appended`; return whether it is accepted."""
    path.write_bytes(before)
    argument = f"{path}{chosen}"
    is_accepted = accepted(lambda: wall_meter.check(argument) or True) is not None
    sensor = wall_meter.find(SensorOptions(argument=argument)).sensor
    if sensor is None:
        return is_accepted
    try:
        assert 0 < sensor.period_s <= 0.1
        with path.open("ab") as file:
            file.write(appended)
        check_reads([*sensor.read(), sensor.timestamp_s] for _ in range((before + appended).count(b"\n") + 3))
    finally:
        sensor.close()
    return is_accepted


def check_reads(reads: Iterable[Sequence[float | None]]) -> None:
    """Fail where a value or a time is impossible."""
    for value, at_s in reads:
        assert value is None or (math.isfinite(value) and value >= 0)
        assert at_s is None or math.isfinite(at_s)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_examples_are_accepted(path, number):
    assert check(path, examples(time.time())[number].encode())  # those of the collection may be a minute old


@given(mutated(EXAMPLES, [*ODD_TEXT, *ODD_NUMBERS, *ODD_TIMES, *HEADERS]), mutated(EXAMPLES, ODD_NUMBERS))
def test_a_file_near_a_valid_one(path, before, appended):
    check(path, before.encode(errors="surrogatepass"), appended.encode(errors="surrogatepass"))


@given(spliced(ROW, st.sampled_from(HEADERS)), st.sampled_from(["", "#", "#watt", "#A+B", "#\x1b[31m"]))
@example("0001-01-01T00:00:00+23:59,0\n9999-12-31T23:59:59Z,0\n", "")
@example("time,energy [kWh]\n0001-01-01T00:00:00Z,0\n0001-01-01T00:00:01Z,0\n9999-12-31T23:59:59Z,5e301\n", "")
def test_any_rows(path, text, chosen):
    check(path, text.encode(), chosen=chosen)


@given(st.binary(max_size=500), st.binary(max_size=500))
def test_any_bytes(path, before, appended):
    check(path, before, appended)
