"""`joulemark check --baseline-python`: the baseline measured now, turn by turn with what is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from joulemark.suite.cli.support.comparison import Compared
    from joulemark.suite.cli.support.gate_output import Terms
    from joulemark.suite.records import RunFile

SELECTION: Final = (
    *("profile", "workload", "size", "phase", "framework", "mode", "device", "precision", "batch_size", "k"),
    *("threads", "allocator", "rounds", "max_rounds", "zone", "offline", "sensor"),
)
"""Options that only a measurement has a use for."""


def check(given: Mapping[str, Any], python: str, terms: Terms, out: Path | None) -> int:
    """Measure what `given` selects with `python`, the baseline, and with this interpreter, judge it, and give the exit
    code; 130 where interrupted."""
    from joulemark.suite.cli.support import comparison
    from joulemark.suite.cli.support.execute import measured, page
    from joulemark.suite.cli.support.gate_output import passed
    from joulemark.suite.cli.support.prepare import prepare
    from joulemark.suite.errors import NotComparableError
    from joulemark.suite.stats.gate import evaluate, without_invalid_cases
    from joulemark.suite.stats.interim_analysis import case_ids
    from joulemark.suite.terminal import console

    prepared = prepare({**given, "arms": {"a": {"python": python}, "b": {}}})
    estimates, strict = prepared.settings.allow_estimates, prepared.settings.strict

    def compared(run_file: RunFile) -> Compared:
        return comparison.by_arm(run_file, terms.limits, estimates)

    def doubtful(run_file: RunFile) -> frozenset[str]:
        """Whoever the gate is in doubt about, were it asked now."""
        found = compared(run_file)
        if strict:
            found = replace(found, found=without_invalid_cases(found.found))
        try:
            return case_ids(evaluate(found.found, run_file, run_file, terms.limits, estimates).doubtful)
        except NotComparableError:
            return frozenset()

    run_file, path, interrupted = measured(prepared, out, doubtful)
    console.print_message(f"Run file: {path}")
    if interrupted:
        if terms.as_json:
            console.print_json(comparison.document(compared(run_file)))
        console.print_message(f"Interrupted: {run_file.run.id} holds the trials that were finished; nothing is judged.")
        return 130
    console.print_message(f"Report:   {page(run_file, path)}")
    return passed(compared(run_file), terms, estimates, strict)
