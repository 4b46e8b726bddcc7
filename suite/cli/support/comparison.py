"""What the verbs that compare share: how a comparison is made, and what a program gets of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from joulemark.suite.records import RunFile
    from joulemark.suite.stats.compare import Comparison, ComparisonResult
    from joulemark.suite.stats.gate import Gate
    from joulemark.suite.stats.thresholds import Thresholds


@dataclass(frozen=True)
class Compared:
    """Two runs, or two sides of one, and all that is said of them."""

    a: RunFile
    b: RunFile
    by: str | None
    found: ComparisonResult
    gate: Gate | None = None
    """None where nothing was to be passed."""


def thresholds(judged: Sequence[str], given: Sequence[str] | None) -> Thresholds:
    """The thresholds for the metrics `judged`, with those of the settings file and the options `given`. UsageError."""
    from joulemark.suite import settings
    from joulemark.suite.stats import thresholds as limits

    source, table = settings.section("thresholds")
    return limits.parse_thresholds(judged, table, source, given or ())


def tell_unmatched(limits: Thresholds, judged: RunFile) -> None:
    """A line for each pattern of the settings file that matches no case of the run `judged`."""
    from joulemark.suite.terminal import console

    for pattern in limits.unmatched(one.id for one in judged.cases):
        console.print_message(f"The pattern {pattern!r} of [thresholds] matches no case of {judged.run.id}.")


def compared(
    a: RunFile,
    b: RunFile,
    by: str | None,
    limits: Thresholds,
    directory: Path,
    allow_estimates: bool,
    history: bool = False,
) -> Compared:
    """Compare `b` with `a`; what the machine drifts between runs is taken from those kept in `directory`.

    `history`: the baseline is all runs before `b` with its selection; `a` is then what it is called after.
    NotComparableError for a history without such a run. UsageError for a factor that is not known.
    """
    from joulemark.suite.errors import UsageError
    from joulemark.suite.results.past_runs import drift_variances, earlier_runs, runs_of_machine
    from joulemark.suite.stats.compare import compare, metric_families

    alike = a.machine.fingerprint == b.machine.fingerprint
    kept = runs_of_machine(b, directory) if alike and a.run.id != b.run.id else []
    earlier = [run for run in earlier_runs(b, kept) if run.run.id != a.run.id] if history else []
    found = None
    for metrics in metric_families(a, b, limits.metrics(), allow_estimates):
        one = compare(a, b, by, limits, metrics, drift_variances(kept), allow_estimates, earlier)
        found = (
            one if found is None else replace(one, comparisons=found.comparisons + one.comparisons, drift={**found.drift, **one.drift})
        )
    if found is None:
        raise UsageError("every threshold is off: no metric is left to judge.")
    return Compared(a, b, by, found)


def by_arm(run_file: RunFile, limits: Thresholds, allow_estimates: bool) -> Compared:
    """Compare the arms of an A/B run. Between them nothing drifts: they took turns."""
    return compared(run_file, run_file, "arm", limits, Path(), allow_estimates)


def one_format(as_json: bool, markdown: bool) -> None:
    """UsageError where both were asked for: standard output holds one of them."""
    from joulemark.suite.errors import UsageError

    if as_json and markdown:
        raise UsageError("--json and --markdown are two forms of one output: give one of them.")


def document(compared: Compared) -> dict[str, Any]:
    """All of it for a program."""
    from joulemark.suite.stats import verdicts
    from joulemark.suite.stats.compare import ASSUMED_DRIFT

    found, used = compared.found, compared.a.emissions
    grams = verdicts.pair_emissions(found, used)
    return {
        "a": _run(compared.a),
        "b": _run(compared.b),
        "by": compared.by,
        "comparisons": [_facts(one, compared.gate) for one in found.comparisons],
        "only_a": [{"case": case, "why": found.missing_reasons[case]} for case in found.only_a],
        "only_b": [{"case": case, "why": found.missing_reasons[case]} for case in found.only_b],
        "environment": {name: {"a": a, "b": b} for name, (a, b) in found.environment.items()},
        "drift": {
            metric: {
                "relative": math.sqrt(one.value),
                "assumed": one == ASSUMED_DRIFT,
                "runs": None if one == ASSUMED_DRIFT or math.isinf(one.degrees) else round(one.degrees) + 1,
            }
            for metric, one in found.drift.items()
        },
        "emissions": {
            "g_per_kwh": used.intensity.g_per_kwh,
            "source": used.intensity.source,
            "zone": used.intensity.zone,
            "pue": used.pue.value,
            "cases": [
                {
                    "case": one.title,
                    "a_g_per_1000_items": one.a,
                    "b_g_per_1000_items": one.b,
                    "estimated": one.estimated,
                }
                for one in grams
            ],
        },
    }


def _run(run_file: RunFile) -> dict[str, Any]:
    machine = run_file.machine
    return {
        "id": run_file.run.id,
        "started_at": run_file.run.started_at,
        "complete": run_file.run.complete,
        "hostname": machine.hostname,
        "fingerprint": machine.fingerprint,
    }


def _facts(one: Comparison, gate: Gate | None) -> dict[str, Any]:
    from joulemark.suite.stats import verdicts

    facts = {
        "a": one.pair.a.id,
        "b": one.pair.b.id,
        "metric": one.metric.key,
        "unit": one.metric.unit,
        "value_a": one.values[0],
        "value_b": one.values[1],
        "ratio": one.ratio,
        "low": one.low,
        "high": one.high,
        "n_a": one.n[0],
        "n_b": one.n[1],
        "runs_a": one.runs,
        "threshold": one.threshold,
        "verdict": one.verdict,
        "words": one.label,
        "estimated": one.estimated,
        "sentence": verdicts.sentence(one),
        "reason": one.reason,
    }
    return facts if gate is None else {**facts, "gate": gate.label(one)}
