"""What `joulemark check` has said of each run: one line of JSON a check, in `<id>.checks.jsonl` beside the run file.

The verdict is kept as it was given, since it depends on what was kept then: the thresholds, the baseline, and the runs
that the drift was estimated from.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal

from pydantic import ConfigDict, ValidationError

from joulemark.suite.errors import UsageError
from joulemark.suite.records import Record, RunFile
from joulemark.suite.stats.comparison import Comparison, ComparisonResult
from joulemark.suite.stats.gate import Gate, Outcome
from joulemark.suite.stats.verdicts import case_title

SUFFIX: Final = ".checks.jsonl"

How = Literal["stored", "turn by turn"]


class _Line(Record):
    """A record whose unknown fields, which a later version may write, are left out."""

    model_config = ConfigDict(extra="ignore")


class JudgedMetric(_Line):
    """One metric of one case in a check."""

    case: str
    """Its id, without the arm."""
    workload_version: str
    metric: str
    verdict: Literal["regressed", "in doubt", "held"]
    ratio: float
    """B over A."""
    low: float | None
    """Lower end of the interval that was judged; None if there was none."""
    high: float | None
    threshold: float
    error: tuple[float, float | None] | None
    """Variance of the log ratio, and its degrees of freedom, None for infinite ones. None with too few trials."""
    runs: int = 1
    """Number of runs that the baseline is the mean of."""


class Check(_Line):
    """One check of one run."""

    run: str
    started_at: str
    """Start of the run, ISO 8601, UTC."""
    fingerprint: str
    """Of its machine."""
    baseline: str
    """Id of the baseline's run; the run itself if both sides were measured turn by turn."""
    how: How
    outcome: Outcome
    metrics: tuple[JudgedMetric, ...]
    more_work: int = 0
    """Number of counts of a step that grew beyond their threshold, each an alarm too."""

    def of_metrics(self, chosen: Callable[[JudgedMetric], bool]) -> Check:
        """Return the check with those of its metrics that are `chosen`."""
        return self.model_copy(update={"metrics": tuple(filter(chosen, self.metrics))})


def check_of(a: RunFile, b: RunFile, result: ComparisonResult, gate: Gate) -> Check:
    """Return the record of what `gate` says of `b` against the baseline `a`."""
    return Check(
        run=b.run.id,
        started_at=b.run.started_at,
        fingerprint=b.machine.fingerprint,
        baseline=a.run.id,
        how="turn by turn" if a.run.id == b.run.id else "stored",
        outcome=gate.outcome,
        more_work=len(gate.more_work),
        metrics=tuple(
            _judged(comparison, label)
            for comparison in result.comparisons
            if (label := gate.label(comparison)) != "not judged"
        ),
    )


def _judged(comparison: Comparison, label: str) -> JudgedMetric:
    error = comparison.error
    return JudgedMetric.model_validate(
        {
            "case": case_title(comparison),
            "workload_version": comparison.pair.b.workload_version,
            "metric": comparison.metric.key,
            "verdict": label,
            "ratio": comparison.ratio,
            "low": comparison.low,
            "high": comparison.high,
            "threshold": comparison.threshold,
            "error": None if error is None else (error.value, None if error.degrees > 1e9 else error.degrees),
            "runs": comparison.runs,
        }
    )


def keep(run_file: Path, check: Check) -> None:
    """Add `check` to those of the run at `run_file`, for this user alone. Raises OSError if it cannot be written."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(run_file.with_suffix(SUFFIX), flags, 0o600), "ab") as file:
        file.write(check.model_dump_json().encode() + b"\n")


def kept_checks(directory: Path) -> tuple[list[Check], int]:
    """Return the latest check of each run against each baseline, by the runs' times, and how many lines were damaged.

    Raises UsageError if a file cannot be read.
    """
    checks: dict[tuple[str, str, How], Check] = {}
    damaged = 0
    for path in sorted(directory.glob(f"[!.]*{SUFFIX}")):
        for line in _lines(path):
            try:
                check = Check.model_validate_json(line)
            except ValidationError:
                damaged += 1
            else:
                checks[check.run, check.baseline, check.how] = check
    return sorted(checks.values(), key=lambda check: (check.started_at, check.run)), damaged


def _lines(path: Path) -> Sequence[bytes]:
    try:
        return [line for line in path.read_bytes().splitlines() if line.strip()]
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}.") from None
