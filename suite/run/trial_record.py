"""The outcome of a trial as the run file records it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ValidationError

from joulemark.suite.records import ResidentIdle, Trial
from joulemark.suite.trial.outcome import Outcome


def trial_record(
    outcome: Outcome, attempt: Mapping[str, Any], origin_s: float, compile_cache: Literal["cold", "warm"] | None
) -> Trial:
    """Return the record of `outcome`.

    `attempt` are the trial's round, isolation and times; `origin_s` is the start of the run on CLOCK_MONOTONIC. A
    result that another version of joulemark gave and this one cannot parse is a failed trial.
    """
    if outcome.trial is None:
        status: Literal["skipped", "failed"] = "skipped" if outcome.reason_code == "unsupported" else "failed"
        return Trial(status=status, reason_code=outcome.reason_code, reason=outcome.reason, **attempt)
    fields = dict(outcome.trial)
    try:
        window, resident_idle, last_step = (fields.pop(name) for name in ("window", "resident_idle", "last_step"))
        return Trial(
            status="ok",
            window_s=_relative(window, origin_s),
            last_step_s=last_step - origin_s,
            resident_idle=ResidentIdle(window_s=_relative(resident_idle, origin_s)) if resident_idle else None,
            compile_cache=compile_cache,
            **attempt,
            **fields,
        )
    except (ValidationError, KeyError, TypeError) as error:
        reason = f"could not parse the trial's result: {' '.join(str(error).split())[:200]}"
        return Trial(status="failed", reason_code="protocol", reason=reason, **attempt)


def _relative(interval: tuple[float, float], origin_s: float) -> tuple[float, float]:
    """Return an interval of CLOCK_MONOTONIC in seconds since the run started."""
    start, end = interval
    return start - origin_s, end - origin_s
