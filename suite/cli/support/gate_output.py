"""The verdict of `joulemark check`: on two kept runs, or on a run and a baseline that are measured turn by turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.text import Text

from joulemark.suite.cli.support.bisect import bisect_sentence, find_baseline, prepare_step, with_more_rounds
from joulemark.suite.cli.support.compare import text
from joulemark.suite.cli.support.compare.documents import (
    RunComparison,
    compare_arms,
    compare_runs,
    comparison_document,
    warn_unmatched_patterns,
)
from joulemark.suite.cli.support.execute import measure_run, print_paths
from joulemark.suite.cli.support.prepare import PreparedRun, prepare_run
from joulemark.suite.errors import NotComparableError
from joulemark.suite.records import RunFile
from joulemark.suite.results.history import checks
from joulemark.suite.stats.gate import CONFIDENCE, Gate, evaluate, without_invalid_cases
from joulemark.suite.stats.interim_analysis import case_ids
from joulemark.suite.stats.thresholds import Thresholds
from joulemark.suite.system.directories import find_runs
from joulemark.suite.terminal.console import print_document, print_json, print_message, print_text


@dataclass(frozen=True)
class GateOptions:
    """What a gate judges by, and the format of its output."""

    thresholds: Thresholds
    advisory: bool
    markdown: bool
    as_json: bool
    steps: int | None = None
    """Steps of `git bisect` that share the error level; None for a gate of its own."""

    @property
    def confidence(self) -> float:
        """Confidence of the intervals that are judged together: Bonferroni's, over the steps."""
        return 1 - (1 - CONFIDENCE) / (self.steps or 1)


def report_gate(
    comparison: RunComparison, options: GateOptions, allow_estimates: bool, strict: bool, kept_as: Path | None
) -> int:
    """Judge a comparison, print the verdict and return the exit code. NotComparableError if nothing can be judged.

    The verdict is kept beside `kept_as`, the run file of the judged run; not at all for None, or in a bisection.
    """
    comparison, gate = _judged(comparison, options, allow_estimates, strict)
    if kept_as is not None and options.steps is None:
        _keep(kept_as, comparison, gate)
    code = 0 if options.advisory else gate.exit_code
    warn_unmatched_patterns(options.thresholds, comparison.b)
    outcome = _outcome(gate, options.advisory)
    if options.as_json:
        verdict = {**_gate_document(gate), "exit_code": code, "advisory": options.advisory}
        print_json({**comparison_document(comparison), **verdict})
    elif options.markdown:
        title = f"Joulemark: {comparison.b.run.id} against {_baseline(comparison)}"
        sentences = [outcome, *text.findings(gate)]
        print_document(text.markdown(comparison, title, sentences))
    else:
        text.print_comparison(comparison)
        print_text("", *(Text(line) for line in (*text.findings(gate), outcome)))
    if options.as_json or options.markdown:
        print_message(outcome)
    if options.steps is not None:
        print_message(bisect_sentence(code, options.steps))
    return code


def check_against_live_baseline(given: Mapping[str, Any], python: str, options: GateOptions, out: Path | None) -> int:
    """Judge what `given` selects against `python`, both measured now, turn by turn; return the exit code."""
    prepared = prepare_run({**given, "arms": {"a": {"python": python}, "b": {}}}, out=out)
    if options.steps is not None:
        prepared = with_more_rounds(prepared, None)
    allow_estimates = prepared.settings.allow_estimates

    def compare(run_file: RunFile) -> RunComparison:
        return compare_arms(run_file, options.thresholds, allow_estimates, options.confidence)

    return measure_and_judge(prepared, compare, options)


def check_against_kept_baseline(baseline: str, max_rounds: int | None, options: GateOptions, out: Path | None) -> int:
    """Measure again what the run `baseline` did, and judge it against that; return the exit code."""
    a, path = find_baseline(baseline)
    prepared = prepare_step(a, path, max_rounds, out)
    allow_estimates = prepared.settings.allow_estimates

    def compare(b: RunFile) -> RunComparison:
        kept = find_runs(None)
        return compare_runs(a, b, None, options.thresholds, kept, allow_estimates, confidence=options.confidence)

    return measure_and_judge(prepared, compare, options)


def measure_and_judge(prepared: PreparedRun, compare: Callable[[RunFile], RunComparison], options: GateOptions) -> int:
    """Measure a run, with more rounds of what the gate would be in doubt about, judge it and return the exit code."""
    allow_estimates, strict = prepared.settings.allow_estimates, prepared.settings.strict

    def undecided(run_file: RunFile) -> frozenset[str]:
        """Return the cases that the gate would be in doubt about now."""
        try:
            _, gate = _judged(compare(run_file), options, allow_estimates, strict)
        except NotComparableError:
            return frozenset()
        return case_ids(gate.doubtful)

    run_file, path, interrupted = measure_run(prepared, undecided)
    print_paths(run_file, path, report=not interrupted and options.steps is None)
    comparison = compare(run_file)
    if not interrupted:
        return report_gate(comparison, options, allow_estimates, strict, path)
    if options.as_json:
        print_json(comparison_document(comparison))
    print_message(f"Interrupted: {run_file.run.id} holds the trials that were finished; nothing is judged.")
    return 130


def _judged(
    comparison: RunComparison, options: GateOptions, allow_estimates: bool, strict: bool
) -> tuple[RunComparison, Gate]:
    if strict:
        comparison = replace(comparison, result=without_invalid_cases(comparison.result))
    gate = evaluate(comparison.result, comparison.a, comparison.b, options.thresholds, allow_estimates)
    return replace(comparison, gate=gate), gate


def _keep(run_file: Path, comparison: RunComparison, gate: Gate) -> None:
    """Keep the verdict for `history --gate`."""
    try:
        checks.keep(run_file, checks.check_of(comparison.a, comparison.b, comparison.result, gate))
    except OSError as error:
        print_message(f"The verdict is not kept beside {run_file}: {error.strerror}.")


def _baseline(comparison: RunComparison) -> str:
    if comparison.by == "arm":
        return f"the baseline of {comparison.a.arms['a'].interpreter}, measured turn by turn"
    return f"the baseline {comparison.a.run.id}"


def _gate_document(gate: Gate) -> dict[str, object]:
    return {
        "outcome": gate.outcome,
        **{
            name: [{"case": each.case, "metric": each.metric, "reason": each.reason} for each in unjudged]
            for name, unjudged in (("lost", gate.lost), ("not_judged", gate.not_judged))
        },
    }


def _outcome(gate: Gate, advisory: bool) -> str:
    """Return the outcome as one line."""
    counts = (
        (len(gate.regressed) + len(gate.more_work), "regressed"),
        (len(gate.doubtful), "in doubt"),
        (len(gate.lost), "lost or failed"),
        (len(gate.held) + len(gate.held_work), "held"),
    )
    text = f"{gate.outcome.upper()}: {', '.join(f'{count} {label}' for count, label in counts if count)}."
    if gate.outcome == "not conclusive" and gate.doubtful:
        text += " Run more rounds; `joulemark calibrate` shows which differences this machine can detect."
    if advisory and gate.exit_code:
        text += f" Advisory: the exit code is 0 instead of {gate.exit_code}."
    return text
