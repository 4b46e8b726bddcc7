"""From a trial's outcome to its record."""

from __future__ import annotations

from typing import Any

import pytest

from joulemark.suite.run.trials import trial_record
from joulemark.suite.trial.outcome import Outcome

ATTEMPT = {"round": 3, "started_s": 1.0, "ended_s": 9.0, "isolation": "fork"}
RESULT: dict[str, Any] = {
    "window": (105.0, 107.5),
    "last_step": 108.0,
    "resident_idle": None,
    "steps": 10,
    "items": 20,
    "first_call_s": 0.5,
}


def test_times_count_from_the_start_of_the_run() -> None:
    outcome = Outcome({**RESULT, "resident_idle": (101.0, 104.0)}, None, None, "")
    record = trial_record(outcome, ATTEMPT, 100.0, "cold")
    assert (record.status, record.round, record.window_s, record.items) == ("ok", 3, (5.0, 7.5), 20)
    assert record.last_step_s == 8.0
    assert record.resident_idle is not None
    assert record.resident_idle.window_s == (1.0, 4.0)
    assert record.compile_cache == "cold"


@pytest.mark.parametrize(("code", "status"), [("unsupported", "skipped"), ("crashed", "failed")])
def test_a_trial_without_result_has_its_reason(code: str, status: str) -> None:
    record = trial_record(Outcome(None, code, "why", ""), ATTEMPT, 100.0, None)
    assert (record.status, record.reason_code, record.reason, record.window_s) == (status, code, "why", None)


@pytest.mark.parametrize(
    "result",
    [{**RESULT, "sparkle": 1.0}, {**RESULT, "steps": "many"}, {"steps": 10}, {**RESULT, "window": None}],
    ids=["unknown field", "wrong type", "missing fields", "no window"],
)
def test_a_result_of_another_version_is_a_failed_trial(result: dict[str, Any]) -> None:
    record = trial_record(Outcome(result, None, None, ""), ATTEMPT, 100.0, None)
    assert (record.status, record.reason_code, record.round) == ("failed", "protocol", 3)
    assert record.reason
    assert "\n" not in record.reason
