"""Bad answers of a service, none of which may become a number."""

from __future__ import annotations

from datetime import timedelta

from grid_client import always
from grid_server import NOW, Answer, hour, hourly, latest, listed, row

BAD: dict[str, tuple[Answer, str, str]] = {
    "token not accepted": (
        always({"error": "Invalid auth-token", "message": "x"}, 401), "bad_token", "rejects the token",
    ),
    "plan lacks it": (
        always(
            {
                "error": "Request unauthorized for zoneKey=PT,requestType=past,dataType=power-breakdown.",
                "message": "You do not have access to this specific endpoint for this specific zone",
            },
            401,
        ),
        "not_licensed",
        "plan of this token does not include",
    ),
    "forbidden": (always({}, 403), "not_licensed", "plan of this token"),
    "no data": (always({"error": 'No recent data for zone "CH"'}, 404), "no_data", "no data for this place"),
    "bad request": (always({"error": "Missing argument"}, 400), "request", "Missing argument"),
    "redirect": (
        always(None, 302, headers={"Location": "http://127.0.0.1:1/steal"}), "request", "it returned status 302",
    ),
    "server error": (always({}, 500), "server", "failed with status 500"),
    "gateway": (always(None, 502, body=b"<html>bad gateway</html>"), "server", "failed with status 502"),
    "cut-off JSON": (always(None, body=b'{"zone": "CH", "carbonIn'), "malformed", "not JSON, or is truncated"),
    "cut-off connection": (always(None, body=b'{"zone"', promised=500), "unreachable", "cannot be reached"),
    "HTML": (always(None, body=b"<!doctype html><h1>Sign in to the network</h1>"), "malformed", "not JSON"),
    "nothing": (always(None, body=b""), "malformed", "not JSON"),
    "deep JSON": (always(None, body=b"[" * 100_000), "malformed", "not JSON"),
    "a list": (always([1, 2]), "malformed", "unknown form"),
    "a string": (always("hello"), "malformed", "unknown form"),
    "rows of numbers": (always({"zone": "CH", "history": [1, 2]}), "malformed", "unknown form"),
    "rows that are none": (always({"zone": "CH", "history": {"a": 1}}), "malformed", "unknown form"),
    "null": (always(latest(value=None)), "no_data", "null"),
    "only nulls": (always(listed("history", hourly(hour(NOW), None, None))), "no_data", "null"),
    "no rows": (always(listed("history", {})), "no_data", "null"),
    "sandbox by method": (always(latest(estimationMethod="SANDBOX_MODE_DATA")), "sandbox", "wrong values by design"),
    "sandbox by disclaimer": (always(latest(_disclaimer="SANDBOX MODE: data is wrong")), "sandbox", "sandbox"),
    "sandbox in one row": (
        always({"zone": "CH", "history": [row(hour(NOW)), row(NOW, estimationMethod="sandbox_mode_data")]}),
        "sandbox",
        "sandbox",
    ),
    "another zone": (always(latest("DE")), "wrong_zone", "returned DE instead of CH"),
    "no zone": (always({**latest(), "zone": None}), "wrong_zone", "does not name a zone"),
    "negative": (always(latest(value=-1)), "out_of_range", "-1 g/kWh is impossible"),
    "zero over a life cycle": (always(latest(value=0)), "out_of_range", "0 g/kWh is impossible"),
    "huge": (always(latest(value=120_000)), "out_of_range", "120000 g/kWh is impossible"),
    "text for a value": (always(latest(value="123")), "malformed", "not a number"),
    "true for a value": (always(latest(value=True)), "malformed", "not a number"),
    "NaN": (always(None, body=b'{"zone":"CH","carbonIntensity":NaN,"datetime":"2026-11-23T12:00:00Z"}'), "malformed",
            "not a number"),
    "no time": (always(latest(datetime=None)), "malformed", "a time could not be parsed"),
    "time without offset": (always(latest(datetime="2026-11-23T12:00:00")), "malformed", "a time could not be parsed"),
    "other factors": (always(latest(emissionFactorType="direct")), "malformed", "other than lifecycle"),
    "too coarse": (always(latest(temporalGranularity="monthly")), "malformed", "too coarse"),
    "clock ahead": (always(latest(start=hour(NOW) + timedelta(hours=1))), "stale", "in the future"),
    "days old": (always(latest(start=hour(NOW) - timedelta(days=2))), "stale", "more than a day old"),
}  # fmt: skip
"""Name -> (answer, kind of the error, words of its reason)."""
