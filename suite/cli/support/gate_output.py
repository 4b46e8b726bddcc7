"""The verdict of `joulemark check` on a comparison, and its exit code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from joulemark.suite.cli.support.comparison import RunComparison
    from joulemark.suite.stats.gate import Gate
    from joulemark.suite.stats.thresholds import Thresholds


@dataclass(frozen=True)
class GateOptions:
    """What a gate judges by, and the format of its output."""

    thresholds: Thresholds
    advisory: bool
    markdown: bool
    as_json: bool


def report_gate(comparison: RunComparison, options: GateOptions, allow_estimates: bool, strict: bool) -> int:
    """Judge a comparison, print the verdict and return the exit code. NotComparableError if nothing can be judged."""
    from rich.text import Text

    from joulemark.suite.cli.support import comparison_text
    from joulemark.suite.cli.support.comparison import comparison_document, warn_unmatched_patterns
    from joulemark.suite.stats.gate import evaluate, without_invalid_cases
    from joulemark.suite.terminal.console import print_json, print_message, print_text

    if strict:
        comparison = replace(comparison, result=without_invalid_cases(comparison.result))
    gate = evaluate(comparison.result, comparison.a, comparison.b, options.thresholds, allow_estimates)
    comparison = replace(comparison, gate=gate)
    code = 0 if options.advisory else gate.exit_code
    warn_unmatched_patterns(options.thresholds, comparison.b)
    outcome = _outcome(gate, options.advisory)
    if options.as_json:
        verdict = {**_gate_document(gate), "exit_code": code, "advisory": options.advisory}
        print_json({**comparison_document(comparison), **verdict})
    elif options.markdown:
        title = f"Joulemark: {comparison.b.run.id} against {_baseline(comparison)}"
        sentences = [outcome, *comparison_text.findings(gate)]
        print(comparison_text.markdown(comparison, title, sentences), end="")
    else:
        comparison_text.print_comparison(comparison)
        print_text("", *(Text(line) for line in (*comparison_text.findings(gate), outcome)))
    if options.as_json or options.markdown:
        print_message(outcome)
    return code


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
        (len(gate.regressed), "regressed"),
        (len(gate.doubtful), "in doubt"),
        (len(gate.lost), "lost or failed"),
        (len(gate.held), "held"),
    )
    text = f"{gate.outcome.upper()}: {', '.join(f'{count} {label}' for count, label in counts if count)}."
    if gate.outcome == "not conclusive" and gate.doubtful:
        text += " Run more rounds; `joulemark calibrate` shows which differences this machine can detect."
    if advisory and gate.exit_code:
        text += f" Advisory: the exit code is 0 instead of {gate.exit_code}."
    return text
