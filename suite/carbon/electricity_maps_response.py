"""Responses of Electricity Maps: what they say, and what must not become a number. Pure.

The service answers 200 with wrong values to a sandbox token, and with null where it has no data; it says 401 both to a
wrong token and to a right one whose plan lacks what was asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from joulemark.suite.carbon.series import LENGTHS, Basis, Point, Series, in_order, iso, parse_time
from joulemark.suite.carbon.service_response import JsonResponse, ServiceError
from joulemark.suite.units import MAX_G_PER_KWH

SOURCE: Final = "Electricity Maps"
TOKEN_VARIABLE: Final = "ELECTRICITYMAPS_API_TOKEN"


def parse_series(response: JsonResponse, factors: Basis) -> Series:
    """Return the series in a response; rows without a value are gaps. ServiceError where it cannot be used."""
    if response.status != 200:
        raise _error(response)
    if response.document is None:
        raise ServiceError("malformed", "its response is not JSON, or is truncated")
    document, rows = _rows(response.document)
    zone, granularity = document.get("zone"), document.get("temporalGranularity") or "hourly"
    if not isinstance(zone, str) or not zone:
        raise ServiceError("wrong_zone", "its response does not name a zone")
    if (length := LENGTHS.get(str(granularity))) is None:
        raise ServiceError("malformed", f"its values are {granularity}, which is too coarse")
    known = [row for row in rows if row.get("carbonIntensity") is not None]
    if not known:
        raise ServiceError("no_data", "it has no value for this time (null)")
    return Series(
        points=in_order(_point(row, length, factors, document.get("updatedAt")) for row in known),
        source=SOURCE,
        zone=zone,
        basis=factors,
        granularity=granularity,
        retrieved_at=parse_time(response.retrieved_at),
    )


def _error(response: JsonResponse) -> ServiceError:
    """Return what a response other than 200 means, with the service's own message."""
    status, message = response.status, ""
    if isinstance(response.document, dict):
        parts = (response.document.get(name) for name in ("error", "message"))
        message = "; ".join(str(part) for part in parts if part)[:160]
    detail = f" ({message})" if message else ""
    not_in_plan = ("unauthorized for zonekey", "do not have access", "endpoint not available")
    if status == 403 or (status == 401 and any(phrase in message.lower() for phrase in not_in_plan)):
        return ServiceError("not_licensed", f"the plan of this token does not include this{detail}")
    if status == 401:
        return ServiceError("bad_token", f"it rejects the token{detail}: check {TOKEN_VARIABLE}")
    if status == 404:
        return ServiceError("no_data", f"it has no data for this place{detail}")
    if status == 429:
        wait = f", and asks to wait {response.retry_after_s} s" if response.retry_after_s is not None else ""
        return ServiceError("throttled", f"too many requests were sent{wait}")
    if status >= 500:
        return ServiceError("server", f"it failed with status {status}")
    return ServiceError("request", f"it returned status {status}{detail}")


def _rows(document: Any) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    """Return the document and its rows. ServiceError where it has another form, or is a sandbox's."""
    if not isinstance(document, dict):
        raise ServiceError("malformed", "its response has an unknown form")
    listed = next((document[name] for name in ("history", "data", "forecast") if name in document), None)
    rows = [document] if listed is None else listed
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ServiceError("malformed", "its response has an unknown form")
    marks = [document.get("_disclaimer"), *(row.get("estimationMethod") for row in rows)]
    if any("SANDBOX" in str(mark).upper() for mark in marks):
        raise ServiceError("sandbox", "this is a sandbox token, which returns wrong values by design")
    return document, rows


def _point(row: Mapping[str, Any], length: timedelta, factors: Basis, document_updated_at: Any) -> Point:
    value, stated_factors = _number(row["carbonIntensity"]), row.get("emissionFactorType")
    if not math.isfinite(value):
        raise ServiceError("malformed", "a value is not a number")
    if not 0 <= value <= MAX_G_PER_KWH or (value == 0 and factors == "lifecycle"):
        raise ServiceError("out_of_range", f"a value of {value:g} g/kWh is impossible")
    if stated_factors is not None and stated_factors != factors:
        raise ServiceError("malformed", f"it returned other than {factors} factors")
    updated_at = row.get("updatedAt") or document_updated_at
    try:
        start = parse_time(str(row.get("datetime")))
        updated = iso(parse_time(str(updated_at))) if updated_at else None
    except ValueError:
        raise ServiceError("malformed", "a time could not be parsed") from None
    estimated, method = row.get("isEstimated"), row.get("estimationMethod")
    return Point(
        start=start,
        end=start + length,
        g_per_kwh=value,
        is_estimated=estimated if isinstance(estimated, bool) else None,
        method=str(method)[:80] if method is not None else None,
        updated_at=updated,
    )


def _number(value: Any) -> float:
    """Return a value of JSON as a number; NaN where it is none, or beyond all numbers."""
    try:
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:
        return math.nan
