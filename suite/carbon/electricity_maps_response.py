"""What Electricity Maps answers, and what must not become a number. Pure.

The service answers 200 with wrong values to a sandbox token, and with null where it has no data; it says 401 both to a
wrong token and to a right one whose plan lacks what was asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from joulemark.suite.carbon.accounting import MAX_INTENSITY_G_PER_KWH
from joulemark.suite.carbon.series import Basis, Point, Series, in_order, iso, parse_time
from joulemark.suite.carbon.transport import Answer, Failure

SOURCE: Final = "Electricity Maps"
TOKEN_VARIABLE: Final = "ELECTRICITYMAPS_API_TOKEN"

_LENGTHS: Final = {
    "5_minutes": timedelta(minutes=5),
    "15_minutes": timedelta(minutes=15),
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
}


def checked(answer: Answer) -> Any:
    """The document of a good answer; Failure with what is known of a bad one."""
    said = ""
    if isinstance(answer.document, dict):
        parts = (answer.document.get(name) for name in ("error", "message"))
        said = " ".join("; ".join(str(part) for part in parts if part).split())[:160]
    if answer.status == 200:
        if answer.document is None:
            raise Failure("malformed", "its answer is not JSON, or was cut off")
        return answer.document
    raise _failure(answer, said)


def _failure(answer: Answer, said: str) -> Failure:
    """What an answer other than 200 means; `said` is its own message, cleaned."""
    status, detail = answer.status, f" ({said})" if said else ""
    plan = ("unauthorized for zonekey", "do not have access", "endpoint not available")
    if status == 403 or (status == 401 and any(phrase in said.lower() for phrase in plan)):
        return Failure("not_licensed", f"the plan of this token does not include this{detail}")
    if status == 401:
        return Failure("bad_token", f"it does not accept the token{detail}: check {TOKEN_VARIABLE}")
    if status == 404:
        return Failure("no_data", f"it has no data for this place{detail}")
    if status == 429:
        wait = f", and asks to wait {answer.retry_after} s" if (answer.retry_after or "").isdigit() else ""
        return Failure("throttled", f"it was asked too often{wait}")
    if status >= 500:
        return Failure("server", f"it answered with its own error {status}")
    return Failure("request", f"it answered {status}{detail}")


def reduced(document: Any, retrieved_at: str) -> dict[str, Any]:
    """What is kept of an answer. Failure where it is not an answer, or of a sandbox."""
    if not isinstance(document, dict):
        raise Failure("malformed", "its answer has another form than is known")
    listed = next((document[name] for name in ("history", "data", "forecast") if name in document), None)
    rows = [document] if listed is None else listed
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Failure("malformed", "its answer has another form than is known")
    marks = [document.get("_disclaimer"), *(row.get("estimationMethod") for row in rows)]
    if any("SANDBOX" in str(mark).upper() for mark in marks):
        raise Failure("sandbox", "the token is a sandbox's, which gives wrong values by design")
    names = ("carbonIntensity", "datetime", "isEstimated", "estimationMethod", "updatedAt", "emissionFactorType")
    return {
        "zone": document.get("zone"),
        "granularity": document.get("temporalGranularity") or "hourly",
        "retrieved_at": retrieved_at,
        "updatedAt": document.get("updatedAt"),
        "rows": [{name: row.get(name) for name in names} for row in rows],
    }


def parsed(document: Mapping[str, Any], factors: Basis) -> Series:
    """A series from what was kept. Failure where a row cannot be; rows without a value are holes."""
    zone, granularity = document["zone"], document["granularity"]
    if not isinstance(zone, str) or not zone:
        raise Failure("wrong_zone", "it does not say for which zone it answered")
    length = _LENGTHS.get(granularity)
    if length is None:
        raise Failure("malformed", f"its values are {granularity}, which is too coarse")
    rows = [row for row in document["rows"] if row["carbonIntensity"] is not None]
    if not rows:
        raise Failure("no_data", "it has no value for this time (null)")
    return Series(
        points=in_order(_point(row, length, factors, document["updatedAt"]) for row in rows),
        source=SOURCE,
        zone=zone,
        basis=factors,
        granularity=granularity,
        retrieved_at=parse_time(document["retrieved_at"]),
    )


def _point(row: Mapping[str, Any], length: timedelta, factors: Basis, updated_at: Any) -> Point:
    value, stated = row["carbonIntensity"], row["emissionFactorType"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Failure("malformed", "a value is not a number")
    if not 0 <= value <= MAX_INTENSITY_G_PER_KWH:
        raise Failure("out_of_range", f"a value of {value:g} g/kWh cannot be")
    if stated is not None and stated != factors:
        raise Failure("malformed", f"it was asked for {factors} factors and answered with others")
    try:
        start = parse_time(str(row["datetime"]))
        updated = iso(parse_time(str(row["updatedAt"] or updated_at))) if row["updatedAt"] or updated_at else None
    except ValueError:
        raise Failure("malformed", "a time is not one") from None
    estimated, method = row["isEstimated"], row["estimationMethod"]
    return Point(
        start=start,
        end=start + length,
        g_per_kwh=float(value),
        is_estimated=estimated if isinstance(estimated, bool) else None,
        method=str(method)[:80] if method is not None else None,
        updated_at=updated,
    )
