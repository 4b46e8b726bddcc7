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
from joulemark.suite.stats.between_runs.ages import DriftAtAge, drifts_between
from joulemark.suite.stats.between_runs.reference import NO_REFERENCES, fit_references
from joulemark.suite.stats.compare import compare, metric_families
from joulemark.suite.stats.comparison import Comparison, ComparisonResult
from joulemark.suite.stats.drift import ASSUMED_DRIFT, drift_variances
from joulemark.suite.stats.gate import Gate
from joulemark.suite.stats.intervals import CONFIDENCE
from joulemark.suite.stats.pairs import pair_cases
from joulemark.suite.stats.thresholds import Thresholds, parse_thresholds
from joulemark.suite.stats.verdicts import pair_emissions
from joulemark.suite.stats.work_counts import text as work
from joulemark.suite.stats.work_counts.comparison import CountComparison, compare_counts
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
    confidence: float = CONFIDENCE,
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
    families = metric_families(a, b, thresholds.metrics(), allow_estimates)
    if not families and thresholds.judges_counts():
        families = [()]
    # The mean of many runs has no age.
    drifts = drift_variances(kept) if earlier else drifts_between(kept, a, b)
    references = fit_references(kept, [a, *earlier, b]) if kept else NO_REFERENCES
    for metrics in families:
        family = compare(a, b, by, thresholds, metrics, drifts, allow_estimates, earlier, references, confidence)
        if result is not None:
            comparisons = result.comparisons + family.comparisons
            family = replace(family, comparisons=comparisons, drift={**result.drift, **family.drift})
        result = family
    if result is None:
        raise UsageError("every threshold is off: no metric is left to judge.")
    counts = compare_counts(pair_cases(a, b, by).pairs, thresholds)
    return RunComparison(a, b, by, replace(result, counts=counts))


def compare_arms(
    run_file: RunFile, thresholds: Thresholds, allow_estimates: bool, confidence: float = CONFIDENCE
) -> RunComparison:
    """Compare the arms of an A/B run. They are measured turn by turn, so that no drift lies between them."""
    return compare_runs(run_file, run_file, "arm", thresholds, Path(), allow_estimates, confidence=confidence)


def comparison_document(comparison: RunComparison) -> dict[str, Any]:
    """Return the `--json` object of a comparison."""
    result, emissions = comparison.result, comparison.a.emissions
    return {
        "a": _run_document(comparison.a),
        "b": _run_document(comparison.b),
        "by": comparison.by,
        "confidence": result.confidence,
        "comparisons": [_metric_document(each, comparison) for each in result.comparisons],
        "counts": [_count_document(each, comparison.gate) for each in result.counts],
        "only_a": [{"case": case, "why": result.missing_reasons[case]} for case in result.only_a],
        "only_b": [{"case": case, "why": result.missing_reasons[case]} for case in result.only_b],
        "environment": {name: {"a": a, "b": b} for name, (a, b) in result.environment.items()},
        "drift": {
            metric: {
                "relative": math.sqrt(drift.value),
                "assumed": drift == ASSUMED_DRIFT,
                "runs": None if drift == ASSUMED_DRIFT or math.isinf(drift.degrees) else verdicts.drift_runs(drift),
                "apart": drift.apart if isinstance(drift, DriftAtAge) else None,
            }
            for metric, drift in result.drift.items()
        },
        "reference_speed": result.reference_speed,
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


def _pair_document(each: Comparison | CountComparison) -> dict[str, Any]:
    (value_a, value_b), (n_a, n_b) = each.values, each.n
    sides = {"a": each.pair.a.id, "b": each.pair.b.id, "value_a": value_a, "value_b": value_b, "n_a": n_a, "n_b": n_b}
    return sides | {name: getattr(each, name) for name in ("ratio", "threshold", "verdict", "reason")}


def _metric_document(comparison: Comparison, run_comparison: RunComparison) -> dict[str, Any]:
    gate = run_comparison.gate
    document = {
        **_pair_document(comparison),
        "metric": comparison.metric.key,
        "unit": comparison.metric.unit,
        "low": comparison.low,
        "high": comparison.high,
        "runs_a": comparison.runs,
        "reference": _reference_document(comparison),
        "words": comparison.label,
        "estimated": comparison.estimated,
        "sentence": verdicts.sentence(comparison),
        "work": work_of_doubt(comparison, run_comparison) or None,
    }
    return document if gate is None else {**document, "gate": gate.label(comparison)}


def _reference_document(comparison: Comparison) -> dict[str, Any] | None:
    """Return what was divided out of the ratio, and how; None for nothing."""
    reference = comparison.reference
    if reference is None:
        return None
    before = verdicts.ratio_before(comparison)
    return {"ratio_before": before, "slope": reference.slope, "runs": reference.runs}


def work_of_doubt(comparison: Comparison, run_comparison: RunComparison) -> str:
    """Return what a step does in both, for a speed that is in doubt; empty for other comparisons, or if unknown."""
    if comparison.metric.key != "throughput":
        return ""
    gate = run_comparison.gate
    in_doubt = comparison.verdict == "inconclusive" if gate is None else gate.label(comparison) == "in doubt"
    return work.work_text(run_comparison.result.counts_of(comparison.pair)) if in_doubt else ""


def _count_document(count: CountComparison, gate: Gate | None) -> dict[str, Any]:
    document = {
        **_pair_document(count),
        "count": count.kind.option,
        "unit": count.kind.unit,
        "sentence": work.sentence(count),
    }
    return document if gate is None else {**document, "gate": gate.count_label(count)}
