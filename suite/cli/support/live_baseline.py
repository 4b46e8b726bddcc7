"""`joulemark check --baseline-python`: the baseline measured now, turn by turn with what is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from joulemark.suite.cli.support.gate_output import GateOptions
    from joulemark.suite.records import RunFile


def check_against_live_baseline(given: Mapping[str, Any], python: str, options: GateOptions, out: Path | None) -> int:
    """Measure what `given` selects with `python`, the baseline, and with this interpreter; return the exit code."""
    from joulemark.suite.cli.support.comparison import compare_arms, comparison_document
    from joulemark.suite.cli.support.execute import measure_run, print_paths
    from joulemark.suite.cli.support.gate_output import report_gate
    from joulemark.suite.cli.support.prepare import prepare_run
    from joulemark.suite.errors import NotComparableError
    from joulemark.suite.stats.gate import evaluate, without_invalid_cases
    from joulemark.suite.stats.interim_analysis import case_ids
    from joulemark.suite.terminal.console import print_json, print_message

    prepared = prepare_run({**given, "arms": {"a": {"python": python}, "b": {}}})
    allow_estimates, strict = prepared.settings.allow_estimates, prepared.settings.strict

    def undecided(run_file: RunFile) -> frozenset[str]:
        """Return the cases that the gate would be in doubt about now."""
        comparison = compare_arms(run_file, options.thresholds, allow_estimates)
        if strict:
            comparison = replace(comparison, result=without_invalid_cases(comparison.result))
        try:
            gate = evaluate(comparison.result, run_file, run_file, options.thresholds, allow_estimates)
        except NotComparableError:
            return frozenset()
        return case_ids(gate.doubtful)

    run_file, path, interrupted = measure_run(prepared, out, undecided)
    print_paths(run_file, path, report=not interrupted)
    if interrupted:
        if options.as_json:
            print_json(comparison_document(compare_arms(run_file, options.thresholds, allow_estimates)))
        print_message(f"Interrupted: {run_file.run.id} holds the trials that were finished; nothing is judged.")
        return 130
    comparison = compare_arms(run_file, options.thresholds, allow_estimates)
    return report_gate(comparison, options, allow_estimates, strict)
