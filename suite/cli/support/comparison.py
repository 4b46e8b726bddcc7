"""Compare runs or arms, and the result as plain data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from joulemark.suite.errors import UsageError
from joulemark.suite.records import RunFile
from joulemark.suite.results.past_runs import earlier_runs, runs_of_machine
from joulemark.suite.stats import verdicts
from joulemark.suite.stats.compare import compare, metric_families
from joulemark.suite.stats.comparison import Comparison, ComparisonResult
from joulemark.suite.stats.drift import ASSUMED_DRIFT, drift_variances
from joulemark.suite.stats.gate import Gate
from joulemark.suite.stats.thresholds import Thresholds, parse_thresholds
from joulemark.suite.stats.verdicts import pair_emissions
from joulemark.suite.system import settings_file
from joulemark.suite.terminal.console import print_message


@dataclass(frozen=True)
class RunComparison:
    """Two runs, or two sides of one run, and the comparison of their cases."""

    a: RunFile
    b: RunFile
    by: str | None
    result: ComparisonResult
    gate: Gate | None = None
    """None if there are no thresholds to pass."""


def read_thresholds(judged: Sequence[str], given: Sequence[str] | None) -> Thresholds:
    """Return the thresholds of the metrics `judged`, with those of the settings file and the options. UsageError."""
    source, table = settings_file.section("thresholds")
    return parse_thresholds(judged, table, source, given or ())


def warn_unmatched_patterns(thresholds: Thresholds, run_file: RunFile) -> None:
    """Print a line for each pattern of the settings file that matches no case of `run_file`."""
    for pattern in thresholds.unmatched(case.id for case in run_file.cases):
        print_message(f"The pattern {pattern!r} of [thresholds] matches no case of {run_file.run.id}.")


def check_output_format(as_json: bool, markdown: bool) -> None:
    """Raise UsageError if both formats were asked for: standard output holds one of them."""
    if as_json and markdown:
        raise UsageError("--json and --markdown both write to standard output: give one of them.")


def compare_runs(
    a: RunFile,
    b: RunFile,
    by: str | None,
    thresholds: Thresholds,
    directory: Path | None,
    allow_estimates: bool,
    history: bool = False,
) -> RunComparison:
    """Compare `b` with `a`; the drift of the machine between runs is estimated from those kept in `directory`.

    With `history` the baseline is all runs before `b` with its selection, and `a` the one it is named after.

    Raises:
        NotComparableError: if there is no such earlier run.
        UsageError: for an unknown factor `by`, or if all thresholds are off.
    """
    same_machine = a.machine.fingerprint == b.machine.fingerprint
    kept = runs_of_machine(b, directory, print_message) if same_machine and a.run.id != b.run.id else []
    earlier = [run for run in earlier_runs(b, kept) if run.run.id != a.run.id] if history else []
    result: ComparisonResult | None = None
    for metrics in metric_families(a, b, thresholds.metrics(), allow_estimates):
        family = compare(a, b, by, thresholds, metrics, drift_variances(kept), allow_estimates, earlier)
        if result is not None:
            comparisons = result.comparisons + family.comparisons
            family = replace(family, comparisons=comparisons, drift={**result.drift, **family.drift})
        result = family
    if result is None:
        raise UsageError("every threshold is off: no metric is left to judge.")
    return RunComparison(a, b, by, result)


def compare_arms(run_file: RunFile, thresholds: Thresholds, allow_estimates: bool) -> RunComparison:
    """Compare the arms of an A/B run. They are measured turn by turn, so that no drift lies between them."""
    return compare_runs(run_file, run_file, "arm", thresholds, Path(), allow_estimates)


def comparison_document(comparison: RunComparison) -> dict[str, Any]:
    """Return the `--json` object of a comparison."""
    result, emissions = comparison.result, comparison.a.emissions
    return {
        "a": _run_document(comparison.a),
        "b": _run_document(comparison.b),
        "by": comparison.by,
        "comparisons": [_metric_document(each, comparison.gate) for each in result.comparisons],
        "only_a": [{"case": case, "why": result.missing_reasons[case]} for case in result.only_a],
        "only_b": [{"case": case, "why": result.missing_reasons[case]} for case in result.only_b],
        "environment": {name: {"a": a, "b": b} for name, (a, b) in result.environment.items()},
        "drift": {
            metric: {
                "relative": math.sqrt(drift.value),
                "assumed": drift == ASSUMED_DRIFT,
                "runs": None if drift == ASSUMED_DRIFT or math.isinf(drift.degrees) else round(drift.degrees) + 1,
            }
            for metric, drift in result.drift.items()
        },
        "emissions": {
            "g_per_kwh": emissions.intensity.g_per_kwh,
            "source": emissions.intensity.source,
            "zone": emissions.intensity.zone,
            "pue": emissions.pue.value,
            "cases": [
                {
                    "case": pair.title,
                    "a_g_per_1000_items": pair.a,
                    "b_g_per_1000_items": pair.b,
                    "estimated": pair.estimated,
                }
                for pair in pair_emissions(result, emissions)
            ],
        },
    }


def _run_document(run_file: RunFile) -> dict[str, Any]:
    machine = run_file.machine
    return {
        "id": run_file.run.id,
        "started_at": run_file.run.started_at,
        "complete": run_file.run.complete,
        "hostname": machine.hostname,
        "fingerprint": machine.fingerprint,
    }


def _metric_document(comparison: Comparison, gate: Gate | None) -> dict[str, Any]:
    document = {
        "a": comparison.pair.a.id,
        "b": comparison.pair.b.id,
        "metric": comparison.metric.key,
        "unit": comparison.metric.unit,
        "value_a": comparison.values[0],
        "value_b": comparison.values[1],
        "ratio": comparison.ratio,
        "low": comparison.low,
        "high": comparison.high,
        "n_a": comparison.n[0],
        "n_b": comparison.n[1],
        "runs_a": comparison.runs,
        "threshold": comparison.threshold,
        "verdict": comparison.verdict,
        "words": comparison.label,
        "estimated": comparison.estimated,
        "sentence": verdicts.sentence(comparison),
        "reason": comparison.reason,
    }
    return document if gate is None else {**document, "gate": gate.label(comparison)}
