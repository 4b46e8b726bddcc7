"""How a trial ended, as the run file records it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ValidationError

from joulemark.suite.records import ResidentIdle, Trial
from joulemark.suite.trial.outcome import Outcome


def trial_record(
    outcome: Outcome, attempt: Mapping[str, Any], origin_s: float, compile_cache: Literal["cold", "warm"] | None
) -> Trial:
    """The trial of `outcome`; `attempt` are its round, isolation and times, `origin_s` the run's start on its clock.

    What another version of joulemark answered, and this one does not understand, is a trial that failed.
    """
    if outcome.trial is None:
        status: Literal["skipped", "failed"] = "skipped" if outcome.reason_code == "unsupported" else "failed"
        return Trial(status=status, reason_code=outcome.reason_code, reason=outcome.reason, **attempt)
    fields = dict(outcome.trial)
    try:
        window, resident_idle = fields.pop("window"), fields.pop("resident_idle")
        return Trial(
            status="ok",
            window_s=_since(origin_s, window),
            resident_idle=ResidentIdle(window_s=_since(origin_s, resident_idle)) if resident_idle else None,
            compile_cache=compile_cache,
            **attempt,
            **fields,
        )
    except (ValidationError, KeyError, TypeError) as error:
        reason = f"the trial's answer is not understood: {' '.join(str(error).split())[:200]}"
        return Trial(status="failed", reason_code="protocol", reason=reason, **attempt)


def _since(origin_s: float, window: tuple[float, float]) -> tuple[float, float]:
    """An interval of CLOCK_MONOTONIC in seconds since the run started."""
    start, end = window
    return start - origin_s, end - origin_s
