"""From a trial's answer to its record."""

from __future__ import annotations

from typing import Any

import pytest

from joulemark.suite.run.trial_record import trial_record
from joulemark.suite.trial.outcome import Outcome

ATTEMPT = {"round": 3, "started_s": 1.0, "ended_s": 9.0, "isolation": "fork"}
ANSWER: dict[str, Any] = {"window": (105.0, 107.5), "resident_idle": None, "steps": 10, "items": 20, "first_call_s": 0.5}


def test_times_count_from_the_start_of_the_run() -> None:
    found = trial_record(Outcome({**ANSWER, "resident_idle": (101.0, 104.0)}, None, None, ""), ATTEMPT, 100.0, "cold")
    assert (found.status, found.round, found.window_s, found.items) == ("ok", 3, (5.0, 7.5), 20)
    assert found.resident_idle is not None
    assert found.resident_idle.window_s == (1.0, 4.0)
    assert found.compile_cache == "cold"


@pytest.mark.parametrize(("code", "status"), [("unsupported", "skipped"), ("crashed", "failed")])
def test_what_did_not_get_so_far_has_its_reason(code: str, status: str) -> None:
    found = trial_record(Outcome(None, code, "why", ""), ATTEMPT, 100.0, None)
    assert (found.status, found.reason_code, found.reason, found.window_s) == (status, code, "why", None)


@pytest.mark.parametrize(
    "answer",
    [{**ANSWER, "sparkle": 1.0}, {**ANSWER, "steps": "many"}, {"steps": 10}, {**ANSWER, "window": None}],
    ids=["more", "other", "less", "empty"],
)
def test_an_answer_of_another_version_is_a_failed_trial_and_no_crash(answer: dict[str, Any]) -> None:
    found = trial_record(Outcome(answer, None, None, ""), ATTEMPT, 100.0, None)
    assert (found.status, found.reason_code, found.round) == ("failed", "protocol", 3)
    assert "not understood" in (found.reason or "")
    assert "\n" not in (found.reason or "")
