"""What `joulemark check` says of a comparison, and the exit code that follows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from joulemark.suite.cli.support.comparison import Compared
    from joulemark.suite.stats.gate import Gate
    from joulemark.suite.stats.thresholds import Thresholds


@dataclass(frozen=True)
class Terms:
    """By what is judged, and how it is said."""

    limits: Thresholds
    advisory: bool
    markdown: bool
    as_json: bool


def passed(found: Compared, terms: Terms, allow_estimates: bool, strict: bool) -> int:
    """Judge a comparison, say so, and give the exit code. NotComparableError where nothing can be judged."""
    from rich.text import Text

    from joulemark.suite.cli.support import comparison, comparison_text
    from joulemark.suite.stats.gate import evaluate, without_invalid_cases
    from joulemark.suite.terminal import console

    if strict:
        found = replace(found, found=without_invalid_cases(found.found))
    gate = evaluate(found.found, found.a, found.b, terms.limits, allow_estimates)
    found = replace(found, gate=gate)
    code = 0 if terms.advisory else gate.exit_code
    comparison.tell_unmatched(terms.limits, found.b)
    outcome = _outcome(gate, terms.advisory)
    if terms.as_json:
        document = comparison.document(found)
        console.print_json({**document, **_verdict(gate), "exit_code": code, "advisory": terms.advisory})
    elif terms.markdown:
        sentences = [outcome, *comparison_text.findings(gate)]
        title = f"Joulemark: {found.b.run.id} against {_baseline(found)}"
        print(comparison_text.markdown(found, title, sentences), end="")
    else:
        comparison_text.show(found)
        console.print_text("", *(Text(line) for line in (*comparison_text.findings(gate), outcome)))
    if terms.as_json or terms.markdown:
        console.print_message(outcome)
    return code


def _baseline(found: Compared) -> str:
    if found.by == "arm":
        return f"the baseline of {found.a.arms['a'].interpreter}, measured turn by turn"
    return f"the baseline {found.a.run.id}"


def _verdict(gate: Gate) -> dict[str, object]:
    return {
        "outcome": gate.outcome,
        **{
            name: [{"case": one.case, "metric": one.metric, "reason": one.reason} for one in some]
            for name, some in (("lost", gate.lost), ("not_judged", gate.not_judged))
        },
    }


def _outcome(gate: Gate, advisory: bool) -> str:
    """One line that says it all."""
    counts = (
        (len(gate.regressed), "regressed"),
        (len(gate.doubtful), "in doubt"),
        (len(gate.lost), "lost or failed"),
        (len(gate.held), "held"),
    )
    said = f"{gate.outcome.upper()}: {', '.join(f'{count} {word}' for count, word in counts if count)}."
    if gate.outcome == "not conclusive" and gate.doubtful:
        said += " More rounds tell more; `joulemark calibrate` finds out what this machine can tell apart."
    if advisory and gate.exit_code:
        said += f" Advisory: the exit code is 0 instead of {gate.exit_code}."
    return said
