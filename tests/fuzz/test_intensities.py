"""Carbon intensities of any content, from a user's file, an option or the service: a possible value, or one reason."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta

import pytest
from fuzzing import ODD_NUMBERS, ODD_TEXT, ODD_TIMES, accepted, mutated, spliced
from grid_server import NOW, hourly, listed
from hypothesis import example, given
from hypothesis import strategies as st

from joulemark.suite.carbon import inputs
from joulemark.suite.carbon.electricity_maps_response import parse_series
from joulemark.suite.carbon.location import location_of
from joulemark.suite.carbon.provenance import from_series
from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.carbon.service_response import JsonResponse, ServiceError
from joulemark.suite.records import Settings
from joulemark.suite.units import MAX_G_PER_KWH

EXAMPLE = "time,g_per_kwh\n2026-11-23T11:00Z,100\n2026-11-23T12:00Z,200\n2026-11-23T13:00Z,\n"
DOWNLOAD = (
    "Datetime (UTC),Country,Carbon intensity gCO2eq/kWh (direct),Carbon intensity gCO2eq/kWh (Life cycle)\n"
    '2026-11-23 11:00:00,"Switzerland, CH",20.1,33.5\n2026-11-23 12:00:00,"Switzerland, CH",21,34\n'
)
TIME = st.sampled_from([*ODD_TIMES, *ODD_TEXT]) | st.datetimes().map(datetime.isoformat).map("{}Z".format)
VALUE = st.sampled_from([*ODD_NUMBERS, *ODD_TEXT]) | st.floats().map(str)
SPAN = (NOW - timedelta(hours=2), NOW)
ANSWER = listed("history", hourly(NOW - timedelta(hours=3), 100, 200, 300))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(10**400), 0, 999_999])
    | st.floats()
    | st.sampled_from([*ODD_TEXT, *ODD_TIMES, "SANDBOX_MODE", "hourly", "CH"])
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["zone", "history", "datetime"]), inner)
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("grid") / "grid.csv"


def check_file(path, content: bytes) -> bool:
    """Resolve a file of `content`; return whether it was accepted."""
    path.write_bytes(content)
    emissions = accepted(lambda: resolve(Settings(intensity=str(path)), NOW, None, SPAN)[0])
    if emissions is None:
        return False
    values = [emissions.intensity.g_per_kwh, *(interval.g_per_kwh for interval in emissions.intervals)]
    assert all(0 <= value <= MAX_G_PER_KWH for value in values)
    return True


@pytest.mark.parametrize("text", [EXAMPLE, DOWNLOAD])
def test_the_examples_are_accepted(path, text):
    assert check_file(path, text.encode())


@given(mutated([EXAMPLE, DOWNLOAD], [*ODD_TEXT, *ODD_NUMBERS, *ODD_TIMES]))
def test_a_file_near_a_valid_one(path, text):
    check_file(path, text.encode(errors="surrogatepass"))


@given(spliced(st.tuples(TIME, VALUE).map(",".join), st.sampled_from(["time,g_per_kwh", "date,value", "time", "x,y"])))
@example("time,value\n0001-01-01T00:00:00+23:59,1\n9999-12-31T23:59:59Z,2\n")
def test_any_rows(path, text):
    check_file(path, text.encode())


@given(st.binary(max_size=500))
@example(b"time,value\n" + b"x" * 200_000)
def test_any_bytes(path, content):
    check_file(path, content)


def check_answer(document: object, status: int = 200) -> bool:
    """Parse an answer of the service; return whether it was accepted."""
    response = JsonResponse(status, document, None, "2026-11-23T12:20:00Z")
    reason, series = "", None
    try:
        series = parse_series(response, "lifecycle")
    except ServiceError as error:
        reason = error.message
    if series is None:
        assert reason
        assert len(reason.splitlines()) == 1
        return False
    resolved = from_series(series, SPAN)
    json.dumps(resolved.intensity.model_dump(), allow_nan=False)
    assert 0 <= resolved.intensity.g_per_kwh <= MAX_G_PER_KWH
    return True


def test_the_answer_is_accepted():
    assert check_answer(ANSWER)


@given(JSON, st.sampled_from([200, 301, 400, 401, 403, 404, 418, 429, 500, 999]))
def test_any_answer(document, status):
    check_answer(document, status)


@given(st.lists(st.tuples(st.integers(0, 20), JSON), min_size=1, max_size=3))
@example([(2, "\n")])
@example([(3, 10**400)])
@example([(4, "0001-01-01T00:00:00+23:59")])
@example([(4, "9999-12-31T23:59:59Z")])
def test_an_answer_near_a_valid_one(edits):
    document = copy.deepcopy(ANSWER)
    for number, value in edits:
        rows = document.get("history")
        parts = [document, *(row for row in rows if isinstance(row, dict))] if isinstance(rows, list) else [document]
        keys = [(part, key) for part in parts for key in part]
        part, key = keys[number % len(keys)] if keys else (document, "zone")
        part[key] = value
    check_answer(document)


@given(mutated(["30..41.5..60", "41.5", "google", "47.37,8.54", "gcp:europe-west6"], [*ODD_NUMBERS, *ODD_TEXT, ".."]))
def test_any_text_of_an_option(text):
    accepted(lambda: inputs.parse_amount(text, "--intensity"))
    accepted(lambda: location_of(Settings(coordinates=text)))
    accepted(lambda: location_of(Settings(data_center=text)))
    accepted(lambda: resolve(Settings(zone=text, pue=text), datetime(2026, 11, 23, tzinfo=UTC)))
